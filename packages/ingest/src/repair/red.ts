import type { RtpPacket } from '@rushes/rtp-depacketizer'

/** One block of a redundant payload (RFC 2198 §3). */
export interface RedBlock {
  readonly payloadType: number
  /** Ticks by which the block is older than the packet; 0 for the last block, the primary one. */
  readonly timestampOffset: number
  /** Offsets into the packet's bytes. */
  readonly start: number
  readonly end: number
}

/** The blocks of a packet, the primary one last, or `undefined` where the payload is no such thing. */
export function parseRed(packet: RtpPacket): RedBlock[] | undefined {
  const { bytes, payloadOffset, payloadEnd } = packet
  const headers: { payloadType: number; timestampOffset: number; length: number }[] = []
  let at = payloadOffset
  for (;;) {
    if (at >= payloadEnd) return undefined
    const first = bytes[at]!
    if (first < 0x80) {
      headers.push({ payloadType: first, timestampOffset: 0, length: -1 })
      at++
      break
    }
    if (at + 4 > payloadEnd) return undefined
    const rest = (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
    headers.push({ payloadType: first & 0x7f, timestampOffset: rest >>> 10, length: rest & 0x3ff })
    at += 4
  }
  const blocks: RedBlock[] = []
  for (const { payloadType, timestampOffset, length } of headers) {
    const end = length < 0 ? payloadEnd : at + length
    if (end > payloadEnd) return undefined
    blocks.push({ payloadType, timestampOffset, start: at, end })
    at = end
  }
  return blocks
}

/** The packet that the primary block stands for: as the redundant one, header extensions included, without padding. */
export function primaryOf(packet: RtpPacket, primary: RedBlock): Uint8Array {
  const { bytes, payloadOffset } = packet
  const plain = new Uint8Array(payloadOffset + primary.end - primary.start)
  plain.set(bytes.subarray(0, payloadOffset))
  plain.set(bytes.subarray(primary.start, primary.end), payloadOffset)
  plain[0] = plain[0]! & ~0x20
  plain[1] = (plain[1]! & 0x80) | primary.payloadType
  return plain
}

/**
 * Stands in for a packet that carries no media, such as FEC: a bare header. Its sequence number is then no gap, and
 * depacketizers take it for the padding that it is to them.
 */
export function emptyPacket(packet: RtpPacket, payloadType: number): Uint8Array {
  // Not slice: of a Buffer that would be a view.
  const empty = new Uint8Array(packet.bytes.subarray(0, 12))
  empty[0] = 0x80
  empty[1] = payloadType
  return empty
}
