import { opusPacketSamples } from '../opus/packet-duration.js'

/**
 * Opus packets in Ogg (RFC 3533, RFC 7845), one page each, without pre-skip: a decoder gives back exactly the samples
 * of the packets, in order. Times are not in it.
 */
export function writeOggOpus(packets: readonly Uint8Array[], channels: number): Uint8Array {
  const head = Buffer.alloc(19)
  head.write('OpusHead', 'latin1')
  head.writeUInt8(1, 8)
  head.writeUInt8(channels, 9)
  head.writeUInt32LE(48_000, 12)
  const tags = Buffer.alloc(16)
  tags.write('OpusTags', 'latin1')
  const pages = [page(head, 0, 0, 2), page(tags, 1, 0, 0)]
  let granule = 0
  for (const [index, packet] of packets.entries()) {
    granule += opusPacketSamples(packet)
    pages.push(page(packet, index + 2, granule, index === packets.length - 1 ? 4 : 0))
  }
  return Buffer.concat(pages)
}

/** RFC 3533 §6. A packet of up to 255 * 255 bytes fits; Opus packets are far smaller. */
function page(packet: Uint8Array, sequence: number, granule: number, flags: number): Buffer {
  const segments = Math.floor(packet.byteLength / 255) + 1
  const bytes = Buffer.alloc(27 + segments + packet.byteLength)
  bytes.write('OggS', 'latin1')
  bytes.writeUInt8(flags, 5)
  bytes.writeBigUInt64LE(BigInt(granule), 6)
  bytes.writeUInt32LE(1, 14)
  bytes.writeUInt32LE(sequence, 18)
  bytes.writeUInt8(segments, 26)
  bytes.fill(255, 27, 27 + segments - 1)
  bytes.writeUInt8(packet.byteLength % 255, 27 + segments - 1)
  bytes.set(packet, 27 + segments)
  bytes.writeUInt32LE(crc32Ogg(bytes), 22)
  return bytes
}

/** Polynomial 0x04C11DB7, start value 0, no reflection. */
function crc32Ogg(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 24
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1
  }
  return crc >>> 0
}
