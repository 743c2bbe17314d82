/**
 * CRC-64 as OSS answers it in `x-oss-hash-crc64ecma`: the polynomial of ECMA-182, reflected, with all bits set before
 * and inverted after (known as CRC-64/XZ). JavaScript has no fast integer of 64 bits, so that halves are kept apart.
 */
const POLYNOMIAL = 0xc96c_5795_d787_0f42n
const ALL_ONES = 0xffff_ffff_ffff_ffffn

// Eight tables, so that eight bytes go in at a time: table t says what a byte makes that lies t bytes before the last.
const low = new Int32Array(8 * 256)
const high = new Int32Array(8 * 256)
fillTables()

/** A running CRC-64 over bytes. */
export class Crc64 {
  #low = -1
  #high = -1

  update(bytes: Uint8Array): void {
    let lo = this.#low
    let hi = this.#high
    const length = bytes.byteLength
    let index = 0
    for (; index + 8 <= length; index += 8) {
      const a =
        lo ^
        ((bytes[index] as number) |
          ((bytes[index + 1] as number) << 8) |
          ((bytes[index + 2] as number) << 16) |
          ((bytes[index + 3] as number) << 24))
      const b =
        hi ^
        ((bytes[index + 4] as number) |
          ((bytes[index + 5] as number) << 8) |
          ((bytes[index + 6] as number) << 16) |
          ((bytes[index + 7] as number) << 24))
      const i7 = 1792 + (a & 255)
      const i6 = 1536 + ((a >>> 8) & 255)
      const i5 = 1280 + ((a >>> 16) & 255)
      const i4 = 1024 + (a >>> 24)
      const i3 = 768 + (b & 255)
      const i2 = 512 + ((b >>> 8) & 255)
      const i1 = 256 + ((b >>> 16) & 255)
      const i0 = b >>> 24
      lo =
        (low[i7] as number) ^
        (low[i6] as number) ^
        (low[i5] as number) ^
        (low[i4] as number) ^
        (low[i3] as number) ^
        (low[i2] as number) ^
        (low[i1] as number) ^
        (low[i0] as number)
      hi =
        (high[i7] as number) ^
        (high[i6] as number) ^
        (high[i5] as number) ^
        (high[i4] as number) ^
        (high[i3] as number) ^
        (high[i2] as number) ^
        (high[i1] as number) ^
        (high[i0] as number)
    }
    for (; index < length; index += 1) {
      const entry = (lo ^ (bytes[index] as number)) & 255
      lo = ((lo >>> 8) | (hi << 24)) ^ (low[entry] as number)
      hi = (hi >>> 8) ^ (high[entry] as number)
    }
    this.#low = lo
    this.#high = hi
  }

  /** The CRC of all bytes so far, as an unsigned integer of 64 bits. */
  digest(): bigint {
    return ((BigInt(~this.#high >>> 0) << 32n) | BigInt(~this.#low >>> 0)) & ALL_ONES
  }
}

/** Joins the CRCs of parts that follow each other, so that parts can be hashed apart, in any order, and on other days. */
export class Crc64Chain {
  #crc = 0n
  // All parts of an upload but the last have few different sizes.
  readonly #shifts = new Map<number, bigint>()

  /** Adds the next part: its CRC and its length in bytes. */
  append(crc: bigint, bytes: number): void {
    let shift = this.#shifts.get(bytes)
    if (shift === undefined) {
      shift = powerOfX8(bytes)
      this.#shifts.set(bytes, shift)
    }
    this.#crc = multiply(shift, this.#crc) ^ crc
  }

  digest(): bigint {
    return this.#crc
  }
}

// Polynomials over GF(2) modulo ours, with the bits reflected: the highest bit is x^0.
function multiply(one: bigint, other: bigint): bigint {
  let product = 0n
  let factor = other
  for (let bit = 1n << 63n; bit > 0n; bit >>= 1n) {
    if ((one & bit) !== 0n) product ^= factor
    factor = (factor & 1n) === 0n ? factor >> 1n : (factor >> 1n) ^ POLYNOMIAL
  }
  return product
}

/** x to the power of eight times `bytes`: what that many bytes of zeros behind a message multiply its CRC with. */
function powerOfX8(bytes: number): bigint {
  let power = 1n << 63n
  let square = 1n << 55n
  for (let rest = bytes; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = multiply(power, square)
    square = multiply(square, square)
  }
  return power
}

function fillTables(): void {
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = BigInt(byte)
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1n) === 0n ? crc >> 1n : (crc >> 1n) ^ POLYNOMIAL
    set(byte, crc)
  }
  for (let index = 256; index < 2048; index += 1) {
    const before = entry(index - 256)
    set(index, (before >> 8n) ^ entry(Number(before & 255n)))
  }
}

function entry(index: number): bigint {
  return (BigInt((high[index] as number) >>> 0) << 32n) | BigInt((low[index] as number) >>> 0)
}

function set(index: number, crc: bigint): void {
  low[index] = Number(crc & 0xffff_ffffn) | 0
  high[index] = Number(crc >> 32n) | 0
}
