import type { Random } from '../../long/seeded-random.js'
import type { Mutator } from '../fuzz-target.js'

/** Inputs stay below this: what real parsers get in one piece is hardly longer. */
const MAX_BYTES = 65_536

const INTERESTING: readonly number[] = [0, 1, 2, 3, 4, 7, 8, 12, 16, 31, 32, 63, 64, 127, 128, 192, 200, 224, 254, 255]
const INTERESTING_16: readonly number[] = [0, 1, 2, 255, 256, 1023, 3000, 3001, 32_767, 32_768, 65_534, 65_535]
const INTERESTING_32: readonly number[] = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff, 0x0100_0000]

/** One of a list. */
export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.integer(list.length)] as T
}

/** `input` with `deleted` bytes at `at` replaced by `inserted`. */
export function splice(input: Uint8Array, at: number, deleted: number, inserted: Uint8Array): Uint8Array {
  const end = Math.min(input.byteLength, at + deleted)
  const output = new Uint8Array(at + inserted.byteLength + input.byteLength - end)
  output.set(input.subarray(0, at))
  output.set(inserted, at)
  output.set(input.subarray(end), at + inserted.byteLength)
  return output
}

/** Random bytes. */
export function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.integer(256))
}

/** Flips, integers, truncation, insertion, repetition, and splices with the corpus: what fits every format. */
export const mutateBytes: Mutator = (input, random, corpus) => {
  let output: Uint8Array = input.slice()
  const steps = 1 + (random.integer(2) === 0 ? 0 : random.integer(6))
  for (let step = 0; step < steps; step++) output = mutateOnce(output, random, corpus)
  return output.byteLength > MAX_BYTES ? output.subarray(0, MAX_BYTES) : output
}

// Most formats tell at their beginning what they are: half of all changes are made there.
function place(random: Random, length: number): number {
  return random.integer(random.integer(2) === 0 ? Math.min(length, 24) : length)
}

function mutateOnce(input: Uint8Array, random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  const { byteLength } = input
  if (byteLength === 0) return randomBytes(random, 1 + random.integer(16))
  const at = place(random, byteLength)
  const view = new DataView(input.buffer, input.byteOffset, byteLength)
  switch (random.integer(13)) {
    case 0:
      input[at]! ^= 1 << random.integer(8)
      return input
    case 1:
      input[at] = random.integer(256)
      return input
    case 2:
      input[at] = pick(random, INTERESTING)
      return input
    case 3:
      input[at] = input[at]! + random.integer(9) - 4
      return input
    case 4:
      if (at + 2 <= byteLength) view.setUint16(at, pick(random, INTERESTING_16), random.integer(4) === 0)
      return input
    case 5:
      if (at + 4 <= byteLength) view.setUint32(at, pick(random, INTERESTING_32), random.integer(4) === 0)
      return input
    case 6:
      // What a length field there would have to say of what follows, or nearly.
      if (at + 2 <= byteLength) view.setUint16(at, byteLength - at - 2 + random.integer(3) - 1)
      return input
    case 7:
      return input.slice(0, at)
    case 8:
      return splice(input, at, 1 + random.integer(8), new Uint8Array(0))
    case 9:
      return splice(input, at, 0, randomBytes(random, 1 + random.integer(8)))
    case 10: {
      const part = input.slice(at, at + 1 + random.integer(64))
      return splice(input, place(random, byteLength), random.integer(2) * part.byteLength, part)
    }
    case 11: {
      const other = pick(random, corpus)
      const from = random.integer(other.byteLength + 1)
      return splice(input, at, random.integer(2) * byteLength, other.subarray(from, from + 2048))
    }
    default:
      input.fill(pick(random, INTERESTING), at, at + 1 + random.integer(32))
      return input
  }
}
