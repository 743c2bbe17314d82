import { BitstreamError } from './errors.js'

/**
 * Reads bits, the most significant first, with the descriptors of ITU-T H.264 §7.2 and §9.1.
 * For H264 give it an RBSP: emulation prevention is not its business.
 */
export class BitReader {
  readonly #bytes: Uint8Array
  readonly #endBits: number
  #positionBits: number

  constructor(bytes: Uint8Array, startBits = 0) {
    this.#bytes = bytes
    this.#endBits = bytes.byteLength * 8
    this.#positionBits = startBits
  }

  /** Bits read so far, counted from the start of the bytes. */
  get positionBits(): number {
    return this.#positionBits
  }

  /** Bits that are left. */
  get remainingBits(): number {
    return this.#endBits - this.#positionBits
  }

  /** Unsigned integer of `bits` bits, 0 to 32. Throws `BITSTREAM_END` when fewer are left. */
  u(bits: number): number {
    if (bits > this.remainingBits) {
      throw new BitstreamError('BITSTREAM_END', `${bits} bits wanted at bit ${this.#positionBits} of ${this.#endBits}`)
    }
    let value = 0
    let left = bits
    let position = this.#positionBits
    while (left > 0) {
      const available = 8 - (position & 7)
      const take = Math.min(left, available)
      const byte = this.#bytes[position >>> 3]!
      // Multiplied and not shifted: 32 bits do not fit in a signed shift.
      value = value * (1 << take) + ((byte >>> (available - take)) & ((1 << take) - 1))
      position += take
      left -= take
    }
    this.#positionBits = position
    return value
  }

  /** One bit as a boolean. */
  flag(): boolean {
    return this.u(1) === 1
  }

  /** Unsigned Exp-Golomb code (§9.1), 0 to 2^32 - 2. Longer codes throw `BITSTREAM_BAD_EXP_GOLOMB`. */
  ue(): number {
    let zeros = 0
    while (this.u(1) === 0) {
      zeros++
      if (zeros > 31)
        throw new BitstreamError('BITSTREAM_BAD_EXP_GOLOMB', 'an Exp-Golomb code has at most 31 leading zeros')
    }
    return 2 ** zeros - 1 + this.u(zeros)
  }

  /** Signed Exp-Golomb code (§9.1.1). */
  se(): number {
    const code = this.ue()
    return code % 2 === 1 ? (code + 1) / 2 : code === 0 ? 0 : -code / 2
  }

  /** Skips `bits` bits. */
  skip(bits: number): void {
    if (bits > this.remainingBits) {
      throw new BitstreamError('BITSTREAM_END', `${bits} bits to skip at bit ${this.#positionBits} of ${this.#endBits}`)
    }
    this.#positionBits += bits
  }

  /** Whether syntax elements follow before rbsp_trailing_bits: `more_rbsp_data()` of §7.2. */
  moreRbspData(): boolean {
    let last = this.#bytes.byteLength - 1
    while (last >= 0 && this.#bytes[last] === 0) last--
    if (last < 0) return false
    const byte = this.#bytes[last]!
    const stopBit = last * 8 + 7 - Math.log2(byte & -byte)
    return this.#positionBits < stopBit
  }
}
