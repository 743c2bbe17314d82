import { BitstreamError } from '../errors.js'

/** The uncompressed data chunk at the beginning of a VP8 frame (RFC 6386 §9.1). */
export interface Vp8FrameHeader {
  readonly keyframe: boolean
  /** 0 to 3: which filters are in use; 4 to 7 are reserved. */
  readonly version: number
  /** `false` for a frame that is only predicted from. */
  readonly showFrame: boolean
  /** Of the first partition, in bytes. */
  readonly firstPartitionBytes: number
  /** Pixels, 1 to 16,383; keyframes only. The scale, which is a wish to the player, is passed over. */
  readonly width?: number
  readonly height?: number
}

/** Bytes of the frame tag, and of what keyframes have behind it. */
const TAG_BYTES = 3
const KEYFRAME_BYTES = 10

/** Parses the first 10 bytes of a frame (3 where it is no keyframe). Throws BitstreamError `VP8_BAD_FRAME`. */
export function parseVp8FrameHeader(frame: Uint8Array): Vp8FrameHeader {
  if (frame.byteLength < TAG_BYTES) throw new BitstreamError('VP8_BAD_FRAME', 'a VP8 frame has at least 3 bytes')
  const tag = frame[0]! | (frame[1]! << 8) | (frame[2]! << 16)
  const keyframe = (tag & 1) === 0
  const header = {
    keyframe,
    version: (tag >>> 1) & 7,
    showFrame: (tag & 0x10) !== 0,
    firstPartitionBytes: tag >>> 5,
  }
  if (!keyframe) return header
  if (frame.byteLength < KEYFRAME_BYTES) {
    throw new BitstreamError('VP8_BAD_FRAME', `a VP8 keyframe has at least 10 bytes, got ${frame.byteLength}`)
  }
  if (frame[3] !== 0x9d || frame[4] !== 0x01 || frame[5] !== 0x2a) {
    throw new BitstreamError('VP8_BAD_FRAME', 'a VP8 keyframe has the start code 9d 01 2a')
  }
  const width = (frame[6]! | (frame[7]! << 8)) & 0x3fff
  const height = (frame[8]! | (frame[9]! << 8)) & 0x3fff
  if (width === 0 || height === 0) throw new BitstreamError('VP8_BAD_FRAME', `a size of ${width}x${height}`)
  return { ...header, width, height }
}
