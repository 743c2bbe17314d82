/** Writes the syntax elements of a NAL unit (ITU-T H.264 §7.2, §9.1). */
export class RbspWriter {
  readonly #bytes: number[] = []
  #bits = 0
  #count = 0

  /** u(n), for n up to 32. */
  u(bits: number, value: number): this {
    for (let shift = bits - 1; shift >= 0; shift--) this.#bit(Math.floor(value / 2 ** shift) & 1)
    return this
  }

  flag(value: boolean): this {
    this.#bit(value ? 1 : 0)
    return this
  }

  /** ue(v). */
  ue(value: number): this {
    const bits = Math.floor(Math.log2(value + 1))
    return this.u(bits, 0).u(bits + 1, value + 1)
  }

  /** se(v). */
  se(value: number): this {
    return this.ue(value > 0 ? value * 2 - 1 : -value * 2)
  }

  /** Appends rbsp_trailing_bits and returns the RBSP. */
  finish(): Uint8Array {
    return this.#align(1)
  }

  /**
   * Appends slice data: ones up to the next byte, the bytes, and rbsp_trailing_bits. No entropy decoder will make
   * anything of it, but whatever only carries slices cannot tell.
   */
  finishSlice(data: Uint8Array): Uint8Array {
    const head = this.#count === 0 ? Uint8Array.from(this.#bytes) : this.#align(1, 1)
    const rbsp = new Uint8Array(head.byteLength + data.byteLength + 1)
    rbsp.set(head)
    rbsp.set(data, head.byteLength)
    rbsp[rbsp.byteLength - 1] = 0x80
    return rbsp
  }

  #align(first: 0 | 1, rest: 0 | 1 = 0): Uint8Array {
    this.#bit(first)
    while (this.#count > 0) this.#bit(rest)
    return Uint8Array.from(this.#bytes)
  }

  #bit(bit: number): void {
    this.#bits = (this.#bits << 1) | bit
    if (++this.#count < 8) return
    this.#bytes.push(this.#bits)
    this.#bits = 0
    this.#count = 0
  }
}

/** A NAL unit of an RBSP: header byte, and emulation prevention where it is needed (ITU-T H.264 §7.4.1). */
export function nalUnitOf(refIdc: number, type: number, rbsp: Uint8Array): Uint8Array {
  let added = 0
  let zeros = 0
  for (const byte of rbsp) {
    if (zeros >= 2 && byte <= 3) {
      added++
      zeros = 0
    }
    zeros = byte === 0 ? zeros + 1 : 0
  }
  const nalUnit = new Uint8Array(1 + rbsp.byteLength + added)
  nalUnit[0] = (refIdc << 5) | type
  let at = 1
  zeros = 0
  for (const byte of rbsp) {
    if (zeros >= 2 && byte <= 3) {
      nalUnit[at++] = 3
      zeros = 0
    }
    zeros = byte === 0 ? zeros + 1 : 0
    nalUnit[at++] = byte
  }
  return nalUnit
}
