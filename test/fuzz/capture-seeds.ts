import { readFileSync } from 'node:fs'
import { isRtcp, parseRtpPacket } from '@rushes/rtp-depacketizer'
import { parseRtpdump, type RtpdumpRecord } from '@rushes/take'
import { DELAYS_US, encodeSequence, type SequencePacket } from './packet-sequence.js'

/** Most payload bytes of a shortened packet: more than any header that a depacketizer reads. */
const SHORT_PAYLOAD_BYTES = 72
const SEQUENCE_PACKETS = 28

/** A file of the repository, by its path from the top. */
export function repositoryFile(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../${path}`, import.meta.url)))
}

/** The records of a captured track, `solo/alice-video` or `codecs/vp8`. */
export function captureRecords(capture: string): readonly RtpdumpRecord[] {
  return parseRtpdump(repositoryFile(`test/fixtures/${capture}.rtpdump`)).records
}

/** Captured RTP packets, evenly taken from the whole capture. */
export function capturedPackets(capture: string, count: number): Uint8Array[] {
  return evenly(
    captureRecords(capture).flatMap(({ rtcp, data }) => (rtcp ? [] : [data])),
    count,
  )
}

/** Captured RTCP compounds. */
export function capturedReports(capture: string, count: number): Uint8Array[] {
  return evenly(
    captureRecords(capture).flatMap(({ rtcp, data }) => (rtcp ? [data] : [])),
    count,
  )
}

/**
 * Runs of packets from the beginning of a capture, where its first keyframe is, and from places within; most of them
 * with short payloads, so that a second's worth of headers costs no more than a packet.
 */
export function capturedSequences(capture: string, count: number): Uint8Array[] {
  const records = captureRecords(capture)
  return Array.from({ length: count }, (_, index) => {
    const from = index < 2 ? 0 : Math.floor((records.length * (index - 1)) / count)
    const packets: SequencePacket[] = []
    let lastMs = records[from]?.offsetMs ?? 0
    for (const { data, offsetMs } of records.slice(from, from + SEQUENCE_PACKETS)) {
      packets.push({ delay: delayCode((offsetMs - lastMs) * 1000), bytes: index === 0 ? data : shorten(data) })
      lastMs = offsetMs
    }
    return encodeSequence({ options: 0, packets })
  })
}

/** The same packet with the beginning of its payload only. */
export function shorten(packet: Uint8Array): Uint8Array {
  const parsed = isRtcp(packet) ? 'rtcp' : parseRtpPacket(packet)
  if (typeof parsed === 'string' || parsed.paddingBytes > 0) return packet
  return packet.slice(0, parsed.payloadOffset + SHORT_PAYLOAD_BYTES)
}

function delayCode(delayUs: number): number {
  let nearest = 0
  for (const [code, us] of DELAYS_US.entries()) {
    if (Math.abs(us - delayUs) < Math.abs(DELAYS_US[nearest]! - delayUs)) nearest = code
  }
  return nearest
}

function evenly<T>(list: readonly T[], count: number): T[] {
  if (list.length <= count) return [...list]
  return Array.from({ length: count }, (_, index) => list[Math.floor((index * list.length) / count)] as T)
}
