import type { Random } from '../../long/seeded-random.js'
import type { Mutator } from '../fuzz-target.js'
import { mutateBytes, pick, splice } from './bytes.js'

const TYPES: readonly number[] = [192, 200, 201, 202, 203, 204, 205, 206, 207, 208, 223]

/** RTCP compounds: counts, lengths, types and padding of the packets in it, and their order. */
export const mutateRtcp: Mutator = (input, random, corpus) => {
  const compound = input.slice()
  const starts = startsOf(compound)
  const at = starts.length === 0 ? 0 : pick(random, starts)
  if (at + 4 > compound.byteLength) return mutateBytes(compound, random, corpus)
  const view = new DataView(compound.buffer)
  const length = 4 + view.getUint16(at + 2) * 4
  switch (random.integer(9)) {
    case 0:
      compound[at] = (compound[at]! & 0xe0) | random.integer(32)
      return compound
    case 1:
      compound[at + 1] = pick(random, TYPES)
      return compound
    case 2:
      view.setUint16(at + 2, pick(random, [0, 1, 2, 5, 6, 7, 12, 255, 0x3fff, 0xffff]))
      return compound
    case 3:
      compound[at]! ^= 0x20
      compound[Math.min(compound.byteLength, at + length) - 1] = random.integer(256)
      return compound
    case 4:
      return splice(compound, at, length, new Uint8Array(0))
    case 5:
      return splice(compound, at, 0, compound.slice(at, at + length))
    case 6: {
      const other = pick(random, corpus)
      const from = pick(random, [0, ...startsOf(other)])
      return splice(compound, at, 0, other.subarray(from, from + 256))
    }
    default:
      return mutateBytes(compound, random, corpus)
  }
}

function startsOf(compound: Uint8Array): number[] {
  const starts: number[] = []
  for (let at = 0; at + 4 <= compound.byteLength; ) {
    starts.push(at)
    at += 4 + ((compound[at + 2]! << 8) | compound[at + 3]!) * 4
  }
  return starts
}

/** A compound of a sender report, SDES with a CNAME, and a BYE at times, for the source of `packet`. */
export function compoundFor(packet: Uint8Array, random: Random): Uint8Array {
  const ssrc = packet.subarray(8, 12)
  const time = packet.subarray(4, 8)
  const hasBye = random.integer(6) === 0
  const compound = new Uint8Array(28 + 20 + (hasBye ? 8 : 0))
  const view = new DataView(compound.buffer)
  view.setUint32(0, 0x80c8_0006)
  compound.set(ssrc, 4)
  view.setUint32(8, pick(random, [0, 0xe000_0000, 0xe000_0001, 0xffff_ffff, 0x7fff_ffff, random.integer(2 ** 32)]))
  view.setUint32(12, pick(random, [0, 0x8000_0000, 0xffff_ffff, random.integer(2 ** 32)]))
  compound.set(time, 16)
  view.setUint32(28, 0x81ca_0004)
  compound.set(ssrc, 32)
  compound.set(
    [1, 8, ...new TextEncoder().encode(pick(random, ['fuzzfuzz', 'alice@12', '\u0000\u0000\u0000\u00ff\u00ff..']))],
    36,
  )
  if (!hasBye) return compound
  view.setUint32(48, 0x81cb_0001)
  compound.set(ssrc, 52)
  return compound
}
