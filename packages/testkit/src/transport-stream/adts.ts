import type { FindingPlace, Report } from '../finding.js'
import type { TransportStreamRule } from './rules.js'

/** One AAC frame in ADTS (ISO/IEC 14496-3 Annex 1.A). */
export interface AdtsFrame {
  /** MPEG-4 audio object type: 2 is AAC-LC. */
  readonly objectType: number
  /** Hz. */
  readonly sampleRate: number
  readonly channels: number
  /** Without the header. */
  readonly data: Uint8Array
}

const SAMPLE_RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350]

/** Cuts a PES payload into frames, as far as it can be. */
export function readAdtsFrames(
  payload: Uint8Array,
  place: FindingPlace,
  report: Report<TransportStreamRule>,
): AdtsFrame[] {
  const frames: AdtsFrame[] = []
  let at = 0
  while (at < payload.byteLength) {
    const left = payload.byteLength - at
    if (left < 7) {
      report('adts-length', `${left} bytes are left after ${frames.length} frames: no room for a header`, place)
      return frames
    }
    const byte = (index: number): number => payload[at + index] as number
    if (byte(0) !== 0xff || byte(1) >> 4 !== 0xf) {
      report('adts-header', `no sync word at byte ${at} of the PES payload`, place)
      return frames
    }
    if ((byte(1) & 6) !== 0) report('adts-header', `layer is ${(byte(1) >> 1) & 3}, not 0`, place)
    const sampleRate = SAMPLE_RATES[(byte(2) >> 2) & 15]
    if (sampleRate === undefined) {
      report('adts-header', `sampling_frequency_index is ${(byte(2) >> 2) & 15}`, place)
      return frames
    }
    if ((byte(6) & 3) !== 0) report('adts-header', `${(byte(6) & 3) + 1} raw data blocks in a frame, expected 1`, place)
    const length = ((byte(3) & 3) << 11) | (byte(4) << 3) | (byte(5) >> 5)
    const headerBytes = (byte(1) & 1) === 1 ? 7 : 9
    if (length <= headerBytes || length > left) {
      report('adts-length', `a frame of ${length} bytes where ${left} are left`, place)
      return frames
    }
    frames.push({
      objectType: (byte(2) >> 6) + 1,
      sampleRate,
      channels: ((byte(2) & 1) << 2) | (byte(3) >> 6),
      data: payload.subarray(at + headerBytes, at + length),
    })
    at += length
  }
  if (frames.length === 0) report('adts-length', 'a PES packet without a frame', place)
  return frames
}
