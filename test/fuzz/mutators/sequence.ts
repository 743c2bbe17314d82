import { isRtcp } from '@rushes/rtp-depacketizer'
import type { Random } from '../../long/seeded-random.js'
import type { Mutator } from '../fuzz-target.js'
import { DELAYS_US, decodeSequence, encodeSequence, type SequencePacket } from '../packet-sequence.js'
import { mutateBytes, pick, randomBytes } from './bytes.js'
import { compoundFor, mutateRtcp } from './rtcp.js'
import { addSequence, addTimestamp, mutateRtpPacket, sequenceStep, setSsrc, timeStep } from './rtp.js'

/** Longer sequences tell no more, and cost. */
const MAX_PACKETS = 96

/** What networks and senders do to a run of packets, and what enemies do to single ones. */
export const mutateSequence: Mutator = (input, random, corpus) => {
  const { options, packets } = decodeSequence(input)
  const list = [...packets]
  const others = (): readonly SequencePacket[] => decodeSequence(pick(random, corpus)).packets
  const steps = 1 + random.integer(5)
  for (let step = 0; step < steps; step++) mutateList(list, random, others)
  if (list.length > MAX_PACKETS) list.length = MAX_PACKETS
  const newOptions = random.integer(4) === 0 ? random.integer(256) : options
  return encodeSequence({ options: newOptions, packets: list })
}

function mutateList(list: SequencePacket[], random: Random, others: () => readonly SequencePacket[]): void {
  if (list.length === 0) list.push(...others())
  if (list.length === 0) list.push({ delay: 0, bytes: randomBytes(random, 24) })
  const at = random.integer(list.length)
  const packet = list[at]!
  switch (random.integer(14)) {
    case 0:
      list.splice(at, 1 + (random.integer(4) === 0 ? random.integer(8) : 0))
      break
    case 1:
      list.splice(random.integer(list.length + 1), 0, packet)
      break
    case 2:
      list.splice(random.integer(list.length), 0, ...list.splice(at, 1 + random.integer(3)))
      break
    case 3:
      shiftFrom(list, at, random)
      break
    case 4:
      list[at] = { ...packet, delay: random.integer(DELAYS_US.length) }
      break
    case 5:
      list.splice(at, 0, { delay: random.integer(DELAYS_US.length), bytes: new Uint8Array(0) })
      break
    case 6:
      if (packet.bytes.byteLength >= 12) list.splice(at, 0, { delay: 0, bytes: compoundFor(packet.bytes, random) })
      break
    case 7:
      list.splice(at, 0, ...others().slice(random.integer(16)).slice(0, 12))
      break
    case 8:
      list.splice(at, 0, ...burst(packet, random))
      break
    default:
      list[at] = { ...packet, bytes: mutatePacket(packet.bytes, random, list) }
  }
}

function mutatePacket(bytes: Uint8Array, random: Random, list: readonly SequencePacket[]): Uint8Array {
  const corpus = [pick(random, list).bytes]
  if (random.integer(12) === 0) return mutateBytes(bytes, random, corpus)
  return isRtcp(bytes) ? mutateRtcp(bytes, random, corpus) : mutateRtpPacket(bytes, random, corpus)
}

/** From here on the source has other numbers: jumps, wraps and restarts. */
function shiftFrom(list: SequencePacket[], from: number, random: Random): void {
  const kind = random.integer(4)
  const sequence = kind === 1 ? 0 : sequenceStep(random)
  const time = kind === 0 ? 0 : timeStep(random)
  const ssrc = random.integer(2 ** 32)
  for (let index = from; index < list.length; index++) {
    const { bytes } = list[index]!
    if (isRtcp(bytes)) continue
    const moved = bytes.slice()
    if (kind === 3) setSsrc(moved, ssrc)
    addSequence(moved, sequence)
    addTimestamp(moved, time)
    list[index] = { ...list[index]!, bytes: moved }
  }
}

/** One packet many times over, each with the next sequence number, in a picture or in pictures of its own. */
function burst(packet: SequencePacket, random: Random): SequencePacket[] {
  const time = pick(random, [0, 0, 960, 3000])
  const stride = pick(random, [1, 1, 2, -1])
  return Array.from({ length: 1 + random.integer(32) }, (_, index) => {
    const bytes = packet.bytes.slice()
    addSequence(bytes, (index + 1) * stride)
    addTimestamp(bytes, (index + 1) * time)
    return { delay: 0, bytes }
  })
}
