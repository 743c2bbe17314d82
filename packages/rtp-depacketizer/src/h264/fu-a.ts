/** Fragmentation units FU-A (RFC 6184 §5.8): one NAL unit over several packets. */

/** Each one-byte NAL unit header, shared: a fragmented NAL unit's own header is not in any packet. */
const NAL_UNIT_HEADERS: readonly Uint8Array[] = Array.from({ length: 256 }, (_, header) => Uint8Array.of(header))

/** What a fragment did. */
export const Fragment = {
  /** The NAL unit goes on. */
  more: 0,
  /** The NAL unit is complete: take it. */
  complete: 1,
  /** Its beginning is missing. */
  withoutStart: 2,
  /** A new NAL unit begins where the one before has not ended. */
  withoutEnd: 3,
  /** The packet is too short, or begins and ends the NAL unit at once. */
  malformed: 4,
} as const

/** Puts the fragments of one NAL unit together, as views. */
export class FuAReassembly {
  #pieces: Uint8Array[] | undefined
  #header = 0
  #startsPicture = false

  get active(): boolean {
    return this.#pieces !== undefined
  }

  /** The NAL unit header that the fragments stand for. */
  get header(): number {
    return this.#header
  }

  /** The top bit after the NAL unit header is set: for a slice, first_mb_in_slice is 0. */
  get startsPicture(): boolean {
    return this.#startsPicture
  }

  reset(): void {
    this.#pieces = undefined
  }

  /** Hands the complete NAL unit over. */
  take(): Uint8Array[] {
    const pieces = this.#pieces!
    this.#pieces = undefined
    return pieces
  }

  /** Takes the payload `bytes[start]` to `bytes[end]`. Returns one of {@link Fragment}. */
  push(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < 3) return Fragment.malformed
    const fuHeader = bytes[start + 1]!
    const header = (bytes[start]! & 0xe0) | (fuHeader & 0x1f)
    const isStart = fuHeader >= 0x80
    const isEnd = (fuHeader & 0x40) !== 0
    // §5.8: the start and end bits must not both be set, and aggregates are not fragmented.
    if ((isStart && isEnd) || (fuHeader & 0x1f) === 0 || (fuHeader & 0x1f) > 23) return Fragment.malformed
    const view = new Uint8Array(bytes.buffer, bytes.byteOffset + start + 2, end - start - 2)
    if (isStart) {
      const result = this.#pieces === undefined ? Fragment.more : Fragment.withoutEnd
      this.#header = header
      this.#startsPicture = bytes[start + 2]! >= 0x80
      this.#pieces = [NAL_UNIT_HEADERS[header]!, view]
      return result
    }
    if (this.#pieces === undefined) return Fragment.withoutStart
    if (header !== this.#header) {
      this.#pieces = undefined
      return Fragment.withoutStart
    }
    this.#pieces.push(view)
    return isEnd ? Fragment.complete : Fragment.more
  }
}
