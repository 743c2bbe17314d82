import { DROP_CAUSES, type DropCause } from '../drop-cause.js'
import { type RtpMalformed, type RtpStats, zeroCounters, zeroRtpStats } from '../rtp-stats.js'

/** What the depacketizers of VP8, VP9 and AV1 count. */
export interface FrameStats extends RtpStats {
  /** Units emitted. */
  accessUnits: number
  /** Keyframes among them. */
  keyframes: number
  /** Lost packets that no picture was in, as the packets around them prove: padding. They are among `lost`. */
  lostHarmless: number
  /** Units not emitted, by cause; `frozen` also counts pictures of a layer that a loss has spoiled alone. */
  droppedUnits: Record<DropCause, number>
}

/** Those counters at zero. */
export function zeroFrameStats<Malformed extends string>(
  malformed: readonly Malformed[],
): FrameStats & { malformed: Record<RtpMalformed | Malformed, number> } {
  return {
    ...zeroRtpStats(malformed),
    accessUnits: 0,
    keyframes: 0,
    lostHarmless: 0,
    droppedUnits: zeroCounters(DROP_CAUSES),
  }
}
