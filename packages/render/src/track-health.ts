import type { ClockBasis } from '@rushes/rtp-depacketizer'

/** How a track is doing. Counters are those since its start. */
export interface TrackHealth {
  readonly participantId: string
  readonly trackId: string
  readonly packets: number
  readonly bytes: number
  /** Packets that never came, those aside that carried nothing. */
  readonly lost: number
  /** Packets that came late or again, and were used or dropped. */
  readonly late: number
  readonly duplicates: number
  /** Recording time of the last keyframe, microseconds. */
  readonly lastKeyframeUs?: number
  /** What its place in time rests on; absent before its first unit. */
  readonly clock?: ClockBasis
}
