import type { KeyframeNeeded, RecordingEvent } from '@rushes/media'
import type { TrackHealth } from '@rushes/render'
import type { RecordingState } from './lifecycle.js'

/** What `recording.events` yields: the journalled events, and two kinds that are for the host alone. */
export type RecordingSignal = RecordingEvent | KeyframeNeededSignal | StatsSignal

/** A sender should be asked for a keyframe, unless the track has an `onKeyframeNeeded`, which was called. */
export interface KeyframeNeededSignal {
  readonly type: 'keyframeNeeded'
  readonly recordingId: string
  readonly participantId: string
  readonly trackId: string
  readonly reason: KeyframeNeeded['reason']
}

/** How the recording is doing. */
export interface StatsSignal {
  readonly type: 'stats'
  readonly recordingId: string
  readonly stats: RecordingStats
}

/** A look at a recording. Counters are those since its start. */
export interface RecordingStats {
  readonly state: RecordingState
  readonly participants: number
  readonly tracks: readonly TrackStats[]
  readonly packets: number
  /** Of the journal. */
  readonly bytes: number
  /** Waiting for the disk. */
  readonly bufferedBytes: number
  /** Packets that the journal could not take. */
  readonly refused: number
  /** Packets that the live outputs could not take in time; the journal has them. */
  readonly liveRefused: number
  /** Events that slow readers of `events` have missed. */
  readonly eventsDropped: number
}

/** How one track is doing. */
export interface TrackStats {
  readonly trackId: string
  readonly participantId: string
  readonly packets: number
  readonly bytes: number
  /** Bit/s over the time since the last look of this kind. */
  readonly bitRate: number
  /** Paused, not subscribed to, or after its end. */
  readonly skipped: number
  /** As the live outputs see it. */
  readonly health?: TrackHealth
}
