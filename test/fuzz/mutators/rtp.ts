import { parseRtpPacket } from '@rushes/rtp-depacketizer'
import type { Random } from '../../long/seeded-random.js'
import type { Mutator } from '../fuzz-target.js'
import { mutateBytes, pick, splice } from './bytes.js'

const SEQUENCE_STEPS: readonly number[] = [1, -1, 2, -2, 15, 100, 1500, 2999, 3000, 3001, -3000, -3001, 32_767, 32_768]
const TIME_STEPS: readonly number[] = [1, -1, 960, 3000, -3000, 90_000, 900_001, -900_001, 0x7fff_ffff, 0x8000_0000]
/** Payload headers of all formats: NAL unit types and aggregation, fragments, descriptors, OBU aggregation. */
const FIRST_BYTES: readonly number[] = [
  0x65, 0x67, 0x68, 0x41, 0x61, 0x78, 0x7c, 0x5c, 0x79, 0x7a, 0x7b, 0x7d, 0x60, 0x62, 0x64, 0x40, 0x42, 0x44, 0x26,
  0x2a, 0x02, 0x10, 0x90, 0x80, 0x00, 0xff, 0x18, 0x08, 0xf8, 0x50, 0xd0, 0x30, 0x20,
]

function view(packet: Uint8Array): DataView {
  return new DataView(packet.buffer, packet.byteOffset, packet.byteLength)
}

/** Moves the sequence number; `packet` must have a header. */
export function addSequence(packet: Uint8Array, step: number): void {
  if (packet.byteLength >= 4) view(packet).setUint16(2, (view(packet).getUint16(2) + step) & 0xffff)
}

/** Moves the timestamp. */
export function addTimestamp(packet: Uint8Array, step: number): void {
  if (packet.byteLength >= 8) view(packet).setUint32(4, (view(packet).getUint32(4) + step) >>> 0)
}

/** Sets the SSRC. */
export function setSsrc(packet: Uint8Array, ssrc: number): void {
  if (packet.byteLength >= 12) view(packet).setUint32(8, ssrc)
}

export function sequenceStep(random: Random): number {
  return random.integer(3) === 0 ? random.integer(65_536) : pick(random, SEQUENCE_STEPS)
}

export function timeStep(random: Random): number {
  return random.integer(3) === 0 ? random.integer(2 ** 32) : pick(random, TIME_STEPS)
}

/** One RTP packet: its header fields, its header extensions, its padding, its payload. */
export const mutateRtpPacket: Mutator = (input, random, corpus) => {
  const packet = input.slice()
  if (packet.byteLength < 12) return mutateBytes(packet, random, corpus)
  switch (random.integer(12)) {
    case 0:
      addSequence(packet, sequenceStep(random))
      return packet
    case 1:
      addTimestamp(packet, timeStep(random))
      return packet
    case 2:
      packet[1]! ^= 0x80
      return packet
    case 3:
      packet[0]! ^= pick(random, [0x01, 0x0f, 0x10, 0x20, 0x30, 0x40, 0x80])
      return packet
    case 4:
      packet[1] = (packet[1]! & 0x80) | random.integer(128)
      return packet
    case 5: {
      packet[0]! |= 0x20
      packet[packet.byteLength - 1] = random.integer(packet.byteLength + 2)
      return packet
    }
    case 6:
      return withExtensions(packet, random)
    case 7:
      return packet.slice(0, random.integer(packet.byteLength))
    case 8:
      return mutateBytes(packet, random, corpus)
    default:
      return mutatePayload(packet, random, corpus)
  }
}

function mutatePayload(packet: Uint8Array, random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  const parsed = parseRtpPacket(packet)
  if (typeof parsed === 'string' || parsed.payloadOffset >= parsed.payloadEnd) {
    return mutateBytes(packet, random, corpus)
  }
  const { payloadOffset: start, payloadEnd: end } = parsed
  const at = start + random.integer(random.integer(2) === 0 ? Math.min(8, end - start) : end - start)
  switch (random.integer(7)) {
    case 0:
      packet[start] = pick(random, FIRST_BYTES)
      return packet
    case 1:
      // The start and end bits of fragments, and the bits that announce more fields.
      if (start + 1 < end) packet[start + 1] = random.integer(256)
      return packet
    case 2:
      if (at + 1 < end) packet.set([random.integer(5) === 0 ? 0xff : 0, random.integer(256)], at)
      return packet
    case 3:
      // LEB128 that goes on for long, or overflows.
      packet.fill(pick(random, [0x80, 0xff, 0x81]), at, Math.min(end, at + 1 + random.integer(10)))
      return packet
    case 4:
      return packet.slice(0, at)
    case 5:
      return splice(packet, at, random.integer(4), Uint8Array.of(random.integer(256), random.integer(256)))
    default: {
      const payload = mutateBytes(packet.subarray(start, end), random, corpus)
      return splice(packet, start, end - start, payload)
    }
  }
}

/** Puts a header extension in, or changes its form or length. */
function withExtensions(packet: Uint8Array, random: Random): Uint8Array {
  const at = 12 + (packet[0]! & 0x0f) * 4
  if ((packet[0]! & 0x10) !== 0) {
    if (at + 4 <= packet.byteLength) {
      const field = random.integer(3)
      if (field === 0) view(packet).setUint16(at, pick(random, [0xbede, 0x1000, 0x100f, 0, 0xffff]))
      else if (field === 1) view(packet).setUint16(at + 2, pick(random, [0, 1, 2, 255, 0x4000, 0xffff]))
      else packet[Math.min(packet.byteLength - 1, at + 4 + random.integer(8))] = random.integer(256)
    }
    return packet
  }
  packet[0]! |= 0x10
  const words = random.integer(4)
  const extension = new Uint8Array(4 + words * 4)
  view(extension).setUint16(0, pick(random, [0xbede, 0x1000]))
  view(extension).setUint16(2, words + (random.integer(8) === 0 ? 1 : 0))
  for (let i = 4; i < extension.byteLength; i++) extension[i] = random.integer(random.integer(2) === 0 ? 64 : 256)
  return splice(packet, Math.min(at, packet.byteLength), 0, extension)
}
