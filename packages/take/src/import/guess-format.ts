import { type KnownFormat, knownFormat } from './payload-format.js'

/** What is kept of a packet for guessing. */
export interface PacketSample {
  readonly timestampUs: number
  readonly rtpTimestamp: number
  /** The first bytes of the payload. */
  readonly payload: Uint8Array
}

/** Rates that codecs use, and how far a measured one may be off: the start of a call is uneven. */
const RATES = [8000, 16_000, 48_000, 90_000]
const RATE_TOLERANCE = 0.25
const MIN_SAMPLES = 10
const MIN_SPAN_US = 150_000

/**
 * What the packets of an unknown payload type are, by their clock and their first bytes: Opus, H264 or VP8. `undefined`
 * when it is not clear: a wrong guess is worse than a question.
 */
export function guessFormat(samples: readonly PacketSample[]): KnownFormat | undefined {
  if (samples.length < MIN_SAMPLES) return undefined
  const rate = measuredRate(samples)
  const payloads = samples.map(({ payload }) => payload).filter((payload) => payload.byteLength > 0)
  if (rate === 48_000 && payloads.every(isOpus)) return knownFormat('audio/opus', 'guess')
  if (rate !== 90_000) return undefined
  if (payloads.every(isH264) && payloads.some(startsH264)) return knownFormat('video/H264', 'guess')
  if (payloads.every(isVp8) && payloads.some(startsVp8)) return knownFormat('video/VP8', 'guess')
  return undefined
}

function measuredRate(samples: readonly PacketSample[]): number | undefined {
  const [first, last] = [samples[0], samples.at(-1)]
  if (first === undefined || last === undefined) return undefined
  const spanUs = last.timestampUs - first.timestampUs
  if (spanUs < MIN_SPAN_US) return undefined
  const rate = (((last.rtpTimestamp - first.rtpTimestamp) >>> 0) * 1_000_000) / spanUs
  return RATES.find((one) => Math.abs(rate - one) < one * RATE_TOLERANCE)
}

/** A TOC byte whose frame count is possible (RFC 6716 §3.1, §3.2.5); one packet holds at most 120 ms. */
function isOpus(payload: Uint8Array): boolean {
  if (((payload[0] as number) & 3) !== 3) return true
  const frames = (payload[1] ?? 0) & 63
  return frames > 0 && frames <= 48
}

/** A NAL unit, STAP-A or FU-A header (RFC 6184 §5.2, §5.8). */
function isH264(payload: Uint8Array): boolean {
  const first = payload[0] as number
  const type = first & 31
  if (first >>> 7 !== 0 || type === 0) return false
  if (type !== 28) return type <= 24
  const second = payload[1] ?? 0
  const innerType = second & 31
  // Never both the start and the end, the reserved bit unset, a whole unit's type inside.
  return (second & 0xc0) !== 0xc0 && (second & 0x20) === 0 && innerType >= 1 && innerType <= 23
}

/** A sequence parameter set, alone or first in an aggregate. */
function startsH264(payload: Uint8Array): boolean {
  const type = (payload[0] as number) & 31
  return type === 7 || (type === 24 && ((payload[3] ?? 0) & 31) === 7)
}

/** Length of the payload descriptor (RFC 7741 §4.2). */
function vp8DescriptorBytes(payload: Uint8Array): number {
  if (((payload[0] as number) & 0x80) === 0) return 1
  const extension = payload[1] ?? 0
  let length = 2
  if ((extension & 0x80) !== 0) length += ((payload[2] ?? 0) & 0x80) === 0 ? 1 : 2
  if ((extension & 0x40) !== 0) length += 1
  if ((extension & 0x30) !== 0) length += 1
  return length
}

function isVp8(payload: Uint8Array): boolean {
  // Reserved bits are 0; a partition index beyond 8 does not exist.
  return ((payload[0] as number) & 0x48) === 0 && payload.byteLength > vp8DescriptorBytes(payload)
}

/** The first packet of a keyframe has its start code (RFC 6386 §9.1). */
function startsVp8(payload: Uint8Array): boolean {
  const at = vp8DescriptorBytes(payload)
  const isFirst = ((payload[0] as number) & 0x17) === 0x10
  const isKey = ((payload[at] ?? 1) & 1) === 0
  return isFirst && isKey && payload[at + 3] === 0x9d && payload[at + 4] === 0x01 && payload[at + 5] === 0x2a
}
