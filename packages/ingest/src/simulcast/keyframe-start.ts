import { BitstreamError, parseSps } from '@rushes/bitstream'
import type { VideoCodec } from '@rushes/media'

/** A packet at which decoding can start, with the picture size where the packet tells it. */
export interface KeyframeStart {
  /** Pixels. */
  readonly width?: number
  readonly height?: number
}

const WITHOUT_SIZE: KeyframeStart = {}

/** What the payload of an RTP packet says of a keyframe that it begins, or `undefined` where it begins none. */
export function keyframeStart(codec: VideoCodec, payload: Uint8Array): KeyframeStart | undefined {
  if (payload.byteLength < 2) return undefined
  switch (codec) {
    case 'h264':
      return h264(payload)
    case 'h265':
      return h265(payload)
    case 'vp8':
      return vp8(payload)
    case 'vp9':
      return vp9(payload)
    default:
      // AV1 RTP §4.4: N marks the first packet of a coded video sequence.
      return (payload[0]! & 0x08) !== 0 ? WITHOUT_SIZE : undefined
  }
}

/** RFC 6184 §5.2: SPS (7) or IDR slice (5), alone, in STAP-A (24), or as the start of FU-A (28). */
function h264(payload: Uint8Array): KeyframeStart | undefined {
  const type = payload[0]! & 0x1f
  if (type === 7) return h264Size(payload)
  if (type === 5) return WITHOUT_SIZE
  if (type === 28) return (payload[1]! & 0x80) !== 0 && (payload[1]! & 0x1f) === 5 ? WITHOUT_SIZE : undefined
  if (type !== 24) return undefined
  let found: KeyframeStart | undefined
  for (let at = 1; at + 2 < payload.byteLength; ) {
    const length = (payload[at]! << 8) | payload[at + 1]!
    const unit = payload.subarray(at + 2, at + 2 + length)
    const unitType = (unit[0] ?? 0) & 0x1f
    if (unitType === 7) return h264Size(unit)
    if (unitType === 5) found = WITHOUT_SIZE
    at += 2 + length
  }
  return found
}

function h264Size(sps: Uint8Array): KeyframeStart {
  try {
    const { width, height } = parseSps(sps)
    return { width, height }
  } catch (error) {
    if (error instanceof BitstreamError) return WITHOUT_SIZE
    throw error
  }
}

/** RFC 7798 §4.4: random access pictures (16 to 21) or VPS and SPS (32, 33), also in AP (48) and FU (49). */
function h265(payload: Uint8Array): KeyframeStart | undefined {
  const starts = (type: number): boolean => (type >= 16 && type <= 21) || type === 32 || type === 33
  const type = (payload[0]! >>> 1) & 0x3f
  if (starts(type)) return WITHOUT_SIZE
  if (type === 49) {
    const head = payload[2] ?? 0
    return (head & 0x80) !== 0 && starts(head & 0x3f) ? WITHOUT_SIZE : undefined
  }
  if (type !== 48) return undefined
  for (let at = 2; at + 2 < payload.byteLength; ) {
    if (starts((payload[at + 2]! >>> 1) & 0x3f)) return WITHOUT_SIZE
    at += 2 + ((payload[at]! << 8) | payload[at + 1]!)
  }
  return undefined
}

/** RFC 7741 §4.2, §4.3 and RFC 6386 §9.1: the first partition begins, and its frame tag says key frame. */
function vp8(payload: Uint8Array): KeyframeStart | undefined {
  const first = payload[0]!
  if ((first & 0x10) === 0 || (first & 0x07) !== 0) return undefined
  let at = 1
  if ((first & 0x80) !== 0) {
    const extension = payload[at++]!
    if ((extension & 0x80) !== 0) at += (payload[at] ?? 0) >= 0x80 ? 2 : 1
    if ((extension & 0x40) !== 0) at++
    if ((extension & 0x30) !== 0) at++
  }
  if (at >= payload.byteLength || (payload[at]! & 0x01) !== 0) return undefined
  if (at + 10 > payload.byteLength || payload[at + 3] !== 0x9d || payload[at + 4] !== 0x01) return WITHOUT_SIZE
  return {
    width: ((payload[at + 7]! << 8) | payload[at + 6]!) & 0x3fff,
    height: ((payload[at + 9]! << 8) | payload[at + 8]!) & 0x3fff,
  }
}

/** RFC 9628 §4.2: not predicted, the beginning of a frame, and of the lowest spatial layer. */
function vp9(payload: Uint8Array): KeyframeStart | undefined {
  const first = payload[0]!
  if ((first & 0x40) !== 0 || (first & 0x08) === 0) return undefined
  let at = 1
  if ((first & 0x80) !== 0) at += (payload[at] ?? 0) >= 0x80 ? 2 : 1
  if ((first & 0x20) !== 0 && (((payload[at] ?? 0) >>> 1) & 0x07) !== 0) return undefined
  return WITHOUT_SIZE
}
