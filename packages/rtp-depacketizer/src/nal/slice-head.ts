/** All that is read of an H264 slice header ends within 50 bytes, emulation prevention included. */
const HEAD_BYTES = 64

/** The beginning of a NAL unit in one piece, at most `maxBytes` of it. */
export function sliceHead(pieces: readonly Uint8Array[], maxBytes: number = HEAD_BYTES): Uint8Array {
  const first = pieces[0]!
  if (pieces.length === 1 || first.byteLength >= maxBytes) return first.subarray(0, maxBytes)
  const head = new SliceHead(maxBytes)
  head.copy(pieces)
  return head.bytes
}

/** A slice's beginning, copied: what a slice was emitted in belongs to somebody else by then. */
export class SliceHead {
  readonly #bytes: Uint8Array
  #length = 0

  constructor(maxBytes: number = HEAD_BYTES) {
    this.#bytes = new Uint8Array(maxBytes)
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  copy(pieces: readonly Uint8Array[]): void {
    // Byte by byte: for so few that is faster than a view for `set`, and it is done for every picture.
    const maxBytes = this.#bytes.byteLength
    let length = 0
    for (let i = 0; i < pieces.length && length < maxBytes; i++) {
      const piece = pieces[i]!
      const end = Math.min(piece.byteLength, maxBytes - length)
      for (let at = 0; at < end; at++) this.#bytes[length++] = piece[at]!
    }
    this.#length = length
  }
}
