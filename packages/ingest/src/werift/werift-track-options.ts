import type { MonotonicClock, TrackSink } from '@rushes/media'
import type { NackOptions } from '../repair/nack-generator.js'
import type { IngestEvent } from '../session/ingest-event.js'
import type { WeriftPeer, WeriftReceiver } from './werift-shapes.js'

/** Options of `recordWeriftTrack`. */
export interface RecordWeriftTrackOptions {
  readonly participantId: string
  /**
   * The peer that the track came from: for keyframe requests, header extensions, all codecs that were negotiated, and
   * the canonical name by which sound and picture are put in step.
   */
  readonly peer?: WeriftPeer
  /** Instead of `peer`, where only the receiver is at hand; then without header extensions. */
  readonly receiver?: WeriftReceiver
  /** Id to URI, where they are not to be learnt from `peer`. */
  readonly headerExtensions?: Readonly<Record<number, string>>
  /** Of several encodings (simulcast) this one alone. @defaultValue the largest that is alive, as one stream */
  readonly rid?: string
  /**
   * Whether to ask for lost packets ourselves, besides werift, which gives them up early. @defaultValue `true` where NACK
   * was negotiated and `peer` or `receiver` is given
   */
  readonly nack?: boolean | NackOptions
  /** Called besides the request that goes out through `peer` or `receiver`, or instead of it where there is neither. */
  readonly onKeyframeNeeded?: (mediaSsrc: number) => void
  readonly onEvent?: (event: IngestEvent) => void
  /** Gives arrival times. @defaultValue the machine's monotonic clock */
  readonly clock?: MonotonicClock
}

/** A werift track that is being recorded. */
export interface RecordedWeriftTrack {
  /** `undefined` before the first packet, and after the end: a track that nobody sends leaves nothing. */
  readonly sink: TrackSink | undefined
  readonly stats: WeriftTrackStats
  /** Ends the track in the recording; the werift track goes on. */
  stop(): void
}

/** What has been recorded. */
export interface WeriftTrackStats {
  readonly packets: number
  readonly reports: number
  /** Packets that came after having been asked for again. */
  readonly repaired: number
  /** What werift gave is no RTP. */
  readonly malformed: number
  /** Packets written while the target was short of memory. */
  readonly pressed: number
  /** Of simulcast, the encoding that is put out. */
  readonly layer: string | undefined
}
