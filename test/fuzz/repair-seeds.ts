import { parseRtpPacket, type RtpPacket, serializeRtpPacket } from '@rushes/rtp-depacketizer'
import { capturedSequences, captureRecords, shorten } from './capture-seeds.js'
import { encodeSequence } from './packet-sequence.js'

const SSRC = 7
const RTX_SSRC = 8
const PAYLOAD_TYPE = { h264: 96, rtx: 97, red: 98, ulpfec: 100, opus: 111, opusRed: 63 } as const

/** Captured packets of a network that lost some and brought others late. */
export function lossySequences(): Uint8Array[] {
  return [...capturedSequences('lossy/alice-video', 5), ...capturedSequences('lossy/alice-audio', 4)]
}

/** Captured media with the repair that senders add to it: retransmissions, redundant blocks, parity. */
export function repairedSequences(): Uint8Array[] {
  const video = media('solo/alice-video', 20, PAYLOAD_TYPE.h264)
  const audio = media('solo/alice-audio', 20, PAYLOAD_TYPE.opus)
  return [withRtx(video), withFec(video, false), withFec(video, true), withRed(audio, 1), withRed(audio, 2)].map(
    (packets) => encodeSequence({ options: 3, packets: packets.map((bytes) => ({ delay: 4, bytes })) }),
  )
}

function media(capture: string, count: number, payloadType: number): Uint8Array[] {
  const first = captureRecords(capture).filter(({ rtcp }) => !rtcp)
  return first.slice(0, count * 2).flatMap(({ data }) => {
    const packet = parseRtpPacket(shorten(data))
    if (typeof packet === 'string' || packet.payload.byteLength === 0) return []
    return [serializeRtpPacket({ ...fieldsOf(packet), ssrc: SSRC, payloadType })]
  })
}

function fieldsOf({ marker, payloadType, sequenceNumber, rtpTimestamp, ssrc, payload }: RtpPacket) {
  return { marker, payloadType, sequenceNumber, rtpTimestamp, ssrc, payload }
}

function parsed(bytes: Uint8Array): RtpPacket {
  const packet = parseRtpPacket(bytes)
  if (typeof packet === 'string') throw new Error(`a seed is no packet: ${packet}`)
  return packet
}

/** Every third packet comes only as a retransmission, four packets late (RFC 4588). */
function withRtx(packets: readonly Uint8Array[]): Uint8Array[] {
  return packets.flatMap((bytes, index) => {
    const late = packets[index - 4]
    const sent = index % 3 === 0 ? [] : [bytes]
    if (late === undefined || index % 3 !== 1) return sent
    const packet = parsed(late)
    const payload = Uint8Array.of(packet.sequenceNumber >> 8, packet.sequenceNumber & 255, ...packet.payload)
    const fields = { ...fieldsOf(packet), payload, ssrc: RTX_SSRC, payloadType: PAYLOAD_TYPE.rtx }
    return [...sent, serializeRtpPacket({ ...fields, sequenceNumber: index })]
  })
}

/** Behind each four packets their parity (RFC 5109), of which one packet never comes; in RED or alone. */
function withFec(packets: readonly Uint8Array[], inRed: boolean): Uint8Array[] {
  const sent: Uint8Array[] = []
  for (let from = 0; from + 4 <= packets.length; from += 4) {
    const group = packets.slice(from, from + 4)
    const last = parsed(group[3]!)
    sent.push(...group.filter((_, index) => index !== (from / 4) % 4).map((bytes) => (inRed ? asRed(bytes) : bytes)))
    const parity = parityOf(group)
    const payload = inRed ? Uint8Array.of(PAYLOAD_TYPE.ulpfec, ...parity) : parity
    const payloadType = inRed ? PAYLOAD_TYPE.red : PAYLOAD_TYPE.ulpfec
    // A number beside those of the media: real senders count on, which a mutation does as well.
    sent.push(serializeRtpPacket({ ...fieldsOf(last), payload, payloadType, marker: false }))
  }
  return sent
}

function asRed(bytes: Uint8Array): Uint8Array {
  const packet = parsed(bytes)
  const payload = Uint8Array.of(packet.payloadType, ...packet.payload)
  return serializeRtpPacket({ ...fieldsOf(packet), payload, payloadType: PAYLOAD_TYPE.red })
}

function parityOf(group: readonly Uint8Array[]): Uint8Array {
  const length = Math.max(...group.map((bytes) => bytes.byteLength)) - 12
  const parity = new Uint8Array(14 + length)
  for (const bytes of group) {
    for (const at of [0, 1, 4, 5, 6, 7]) parity[at]! ^= bytes[at]!
    parity[8]! ^= (bytes.byteLength - 12) >> 8
    parity[9]! ^= (bytes.byteLength - 12) & 255
    for (let at = 12; at < bytes.byteLength; at++) parity[at + 2]! ^= bytes[at]!
  }
  parity[0]! &= 0x3f
  parity.set(group[0]!.subarray(2, 4), 2)
  parity.set([length >> 8, length & 255, 0xf0, 0], 10)
  return parity
}

/** Opus with the frames before it (RFC 2198); every fourth packet is missing. */
function withRed(packets: readonly Uint8Array[], depth: number): Uint8Array[] {
  return packets.flatMap((bytes, index) => {
    if (index < depth || index % 4 === 2) return []
    const packet = parsed(bytes)
    const older = packets.slice(index - depth, index).map(parsed)
    const headers = older.flatMap(({ rtpTimestamp, payload }) => {
      const word = ((((packet.rtpTimestamp - rtpTimestamp) >>> 0) & 0x3fff) << 10) | (payload.byteLength & 0x3ff)
      return [0x80 | PAYLOAD_TYPE.opus, (word >> 16) & 255, (word >> 8) & 255, word & 255]
    })
    const blocks = older.flatMap(({ payload }) => [...payload])
    const payload = Uint8Array.of(...headers, PAYLOAD_TYPE.opus, ...blocks, ...packet.payload)
    return [serializeRtpPacket({ ...fieldsOf(packet), payload, payloadType: PAYLOAD_TYPE.opusRed })]
  })
}
