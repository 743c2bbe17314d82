/** Writes bits, the most significant first: the counterpart of BitReader, for tests. */
export class BitWriter {
  readonly #bits: number[] = []

  u(value: number, bits: number): this {
    for (let i = bits - 1; i >= 0; i--) this.#bits.push(Math.floor(value / 2 ** i) % 2)
    return this
  }

  flag(value: boolean): this {
    return this.u(value ? 1 : 0, 1)
  }

  ue(value: number): this {
    const length = Math.floor(Math.log2(value + 1))
    return this.u(0, length).u(value + 1, length + 1)
  }

  se(value: number): this {
    return this.ue(value > 0 ? 2 * value - 1 : -2 * value)
  }

  /** rbsp_trailing_bits, and the bytes. */
  finish(): Uint8Array {
    this.u(1, 1)
    return this.bytes()
  }

  /** The bytes, filled up with zeros. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(Math.ceil(this.#bits.length / 8))
    for (const [i, bit] of this.#bits.entries()) bytes[i >>> 3]! |= bit << (7 - (i & 7))
    return bytes
  }
}
