import type { Vp9UncompressedHeader } from './uncompressed-header.js'

/** The beginning of a frame, written anew, and how many bytes of the frame it stands for. */
export interface Vp9HeadRewrite {
  readonly head: Uint8Array
  readonly replacedBytes: number
}

/** Position of show_frame: behind frame_marker, profile, show_existing_frame and frame_type. */
const SHOW_FRAME_BIT = 6

/**
 * A frame that is shown as one that is only predicted from: what the lower spatial layers of a superframe must be, of
 * which one frame is shown (VP9 bitstream specification, Annex B). Encoders of layers mark each as shown, since a
 * receiver may be sent any of them as the highest.
 * Returns `undefined` where that cannot be written.
 */
export function hideVp9Frame(frame: Uint8Array, header: Vp9UncompressedHeader): Vp9HeadRewrite | undefined {
  const { profile, endBits } = header
  if (endBits === undefined || header.showExistingFrame !== undefined || !header.showFrame) return undefined
  const replacedBytes = Math.ceil(endBits / 8)
  if (frame.byteLength < replacedBytes) return undefined
  const showBit = SHOW_FRAME_BIT + (profile === 3 ? 1 : 0)
  // A frame that is not shown says whether it is intra-only, in one bit behind error_resilient_mode.
  const insertAt = header.keyframe ? endBits : showBit + 2
  const head = new Uint8Array(Math.ceil((endBits + (header.keyframe ? 0 : 1)) / 8))
  for (let from = 0, to = 0; from < endBits; from++, to++) {
    if (from === insertAt) to++
    if (from !== showBit) head[to >>> 3]! |= ((frame[from >>> 3]! >>> (7 - (from & 7))) & 1) << (7 - (to & 7))
  }
  return { head, replacedBytes }
}
