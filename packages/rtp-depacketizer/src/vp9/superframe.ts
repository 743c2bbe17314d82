import { hideVp9Frame, type Vp9UncompressedHeader, vp9SuperframeIndex } from '@rushes/bitstream'
import { sliceHead } from '../nal/slice-head.js'
import type { Vp9LayerFrame } from './layer-frame.js'

/** Bytes that hold any uncompressed header, and the one that hiding a frame may add. */
export const VP9_HEAD_BYTES = 192

/** A layer frame with its header. */
export interface ReadLayerFrame {
  readonly frame: Vp9LayerFrame
  readonly header: Vp9UncompressedHeader
}

/**
 * The frames of a picture's spatial layers as one frame, in pieces: a superframe where there are several (VP9 bitstream
 * specification, Annex B), in which only the last is shown.
 */
export function joinLayerFrames(frames: readonly ReadLayerFrame[]): readonly Uint8Array[] {
  if (frames.length === 1) return frames[0]!.frame.pieces
  const pieces: Uint8Array[] = []
  const lengths = frames.map(({ frame, header }, index) => {
    const next = frames[index + 1]
    const rewrite = next !== undefined && mayHide(header, next.header) ? hide(frame, header) : undefined
    if (rewrite === undefined) {
      pieces.push(...frame.pieces)
      return frame.bytes
    }
    pieces.push(rewrite.head)
    let skip = rewrite.replacedBytes
    for (const piece of frame.pieces) {
      if (piece.byteLength > skip) pieces.push(skip === 0 ? piece : piece.subarray(skip))
      skip = Math.max(0, skip - piece.byteLength)
    }
    return frame.bytes - rewrite.replacedBytes + rewrite.head.byteLength
  })
  pieces.push(vp9SuperframeIndex(lengths))
  return pieces
}

function hide(frame: Vp9LayerFrame, header: Vp9UncompressedHeader): ReturnType<typeof hideVp9Frame> {
  return hideVp9Frame(sliceHead(frame.pieces, VP9_HEAD_BYTES), header)
}

/** A frame behind one that was not shown takes no motion vectors from it: harmless where it could not anyway. */
function mayHide(header: Vp9UncompressedHeader, next: Vp9UncompressedHeader): boolean {
  return (
    next.errorResilient ||
    next.intraOnly ||
    header.size?.width !== next.size?.width ||
    header.size?.height !== next.size?.height
  )
}
