import { isRtcp, parseRtcpCompound, parseRtpPacket, type RtpPacket, serializeRtpPacket } from '@rushes/rtp-depacketizer'
import { Insertion, ReorderBuffer } from '../../../packages/rtp-depacketizer/src/reorder-buffer.js'
import { capturedPackets, capturedReports, capturedSequences } from '../capture-seeds.js'
import { check, type FuzzTarget } from '../fuzz-target.js'
import { mutateRtcp } from '../mutators/rtcp.js'
import { mutateRtpPacket } from '../mutators/rtp.js'
import { mutateSequence } from '../mutators/sequence.js'
import { DELAYS_US, decodeSequence, withoutPackets } from '../packet-sequence.js'

/** RTP and RTCP packets, and the buffer that puts them in order. */
export const rtpTargets: readonly FuzzTarget[] = [
  {
    name: 'rtp-packet',
    weight: 30,
    seeds: () =>
      [
        ...capturedPackets('solo/alice-video', 12),
        ...capturedPackets('mutes/alice-audio', 8),
        ...capturedPackets('codecs/av1-l3t3-key', 8),
        ...capturedPackets('codecs/vp9-l3t3', 8),
      ].map((packet) => packet.slice(0, 160)),
    mutate: mutateRtpPacket,
    run: runRtpPacket,
  },
  {
    name: 'rtcp-compound',
    weight: 30,
    seeds: () => [...capturedReports('solo/alice-video', 8), ...capturedReports('rejoin/bob-audio', 8)],
    mutate: mutateRtcp,
    run: runRtcp,
  },
  {
    name: 'reorder-buffer',
    weight: 6,
    seeds: () => capturedSequences('lossy/alice-video', 8),
    mutate: mutateSequence,
    withoutParts: withoutPackets,
    run: runReorderBuffer,
  },
]

function runRtpPacket(input: Uint8Array): void {
  isRtcp(input)
  const packet = parseRtpPacket(input)
  if (typeof packet === 'string') return
  const { payloadOffset, payloadEnd, paddingBytes, payload, csrcs, headerExtensions } = packet
  check(payloadOffset >= 12 && payloadOffset <= payloadEnd, 'the payload begins behind the header')
  check(payloadEnd + paddingBytes === input.byteLength, 'padding follows the payload')
  check(payload.byteLength === payloadEnd - payloadOffset, 'the payload is a view of its range')
  check(csrcs.length <= 15, 'at most 15 CSRCs')
  for (const { id, data } of headerExtensions) {
    check(id >= 0 && id <= 255, 'ids of header extensions have a byte')
    check(data.buffer === input.buffer && data.byteLength <= 255, 'header extensions are views')
    const first = headerExtensions.find((extension) => extension.id === id && extension.data.byteLength > 0)
    check(packet.headerExtensionByte(id) === (first?.data[0] ?? -1), 'the look at one extension agrees with the list')
  }
  checkRoundTrip(packet)
}

function checkRoundTrip(packet: RtpPacket): void {
  const { marker, payloadType, sequenceNumber, rtpTimestamp, ssrc, payload } = packet
  const again = parseRtpPacket(serializeRtpPacket({ marker, payloadType, sequenceNumber, rtpTimestamp, ssrc, payload }))
  check(
    typeof again !== 'string' &&
      again.marker === marker &&
      again.payloadType === payloadType &&
      again.sequenceNumber === sequenceNumber &&
      again.rtpTimestamp === rtpTimestamp &&
      again.ssrc === ssrc &&
      again.payload.byteLength === payload.byteLength,
    'what is written reads the same',
  )
}

function runRtcp(input: Uint8Array): void {
  isRtcp(input)
  const { packets } = parseRtcpCompound(input)
  check(packets.length * 4 <= input.byteLength, 'each packet has four bytes at least')
  for (const packet of packets) {
    if (packet.type === 'sender-report' && packet.ntpUs !== undefined) {
      check(Number.isSafeInteger(packet.ntpUs), 'NTP times are safe integers')
    }
    if (packet.type === 'sender-report' || packet.type === 'receiver-report') {
      check(packet.reports.length <= 31, 'at most 31 report blocks')
    }
  }
}

/** What goes in comes out once, in order, or is counted; what is held stays within its bounds. */
function runReorderBuffer(input: Uint8Array): void {
  const { options, packets } = decodeSequence(input)
  const limits = {
    maxPackets: (options & 1) === 0 ? 2048 : 4,
    maxBytes: (options & 2) === 0 ? 8_388_608 : 2000,
    maxDelayUs: 500_000,
    startPackets: (options & 4) === 0 ? 16 : 1,
    startDelayUs: 100_000,
  }
  const counters = { duplicates: 0, reordered: 0, late: 0, lost: 0 }
  let held = new Set<RtpPacket>()
  let heldBytes = 0
  let last: number | undefined
  let delivered = 0
  let expectedLost = 0
  const buffer = new ReorderBuffer(limits, counters, {
    deliver(packet, lost) {
      delivered++
      expectedLost += lost
      if (held.delete(packet)) heldBytes -= packet.bytes.byteLength
      const step = last === undefined ? lost + 1 : (packet.sequenceNumber - last) & 0xffff
      check(step === ((lost + 1) & 0xffff), 'packets come in order, with what is lost between them')
      last = packet.sequenceNumber
    },
  })
  let nowUs = 0
  let taken = 0
  for (const { delay, bytes } of packets) {
    nowUs += DELAYS_US[delay]!
    buffer.expire(nowUs)
    const packet = parseRtpPacket(bytes)
    if (typeof packet === 'string' || isRtcp(bytes)) continue
    packet.arrivalUs = (options & 8) === 0 ? nowUs : undefined
    const before = counters.late + counters.duplicates + delivered + buffer.size
    const insertion = buffer.push(packet)
    if (insertion >= Insertion.jumpedAhead) continue
    taken++
    check(counters.late + counters.duplicates + delivered + buffer.size === before + 1, 'every packet has its place')
    if (insertion === Insertion.held && buffer.size > 0) {
      held.add(packet)
      heldBytes += bytes.byteLength
    }
    check(buffer.size <= Math.max(limits.maxPackets, limits.startPackets), 'packets held stay within their bound')
    if (buffer.size === 0) {
      held = new Set()
      heldBytes = 0
    }
    const startBytes = limits.startPackets * 65_535
    check(heldBytes <= limits.maxBytes + startBytes, 'bytes held stay within their bound')
    const deadlineUs = buffer.nextDeadline()
    check(deadlineUs === undefined || packet.arrivalUs !== undefined, 'no deadline without arrival times')
  }
  buffer.flush()
  check(buffer.size === 0, 'a flush leaves nothing')
  check(counters.lost === expectedLost, 'lost packets are told once')
  check(delivered + counters.late + counters.duplicates === taken, 'every packet is delivered or counted')
}
