/** What a receiver gets one after the other, as one input of the fuzzer. */

/** A packet and the time since the one before it; an empty packet stands for a tick of the clock. */
export interface SequencePacket {
  /** Index into {@link DELAYS_US}. */
  readonly delay: number
  readonly bytes: Uint8Array
}

/** A way to set up the receiver, and what it gets. */
export interface PacketSequence {
  /** 0 to 255: every bit is an option. */
  readonly options: number
  readonly packets: readonly SequencePacket[]
}

/** Microseconds between packets. */
export const DELAYS_US: readonly number[] = [
  0, 0, 0, 1000, 5000, 20_000, 33_000, 99_000, 100_000, 225_000, 500_000, 501_000, 2_000_000, 10_000_000, 60_000_000,
  4_000_000_000,
]

const RECORD_HEADER_BYTES = 3

/** As bytes: options, then per packet the delay, the length in 16 bits, and its bytes. */
export function encodeSequence({ options, packets }: PacketSequence): Uint8Array {
  let length = 1
  for (const { bytes } of packets) length += RECORD_HEADER_BYTES + bytes.byteLength
  const encoded = new Uint8Array(length)
  encoded[0] = options
  let at = 1
  for (const { delay, bytes } of packets) {
    encoded[at] = delay
    encoded[at + 1] = bytes.byteLength >>> 8
    encoded[at + 2] = bytes.byteLength & 0xff
    encoded.set(bytes, at + RECORD_HEADER_BYTES)
    at += RECORD_HEADER_BYTES + bytes.byteLength
  }
  return encoded
}

/** Reads any bytes: a length that goes beyond the end is what is left. Packets are views of one copy, as of a pool. */
export function decodeSequence(encoded: Uint8Array): PacketSequence {
  const packets: SequencePacket[] = []
  const copy = encoded.slice()
  let at = 1
  while (at + RECORD_HEADER_BYTES <= encoded.byteLength) {
    const length = (encoded[at + 1]! << 8) | encoded[at + 2]!
    const start = at + RECORD_HEADER_BYTES
    packets.push({ delay: encoded[at]! % DELAYS_US.length, bytes: copy.subarray(start, start + length) })
    at = start + length
  }
  return { options: encoded[0] ?? 0, packets }
}

/** For `withoutParts` of a target: the sequence without some of its packets. */
export function withoutPackets(encoded: Uint8Array, first: number, count: number): Uint8Array | undefined {
  const { options, packets } = decodeSequence(encoded)
  if (first >= packets.length) return undefined
  return encodeSequence({ options, packets: packets.toSpliced(first, count) })
}
