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
export class FragmentReassembly {
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

  /** The top bit after the NAL unit header is set: a slice is then the first of its picture. */
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

  /** The first fragment: the NAL unit's own header is not in the packet. Returns one of {@link Fragment}. */
  begin(header: number, headerBytes: Uint8Array, payload: Uint8Array): number {
    const result = this.#pieces === undefined ? Fragment.more : Fragment.withoutEnd
    this.#header = header
    this.#startsPicture = payload[0]! >= 0x80
    this.#pieces = [headerBytes, payload]
    return result
  }

  /** A later one. Returns one of {@link Fragment}. */
  continue(header: number, payload: Uint8Array, isEnd: boolean): number {
    if (this.#pieces === undefined) return Fragment.withoutStart
    if (header !== this.#header) {
      this.#pieces = undefined
      return Fragment.withoutStart
    }
    this.#pieces.push(payload)
    return isEnd ? Fragment.complete : Fragment.more
  }
}
