/**
 * Reads the syntax elements of a NAL unit (ITU-T H.264 §7.2, §9.1), taking emulation prevention bytes out on the way.
 * Written apart from the bitstream package on purpose: an oracle that shares the code under test shares its errors.
 */
export class RbspReader {
  readonly #rbsp: Uint8Array
  #bit = 0

  /** @param maxBytes how much of the NAL unit to look at: a slice header ends long before its slice */
  constructor(nalUnit: Uint8Array, maxBytes: number = nalUnit.byteLength) {
    this.#rbsp = unescaped(nalUnit.subarray(1, 1 + maxBytes))
  }

  /** u(n), for n up to 32. */
  u(bits: number): number {
    let value = 0
    for (let left = bits; left > 0; left--) value = value * 2 + this.#next()
    return value
  }

  flag(): boolean {
    return this.#next() === 1
  }

  /** ue(v). */
  ue(): number {
    let zeros = 0
    while (this.#next() === 0) {
      zeros++
      if (zeros > 32) throw new RangeError('an Exp-Golomb code with more than 32 leading zeros')
    }
    return 2 ** zeros - 1 + this.u(zeros)
  }

  /** se(v). */
  se(): number {
    const code = this.ue()
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2
  }

  /** more_rbsp_data(): there is something before the stop bit. */
  hasMore(): boolean {
    let end = this.#rbsp.byteLength * 8 - 1
    while (end >= 0 && this.#at(end) === 0) end--
    return this.#bit < end
  }

  #next(): number {
    if (this.#bit >= this.#rbsp.byteLength * 8) throw new RangeError('the NAL unit ends inside a syntax element')
    return this.#at(this.#bit++)
  }

  #at(bit: number): number {
    return ((this.#rbsp[bit >> 3] as number) >> (7 - (bit & 7))) & 1
  }
}

function unescaped(ebsp: Uint8Array): Uint8Array {
  const rbsp = new Uint8Array(ebsp.byteLength)
  let length = 0
  let zeros = 0
  for (const byte of ebsp) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0
      continue
    }
    zeros = byte === 0 ? zeros + 1 : 0
    rbsp[length++] = byte
  }
  return rbsp.subarray(0, length)
}
