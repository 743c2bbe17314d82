import type { Random } from '../../long/seeded-random.js'
import type { Mutator } from '../fuzz-target.js'
import { mutateBytes } from './bytes.js'

/** Headers of pictures are far shorter: what is behind is coded data, which nothing here reads. */
const MAX_BIT_BYTES = 128

/** Changes of fields that begin and end within bytes, so that all that follows moves: exp-Golomb codes above all. */
export const mutateBits: Mutator = (input, random, corpus) => {
  if (input.byteLength === 0 || random.integer(3) === 0) return mutateBytes(input, random, corpus)
  const bits = bitsOf(input.subarray(0, MAX_BIT_BYTES))
  const steps = 1 + random.integer(4)
  for (let step = 0; step < steps; step++) {
    // The first byte is the NAL unit header, or the like: it is seldom worth a change.
    const at = Math.min(bits.length, 8 * random.integer(2) + random.integer(bits.length + 1))
    const kind = random.integer(5)
    if (kind === 0) bits[Math.min(at, bits.length - 1)] = random.integer(2)
    else if (kind === 1) bits.splice(at, 1 + random.integer(12))
    else if (kind === 2) bits.splice(at, random.integer(8), ...expGolomb(random))
    else if (kind === 3) bits.splice(at, 0, ...bits.slice(at, at + 1 + random.integer(32)))
    else bits.splice(at, 0, ...new Array<number>(1 + random.integer(33)).fill(random.integer(2)))
    if (bits.length === 0) bits.push(1)
  }
  const head = bytesOf(bits)
  const output = new Uint8Array(head.byteLength + Math.max(0, input.byteLength - MAX_BIT_BYTES))
  output.set(head)
  output.set(input.subarray(MAX_BIT_BYTES), head.byteLength)
  return output
}

/** A code of up to 65 bits: lengths are more even than values. */
function expGolomb(random: Random): number[] {
  const zeros = random.integer(random.integer(4) === 0 ? 33 : 10)
  const code = new Array<number>(zeros).fill(0)
  code.push(1)
  const fill = random.integer(3)
  for (let bit = 0; bit < zeros; bit++) code.push(fill === 2 ? random.integer(2) : fill)
  return code
}

function bitsOf(bytes: Uint8Array): number[] {
  const bits: number[] = []
  for (const byte of bytes) for (let bit = 7; bit >= 0; bit--) bits.push((byte >>> bit) & 1)
  return bits
}

function bytesOf(bits: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8))
  for (const [index, bit] of bits.entries()) bytes[index >> 3]! |= bit << (7 - (index & 7))
  return bytes
}
