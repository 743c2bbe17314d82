/** Bytes of a capture as they come, and how many of them can be looked at in one piece. */
export class CaptureInput {
  #bytes: Uint8Array = new Uint8Array(0)
  #offset = 0

  /** Bytes that were pushed and not taken. */
  get left(): number {
    return this.#bytes.byteLength - this.#offset
  }

  push(chunk: Uint8Array): void {
    const { left } = this
    if (left === 0) this.#bytes = chunk
    else {
      // Only what the border of two chunks divides is copied twice.
      const joined = new Uint8Array(left + chunk.byteLength)
      joined.set(this.#bytes.subarray(this.#offset))
      joined.set(chunk, left)
      this.#bytes = joined
    }
    this.#offset = 0
  }

  /** The next `length` bytes without taking them, or `undefined` while they are not here. */
  peek(length: number): Uint8Array | undefined {
    return this.left < length ? undefined : this.#bytes.subarray(this.#offset, this.#offset + length)
  }

  take(length: number): void {
    this.#offset += length
  }
}

/** A view for reading numbers of a part of a buffer. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
