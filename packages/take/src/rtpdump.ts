/**
 * The rtpdump file format of rtptools: a line of text, a header of 16 bytes, then records of
 * `u16 length (8 + data), u16 packet length (0 for RTCP), u32 offset in ms, data`, all big-endian.
 */

/** Bytes before the data of a record. */
export const RECORD_HEADER_BYTES = 8
/** The length field has 16 bits and counts its own eight bytes. */
export const MAX_RECORD_DATA_BYTES: number = 0xffff - RECORD_HEADER_BYTES
/** Offsets have 32 bits: 49.7 days. */
export const MAX_OFFSET_MS = 0xffff_ffff
/** Room for any address and port in the first line; a longer one is no rtpdump file. */
export const MAX_FIRST_LINE_BYTES = 128

/** What stands before the records. */
export interface RtpdumpHeader {
  /** Where the packets were received, `address/port`. */
  readonly address: string
  /** Wall time that offsets count from, in microseconds since 1970-01-01T00:00Z. */
  readonly startUs: number
}

/** One packet and when it arrived. */
export interface RtpdumpRecord {
  /** One RTP packet, or one RTCP compound packet. */
  readonly data: Uint8Array
  /** Milliseconds after the start. */
  readonly offsetMs: number
  readonly rtcp: boolean
}

const magic = '#!rtpplay1.0 '

/** The header of a file whose offsets count from `startUs`. */
export function serializeRtpdumpHeader(header: RtpdumpHeader): Uint8Array {
  const line = new TextEncoder().encode(`${magic}${header.address}\n`)
  const bytes = new Uint8Array(line.byteLength + 16)
  bytes.set(line)
  const view = new DataView(bytes.buffer, line.byteLength)
  view.setUint32(0, Math.floor(header.startUs / 1_000_000))
  view.setUint32(4, header.startUs % 1_000_000)
  const [address = '', port = '0'] = header.address.split('/')
  for (const [index, part] of address.split('.').slice(0, 4).entries()) view.setUint8(8 + index, Number(part) || 0)
  view.setUint16(12, Number(port) || 0)
  return bytes
}

/** The header at the start of `bytes` and its length; `'incomplete'` when more bytes are needed; `undefined` when it is none. */
export function parseRtpdumpHeader(
  bytes: Uint8Array,
): { readonly header: RtpdumpHeader; readonly byteLength: number } | 'incomplete' | undefined {
  const known = Math.min(bytes.byteLength, magic.length)
  for (let index = 0; index < known; index += 1) {
    if (bytes[index] !== magic.charCodeAt(index)) return undefined
  }
  const newline = bytes.subarray(0, MAX_FIRST_LINE_BYTES).indexOf(0x0a)
  if (newline < 0) return bytes.byteLength < MAX_FIRST_LINE_BYTES ? 'incomplete' : undefined
  const byteLength = newline + 17
  if (bytes.byteLength < byteLength) return 'incomplete'
  const view = new DataView(bytes.buffer, bytes.byteOffset + newline + 1, 16)
  const address = String.fromCharCode(...bytes.subarray(magic.length, newline))
  return { header: { address, startUs: view.getUint32(0) * 1_000_000 + view.getUint32(4) }, byteLength }
}

/** Writes one record at `offset` of `target`. The caller has checked the bounds. */
export function writeRtpdumpRecord(
  target: Uint8Array,
  offset: number,
  data: Uint8Array,
  offsetMs: number,
  rtcp: boolean,
): void {
  const length = RECORD_HEADER_BYTES + data.byteLength
  target[offset] = length >>> 8
  target[offset + 1] = length
  target[offset + 2] = rtcp ? 0 : data.byteLength >>> 8
  target[offset + 3] = rtcp ? 0 : data.byteLength
  target[offset + 4] = offsetMs >>> 24
  target[offset + 5] = offsetMs >>> 16
  target[offset + 6] = offsetMs >>> 8
  target[offset + 7] = offsetMs
  target.set(data, offset + RECORD_HEADER_BYTES)
}

/** One record as bytes. */
export function serializeRtpdumpRecord(record: RtpdumpRecord): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEADER_BYTES + record.data.byteLength)
  writeRtpdumpRecord(bytes, 0, record.data, record.offsetMs, record.rtcp)
  return bytes
}

/**
 * Why bytes cannot be a packet of a journal, or `undefined` when they can: RTP version 2 with its fixed header
 * (RFC 3550 §5.1), or RTCP version 2 with one header word (RFC 3550 §6.4.1), told apart as in RFC 5761 §4.
 */
export function packetFault(data: Uint8Array): 'too-short' | 'too-long' | 'not-rtp' | undefined {
  if (data.byteLength < 4) return 'too-short'
  if (data.byteLength > MAX_RECORD_DATA_BYTES) return 'too-long'
  if ((data[0] as number) >>> 6 !== 2) return 'not-rtp'
  return isRtcpPacket(data) || data.byteLength >= 12 ? undefined : 'too-short'
}

/** RTCP by its packet type, 192 to 223 (RFC 5761 §4). */
export function isRtcpPacket(data: Uint8Array): boolean {
  const packetType = data[1]
  return packetType !== undefined && packetType >= 192 && packetType <= 223
}
