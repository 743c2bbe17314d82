/** RTCP as a receiver sends it: reports (RFC 3550 §6), feedback (RFC 4585, RFC 5104), extended reports (RFC 3611). */

/** What is said of one source that is received (RFC 3550 §6.4.1). */
export interface ReportBlock {
  readonly ssrc: number
  /** Of 256, since the report before. */
  readonly fractionLost: number
  /** Signed; clamped to 24 bits. */
  readonly cumulativeLost: number
  /** Low 16 bits the highest sequence number received, high 16 bits the cycles. */
  readonly extendedHighestSequenceNumber: number
  /** Ticks of the RTP clock. */
  readonly jitter: number
  /** The middle 32 bits of the NTP timestamp of the last sender report, 0 without one. */
  readonly lastSenderReport: number
  /** Time since that report, in units of 1/65,536 s, 0 without one. */
  readonly delaySinceLastSenderReport: number
}

/** One RTCP packet to send. `senderSsrc` is the receiver's own. */
export type RtcpMessage =
  | { readonly type: 'receiver-report'; readonly senderSsrc: number; readonly reports: readonly ReportBlock[] }
  | { readonly type: 'source-description'; readonly senderSsrc: number; readonly cname: string }
  | { readonly type: 'bye'; readonly senderSsrc: number }
  /** Picture loss indication (RFC 4585 §6.3.1). */
  | { readonly type: 'pli'; readonly senderSsrc: number; readonly mediaSsrc: number }
  /** Full intra request (RFC 5104 §4.3.1); `commandNumber` modulo 256 counts the requests to that source. */
  | { readonly type: 'fir'; readonly senderSsrc: number; readonly mediaSsrc: number; readonly commandNumber: number }
  /** Generic NACK (RFC 4585 §6.2.1); sequence numbers modulo 2^16, in sending order. */
  | {
      readonly type: 'nack'
      readonly senderSsrc: number
      readonly mediaSsrc: number
      readonly sequenceNumbers: readonly number[]
    }
  /** Receiver estimated maximum bitrate (draft-alvestrand-rmcat-remb), bits per second. */
  | {
      readonly type: 'remb'
      readonly senderSsrc: number
      readonly bitrateBps: number
      readonly ssrcs: readonly number[]
    }
  /** Receiver reference time (RFC 3611 §4.4): the peer echoes it, which gives a pure receiver its round trip time. */
  | { readonly type: 'receiver-reference-time'; readonly senderSsrc: number; readonly timeUs: number }

/** RFC 3550 §6.4: the count has five bits. */
const MAX_REPORTS = 31
/** So many NACK pairs keep the packet below 600 bytes: feedback must fit where media does. */
const MAX_NACK_PAIRS = 140
const TWO_TO_32 = 4_294_967_296

/** Writes messages one behind the other: a compound packet where the first is a report, a reduced-size one otherwise. */
export function serializeRtcp(messages: readonly RtcpMessage[]): Uint8Array {
  const packets = messages.map(serializeMessage)
  const bytes = new Uint8Array(packets.reduce((sum, { byteLength }) => sum + byteLength, 0))
  let offset = 0
  for (const packet of packets) {
    bytes.set(packet, offset)
    offset += packet.byteLength
  }
  return bytes
}

function serializeMessage(message: RtcpMessage): Uint8Array {
  switch (message.type) {
    case 'receiver-report':
      return receiverReports(message.senderSsrc, message.reports)
    case 'source-description':
      return sourceDescription(message.senderSsrc, message.cname)
    case 'bye':
      return packet(203, 1, [message.senderSsrc])
    case 'pli':
      return packet(206, 1, [message.senderSsrc, message.mediaSsrc])
    case 'fir':
      return packet(206, 4, [message.senderSsrc, 0, message.mediaSsrc, (message.commandNumber & 0xff) << 24])
    case 'nack':
      return packet(205, 1, [message.senderSsrc, message.mediaSsrc, ...nackPairs(message.sequenceNumbers)])
    case 'remb':
      return remb(message.senderSsrc, message.bitrateBps, message.ssrcs)
    default: {
      const seconds = Math.floor(message.timeUs / 1_000_000)
      const fraction = Math.floor(((message.timeUs - seconds * 1_000_000) * TWO_TO_32) / 1_000_000)
      return packet(207, 0, [message.senderSsrc, 0x0400_0002, seconds, fraction])
    }
  }
}

/** A packet of 32-bit words behind its header. */
function packet(packetType: number, count: number, words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 + words.length * 4)
  const view = new DataView(bytes.buffer)
  bytes[0] = 0x80 | count
  bytes[1] = packetType
  view.setUint16(2, words.length)
  for (const [index, word] of words.entries()) view.setUint32(4 + index * 4, word)
  return bytes
}

function receiverReports(senderSsrc: number, reports: readonly ReportBlock[]): Uint8Array {
  const packets: Uint8Array[] = []
  for (let start = 0; start === 0 || start < reports.length; start += MAX_REPORTS) {
    const part = reports.slice(start, start + MAX_REPORTS)
    const words = part.flatMap((report) => [
      report.ssrc,
      (report.fractionLost << 24) | (Math.max(-0x80_0000, Math.min(0x7f_ffff, report.cumulativeLost)) & 0xff_ffff),
      report.extendedHighestSequenceNumber,
      report.jitter,
      report.lastSenderReport,
      report.delaySinceLastSenderReport,
    ])
    packets.push(packet(201, part.length, [senderSsrc, ...words]))
  }
  return Buffer.concat(packets)
}

function sourceDescription(senderSsrc: number, cname: string): Uint8Array {
  const text = new TextEncoder().encode(cname).subarray(0, 255)
  // At least one zero byte ends the items, and the chunk ends on a 32-bit boundary.
  const bytes = new Uint8Array(8 + ((2 + text.byteLength) >> 2) * 4 + 4)
  const view = new DataView(bytes.buffer)
  bytes[0] = 0x81
  bytes[1] = 202
  view.setUint16(2, bytes.byteLength / 4 - 1)
  view.setUint32(4, senderSsrc)
  bytes[8] = 1
  bytes[9] = text.byteLength
  bytes.set(text, 10)
  return bytes
}

/** Packet id and bitmask of the sixteen that follow it. */
function nackPairs(sequenceNumbers: readonly number[]): number[] {
  const words: number[] = []
  let first = 0
  let mask = 0
  for (const sequenceNumber of sequenceNumbers) {
    const distance = (sequenceNumber - first) & 0xffff
    if (words.length > 0 && distance === 0) continue
    if (words.length > 0 && distance <= 16) {
      mask |= 1 << (distance - 1)
      words[words.length - 1] = ((first << 16) | mask) >>> 0
      continue
    }
    if (words.length === MAX_NACK_PAIRS) break
    first = sequenceNumber & 0xffff
    mask = 0
    words.push((first << 16) >>> 0)
  }
  return words
}

function remb(senderSsrc: number, bitrateBps: number, ssrcs: readonly number[]): Uint8Array {
  let exponent = 0
  let mantissa = Math.max(0, Math.floor(bitrateBps))
  while (mantissa > 0x3_ffff) {
    mantissa = Math.floor(mantissa / 2)
    exponent++
  }
  const listed = ssrcs.slice(0, 255)
  const head = (listed.length << 24) | (exponent << 18) | mantissa
  return packet(206, 15, [senderSsrc, 0, 0x5245_4d42, head, ...listed])
}
