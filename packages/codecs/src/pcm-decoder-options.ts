import { type AudioTrack, ConfigurationError, timescaleOf } from '@rushes/media'
import type { ConcealedGap, Concealment } from './loss-filler.js'

/** How a track of sound is decoded. */
export interface PcmDecoderOptions {
  /** Opus, with a clock rate and timescale of 48,000; G.711 (`pcmu`, `pcma`) or G.722, mono, with 8,000. */
  readonly track: AudioTrack
  /** Hz of what comes out. @defaultValue 48000 */
  readonly sampleRate?: 44_100 | 48_000
  /** @defaultValue what the first packet of Opus says of itself; 1 for G.711 and G.722 */
  readonly channels?: 1 | 2
  /** What stands in for lost packets. @defaultValue 'plc' */
  readonly concealment?: Concealment
  /** Called for each loss, once the packet after it is here. */
  readonly onConcealed?: (gap: ConcealedGap) => void
  /** Recording time where the sound ends: filled with silence up to there, cut behind it. @defaultValue its own end */
  readonly untilUs?: number
}

/** RTP clock rates of what can be decoded (RFC 7587 §4.1; RFC 3551 §4.5). */
const CLOCK_RATES: Readonly<Record<string, number>> = { opus: 48_000, pcmu: 8_000, pcma: 8_000, g722: 8_000 }

/** Throws ConfigurationError. */
export function checkPcmDecoderOptions(options: PcmDecoderOptions): void {
  const { track, concealment, untilUs } = options
  const clockRate = CLOCK_RATES[track.codec]
  if (clockRate === undefined) {
    throw new ConfigurationError('track.codec', "must be 'opus', 'pcmu', 'pcma' or 'g722'", track.codec)
  }
  if (track.clockRate !== clockRate || timescaleOf(track) !== clockRate) {
    const rule = `clockRate and timescale of ${track.codec} must be ${clockRate}`
    throw new ConfigurationError('track.clockRate', rule, track.clockRate)
  }
  if (track.codec !== 'opus' && (track.channels ?? 1) !== 1) {
    throw new ConfigurationError('track.channels', `must be 1 for ${track.codec}`, track.channels)
  }
  checkPcmShape(options)
  if (concealment !== undefined && concealment !== 'plc' && concealment !== 'silence') {
    throw new ConfigurationError('concealment', "must be 'plc' or 'silence'", concealment)
  }
  if (untilUs !== undefined && !Number.isSafeInteger(untilUs)) {
    throw new ConfigurationError('untilUs', 'must be an integer number of microseconds', untilUs)
  }
}

/** Throws ConfigurationError where the rate or the channels are none of ours. */
export function checkPcmShape(options: { readonly sampleRate?: number; readonly channels?: number }): void {
  const { sampleRate, channels } = options
  if (sampleRate !== undefined && sampleRate !== 48_000 && sampleRate !== 44_100) {
    throw new ConfigurationError('sampleRate', 'must be 44100 or 48000', sampleRate)
  }
  if (channels !== undefined && channels !== 1 && channels !== 2) {
    throw new ConfigurationError('channels', 'must be 1 or 2', channels)
  }
}
