import { type IngestMedia, NackGenerator, parseSdp, UlpfecDecoder } from '@rushes/ingest'
import { ConfigurationError } from '@rushes/media'
import { isRtcp, parseRtpPacket } from '@rushes/rtp-depacketizer'
import { parseRed, primaryOf } from '../../../packages/ingest/src/repair/red.js'
import { RedRestorer } from '../../../packages/ingest/src/repair/red-restorer.js'
import { readClockEchoes } from '../../../packages/ingest/src/rtcp/clock-echo.js'
import { capturedReports } from '../capture-seeds.js'
import { check, type FuzzTarget, unlessRefused } from '../fuzz-target.js'
import { mutateRtcp } from '../mutators/rtcp.js'
import { mutateSequence } from '../mutators/sequence.js'
import { mutateText } from '../mutators/text.js'
import { DELAYS_US, decodeSequence, withoutPackets } from '../packet-sequence.js'
import { lossySequences, repairedSequences } from '../repair-seeds.js'
import { DESCRIPTIONS } from '../sdp-seeds.js'
import { openSession, SessionWatch, sessionTarget } from './session-target.js'

/** What comes in from the network before it is a track: descriptions, repair, sessions. */
export const ingestTargets: readonly FuzzTarget[] = [
  {
    name: 'sdp',
    weight: 5,
    seeds: () => DESCRIPTIONS.map((text) => new TextEncoder().encode(text)),
    mutate: mutateText,
    run: runSdp,
  },
  {
    name: 'clock-echo',
    weight: 20,
    seeds: () => [...capturedReports('solo/alice-video', 6), ...ECHOES],
    mutate: mutateRtcp,
    run: runClockEcho,
  },
  {
    name: 'nack-generator',
    weight: 8,
    seeds: lossySequences,
    mutate: mutateSequence,
    withoutParts: withoutPackets,
    run: runNack,
  },
  {
    name: 'red',
    weight: 8,
    seeds: repairedSequences,
    mutate: mutateSequence,
    withoutParts: withoutPackets,
    run: runRed,
  },
  {
    name: 'ulpfec',
    weight: 8,
    seeds: repairedSequences,
    mutate: mutateSequence,
    withoutParts: withoutPackets,
    run: runUlpfec,
  },
  sessionTarget,
]

/** An extended report with the echo of a reference time (RFC 3611 §4.5). */
const ECHOES: readonly Uint8Array[] = [
  Uint8Array.of(0x80, 207, 0, 5, 0, 0, 0, 7, 5, 0, 0, 3, 0, 0, 0x12, 0x34, 0, 1, 0, 0, 0, 0, 0, 9),
  Uint8Array.of(
    0x80,
    207,
    0,
    8,
    0,
    0,
    0,
    7,
    4,
    0,
    0,
    2,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    5,
    0,
    0,
    3,
    0,
    0,
    0x12,
    0x34,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    9,
  ),
]

function runSdp(input: Uint8Array): void {
  const parsed = unlessRefused(ConfigurationError, () => parseSdp(new TextDecoder().decode(input)))
  if (parsed === undefined) return
  check(parsed.media.length > 0 && parsed.media.length <= 64, 'a description has sections')
  for (const media of parsed.media) checkMedia(media)
  const session = unlessRefused(ConfigurationError, () => openSession(parsed.media, new SessionWatch()))
  session?.announce()
  session?.close()
}

function checkMedia(media: IngestMedia): void {
  const isPort = (port: number): boolean => Number.isInteger(port) && port >= 0 && port <= 65_535
  check(isPort(media.port) && isPort(media.rtcpPort), 'ports have 16 bits')
  check(media.formats.length > 0, 'a section has a format')
  for (const { payloadType, clockRate, channels } of media.formats) {
    check(payloadType >= 0 && payloadType <= 127, 'payload types have 7 bits')
    check(Number.isSafeInteger(clockRate) && clockRate > 0, 'a clock has a rate')
    check(channels === undefined || (Number.isSafeInteger(channels) && channels > 0), 'there are channels')
  }
  for (const [from, to] of Object.entries(media.rtx)) {
    check(Number(from) <= 127 && Number.isInteger(to) && to >= 0 && to <= 127, 'payload types have 7 bits')
  }
  for (const [id, uri] of Object.entries(media.headerExtensions)) {
    check(Number(id) >= 1 && Number(id) <= 255 && typeof uri === 'string', 'extensions have numbers')
  }
}

function runClockEcho(input: Uint8Array): void {
  readClockEchoes(input, (item) => {
    check(item.type !== 'sender-clock' || item.offset + 28 <= input.byteLength, 'a report lies within the compound')
  })
}

function runNack(input: Uint8Array): void {
  const { options, packets } = decodeSequence(input)
  const maxMissing = (options & 1) === 0 ? 1000 : 16
  const nack = new NackGenerator({ maxMissing, ...((options & 2) === 0 ? {} : { reorderAllowanceUs: 0, maxTries: 1 }) })
  let nowUs = 0
  for (const { delay, bytes } of packets) {
    nowUs += DELAYS_US[delay]!
    const packet = isRtcp(bytes) ? 'too-short' : parseRtpPacket(bytes)
    if (typeof packet !== 'string') {
      nack.received(packet.sequenceNumber, nowUs)
      nack.isMissing(packet.sequenceNumber + 1)
    }
    for (const number of nack.due(nowUs)) check(number >= 0 && number <= 0xffff, 'sequence numbers have 16 bits')
    check(nack.size <= maxMissing, 'the list of missing packets stays within its bound')
    const deadlineUs = nack.nextDeadline()
    check(deadlineUs === undefined || deadlineUs > nowUs - 1_000_000, 'deadlines are ahead')
  }
  for (let turn = 1; turn <= 64 && nack.size > 0; turn++) nack.due(nowUs + turn * 500_000)
  check(nack.size === 0, 'no packet is waited for without end')
  const { missing, repaired, reordered, givenUp } = nack.stats
  check(missing === repaired + reordered + givenUp, 'every missing packet has an end')
}

function runRed(input: Uint8Array): void {
  const restorer = new RedRestorer()
  for (const { bytes } of decodeSequence(input).packets) {
    const packet = isRtcp(bytes) ? 'too-short' : parseRtpPacket(bytes)
    if (typeof packet === 'string') continue
    const blocks = parseRed(packet)
    if (blocks === undefined) continue
    let at = packet.payloadOffset
    for (const { start, end } of blocks) {
      check(start >= at && end >= start && end <= packet.payloadEnd, 'blocks lie within the payload, in order')
      at = end
    }
    const primary = blocks.at(-1)
    check(primary !== undefined, 'there is a primary block')
    check(typeof parseRtpPacket(primaryOf(packet, primary)) !== 'string', 'the primary is a packet')
    restorer.received(packet.sequenceNumber, packet.rtpTimestamp)
    restorer.restore(packet, blocks, (restored) => {
      check(typeof parseRtpPacket(restored) !== 'string', 'what is restored is a packet')
    })
  }
}

function runUlpfec(input: Uint8Array): void {
  const decoder = new UlpfecDecoder(7)
  let fecs = 0
  for (const { bytes } of decodeSequence(input).packets) {
    const packet = isRtcp(bytes) ? 'too-short' : parseRtpPacket(bytes)
    if (typeof packet === 'string') continue
    const emit = (recovered: Uint8Array): void => check(recovered.byteLength >= 12, 'what is recovered has a header')
    if (packet.payloadType === 100) {
      fecs++
      decoder.fec(packet.payload, emit)
    } else decoder.media(packet.sequenceNumber, bytes, emit)
  }
  const { packets, recovered, malformed, unused } = decoder.stats
  check(packets === fecs && recovered + malformed + unused <= fecs, 'every parity packet is counted once')
}
