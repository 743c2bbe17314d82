import type { Configuration } from './configuration.js'
import type { TrackEnd } from './source-report.js'

/**
 * One coded picture or audio frame below the time border.
 * Times are integer ticks of the track's timescale; tick 0 is the start of the recording.
 */
export interface EncodedSample {
  readonly type: 'sample'
  readonly trackId: string
  /**
   * Video: the units of the picture as in `AccessUnit`; audio: the one coded frame (Opus packet, raw AAC frame
   * without ADTS header, block of G.711 or G.722 samples).
   */
  readonly data: readonly Uint8Array[] | Uint8Array
  /** Video: the units in the pieces in which they came. Muxers read these, so that a payload is copied once. */
  readonly pieces?: readonly (readonly Uint8Array[])[]
  /** Presentation time. */
  readonly pts: number
  /** Decoding time: strictly increasing within a track, never after `pts`. */
  readonly dts: number
  readonly duration?: number
  readonly keyframe: boolean
  /** A new configuration starts with this sample. The first sample of a track has one. */
  readonly configuration?: Configuration
  /** The track's time or its pictures do not continue from the sample before: a gap, a loss, a new source. */
  readonly discontinuity?: boolean
  /** Packets lost between the sample before and this one. */
  readonly lostPackets?: number
  /** Microseconds, on the host's monotonic clock. */
  readonly arrivalUs?: number
}

/** The track will send nothing with a decoding time before `dts`: what keeps an interleaver going while a track is silent. */
export interface Watermark {
  readonly type: 'watermark'
  readonly trackId: string
  /** Ticks of the track's timescale. */
  readonly dts: number
}

/** What flows below the time border. */
export type TimedItem = EncodedSample | Watermark | TrackEnd
