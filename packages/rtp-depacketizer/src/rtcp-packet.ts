import { ntpToUnixUs } from './ntp-time.js'

/** What one source tells of another that it receives (RFC 3550 §6.4.1). */
export interface RtcpReportBlock {
  readonly ssrc: number
  /** Of 256. */
  readonly fractionLost: number
  /** Signed. */
  readonly cumulativeLost: number
  readonly extendedHighestSequenceNumber: number
  /** Ticks of the RTP clock. */
  readonly jitter: number
}

/** One packet of a compound, as far as it is of use here. */
export type RtcpPacket =
  | {
      readonly type: 'sender-report'
      readonly ssrc: number
      /** Microseconds since 1970; `undefined` where the sender has no clock and says 0. */
      readonly ntpUs: number | undefined
      /** As on the wire, 0 to 2^32 - 1. */
      readonly rtpTimestamp: number
      readonly packetCount: number
      readonly octetCount: number
      readonly reports: readonly RtcpReportBlock[]
    }
  | { readonly type: 'receiver-report'; readonly ssrc: number; readonly reports: readonly RtcpReportBlock[] }
  | { readonly type: 'source-description'; readonly chunks: readonly { ssrc: number; cname: string | undefined }[] }
  | { readonly type: 'bye'; readonly ssrcs: readonly number[] }
  /** APP, RTPFB, PSFB, XR and all that is to come: passed over. */
  | { readonly type: 'other'; readonly packetType: number }

/** A compound, as far as it could be read. */
export interface RtcpCompound {
  readonly packets: readonly RtcpPacket[]
  /** The rest could not be read. */
  readonly damaged: boolean
}

const SDES_CNAME = 1

/**
 * Whether bytes that came where RTP comes are RTCP (RFC 5761 §4): the second byte is 192 to 223, which as RTP would be
 * a marker and a payload type of 64 to 95.
 */
export function isRtcp(bytes: Uint8Array): boolean {
  const second = bytes[1]!
  return second >= 192 && second <= 223 && bytes.byteLength >= 4 && bytes[0]! >>> 6 === 2
}

/** Parses a compound (RFC 3550 §6.1), or a lone packet (RFC 5506). Stops where it cannot be read; never throws. */
export function parseRtcpCompound(bytes: Uint8Array): RtcpCompound {
  const packets: RtcpPacket[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let offset = 0
  while (offset < bytes.byteLength) {
    if (offset + 4 > bytes.byteLength || bytes[offset]! >>> 6 !== 2) return { packets, damaged: true }
    let end = offset + 4 + view.getUint16(offset + 2) * 4
    const next = end
    if (end > bytes.byteLength) return { packets, damaged: true }
    if ((bytes[offset]! & 0x20) !== 0) end -= bytes[end - 1]!
    const packet = end < offset + 4 ? undefined : readPacket(view, offset, end)
    if (packet === undefined) return { packets, damaged: true }
    packets.push(packet)
    offset = next
  }
  return { packets, damaged: bytes.byteLength === 0 }
}

function readPacket(view: DataView, start: number, end: number): RtcpPacket | undefined {
  const count = view.getUint8(start) & 0x1f
  const packetType = view.getUint8(start + 1)
  if (packetType === 200) return readSenderReport(view, start + 4, end, count)
  if (packetType === 201) {
    if (start + 8 + count * 24 > end) return undefined
    return { type: 'receiver-report', ssrc: view.getUint32(start + 4), reports: readReports(view, start + 8, count) }
  }
  if (packetType === 202) return readSourceDescription(view, start + 4, end, count)
  if (packetType === 203) {
    if (start + 4 + count * 4 > end) return undefined
    return { type: 'bye', ssrcs: Array.from({ length: count }, (_, index) => view.getUint32(start + 4 + index * 4)) }
  }
  return { type: 'other', packetType }
}

function readSenderReport(view: DataView, start: number, end: number, count: number): RtcpPacket | undefined {
  if (start + 24 + count * 24 > end) return undefined
  const seconds = view.getUint32(start + 4)
  const fraction = view.getUint32(start + 8)
  return {
    type: 'sender-report',
    ssrc: view.getUint32(start),
    ntpUs: seconds === 0 && fraction === 0 ? undefined : ntpToUnixUs(seconds, fraction),
    rtpTimestamp: view.getUint32(start + 12),
    packetCount: view.getUint32(start + 16),
    octetCount: view.getUint32(start + 20),
    reports: readReports(view, start + 24, count),
  }
}

function readReports(view: DataView, start: number, count: number): readonly RtcpReportBlock[] {
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * 24
    return {
      ssrc: view.getUint32(at),
      fractionLost: view.getUint8(at + 4),
      cumulativeLost: (view.getInt32(at + 4) << 8) >> 8,
      extendedHighestSequenceNumber: view.getUint32(at + 8),
      jitter: view.getUint32(at + 12),
    }
  })
}

function readSourceDescription(view: DataView, start: number, end: number, count: number): RtcpPacket | undefined {
  const chunks: { ssrc: number; cname: string | undefined }[] = []
  let offset = start
  for (let chunk = 0; chunk < count; chunk++) {
    if (offset + 4 > end) return undefined
    const ssrc = view.getUint32(offset)
    let cname: string | undefined
    offset += 4
    // §6.5: items, then at least one zero byte, up to the next 32-bit boundary.
    for (;;) {
      if (offset >= end) return undefined
      const item = view.getUint8(offset)
      if (item === 0) break
      const length = offset + 1 < end ? view.getUint8(offset + 1) : 0
      if (offset + 2 + length > end) return undefined
      if (item === SDES_CNAME) cname = readText(view, offset + 2, length)
      offset += 2 + length
    }
    offset = start + (((offset - start) >> 2) + 1) * 4
    chunks.push({ ssrc, cname })
  }
  return { type: 'source-description', chunks }
}

const utf8 = new TextDecoder()

function readText(view: DataView, offset: number, length: number): string {
  return utf8.decode(new Uint8Array(view.buffer, view.byteOffset + offset, length))
}
