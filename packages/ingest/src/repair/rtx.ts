import type { RtpPacket } from '@rushes/rtp-depacketizer'

/** The two bytes in front of the payload: the original sequence number (RFC 4588 §4). */
const OSN_BYTES = 2

/** The original sequence number that a retransmission carries, or -1 where it is padding, as senders probe with. */
export function originalSequenceNumber(packet: RtpPacket): number {
  const at = packet.payloadOffset
  if (packet.payloadEnd - at < OSN_BYTES) return -1
  return (packet.bytes[at]! << 8) | packet.bytes[at + 1]!
}

/**
 * The packet that a retransmission stands for (RFC 4588 §4): the SSRC and payload type of the original, its sequence
 * number from the payload; marker, timestamp, CSRCs and header extensions as they are; without padding. The packet must
 * carry a payload: see {@link originalSequenceNumber}.
 */
export function unwrapRtx(packet: RtpPacket, ssrc: number, payloadType: number): Uint8Array {
  const { bytes, payloadOffset, payloadEnd } = packet
  const original = new Uint8Array(payloadEnd - OSN_BYTES)
  original.set(bytes.subarray(0, payloadOffset))
  original.set(bytes.subarray(payloadOffset + OSN_BYTES, payloadEnd), payloadOffset)
  const view = new DataView(original.buffer)
  original[0] = original[0]! & ~0x20
  original[1] = (original[1]! & 0x80) | payloadType
  original[2] = bytes[payloadOffset]!
  original[3] = bytes[payloadOffset + 1]!
  view.setUint32(8, ssrc)
  return original
}
