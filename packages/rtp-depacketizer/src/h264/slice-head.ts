import { BitReader, removeEmulationPrevention } from '@rushes/bitstream'

/** All that is read of a slice header ends within 50 bytes, emulation prevention included. */
const HEAD_BYTES = 64

/** The beginning of a NAL unit in one piece. */
export function sliceHead(pieces: readonly Uint8Array[]): Uint8Array {
  const first = pieces[0]!
  if (pieces.length === 1 || first.byteLength >= HEAD_BYTES) return first.subarray(0, HEAD_BYTES)
  const head = new SliceHead()
  head.copy(pieces)
  return head.bytes
}

/** A slice's beginning, copied: what a slice was emitted in belongs to somebody else by then. */
export class SliceHead {
  readonly #bytes = new Uint8Array(HEAD_BYTES)
  #length = 0

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  copy(pieces: readonly Uint8Array[]): void {
    // Byte by byte: for so few that is faster than a view for `set`, and it is done for every picture.
    let length = 0
    for (let i = 0; i < pieces.length && length < HEAD_BYTES; i++) {
      const piece = pieces[i]!
      const end = Math.min(piece.byteLength, HEAD_BYTES - length)
      for (let at = 0; at < end; at++) this.#bytes[length++] = piece[at]!
    }
    this.#length = length
  }
}

/** pic_parameter_set_id of a slice (ITU-T H.264 §7.3.3), which needs no parameter set; `undefined` if cut short. */
export function ppsIdOf(pieces: readonly Uint8Array[]): number | undefined {
  try {
    const bits = new BitReader(removeEmulationPrevention(sliceHead(pieces)), 8)
    bits.ue() // first_mb_in_slice
    bits.ue() // slice_type
    return bits.ue()
  } catch {
    return undefined
  }
}
