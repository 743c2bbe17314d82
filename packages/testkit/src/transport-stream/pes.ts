import type { FindingPlace, Report } from '../finding.js'
import type { TransportStreamRule } from './rules.js'

/** A PES packet (ISO/IEC 13818-1 §2.4.3.6) whose header could be read. */
export interface PesPacket {
  readonly streamId: number
  /** 33-bit values as coded. */
  readonly pts33: number | undefined
  readonly dts33: number | undefined
  readonly payload: Uint8Array
}

/** Reads a whole PES packet; `undefined` where there is nothing to go on with. */
export function readPes(
  bytes: Uint8Array,
  kind: 'video' | 'audio' | 'other',
  place: FindingPlace,
  report: Report<TransportStreamRule>,
): PesPacket | undefined {
  if (bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 1) {
    report('pes-start-code', `a PES packet starts with ${hex(bytes.subarray(0, 3))}, not 000001`, place)
    return undefined
  }
  if (bytes.byteLength < 9) {
    report('pes-header', `a PES packet of ${bytes.byteLength} bytes has no whole header`, place)
    return undefined
  }
  const streamId = bytes[3] as number
  const [low, high] = kind === 'video' ? [0xe0, 0xef] : kind === 'audio' ? [0xc0, 0xdf] : [0xbd, 0xfe]
  if (streamId < low || streamId > high) {
    report('pes-stream-id', `stream_id 0x${streamId.toString(16)} for ${kind}`, place)
  }
  const length = ((bytes[4] as number) << 8) | (bytes[5] as number)
  const follows = bytes.byteLength - 6
  if (length === 0 && kind !== 'video') report('pes-length', `PES_packet_length is 0 for ${kind}`, place)
  if (length !== 0 && length !== follows) {
    report('pes-length', `PES_packet_length is ${length}, but ${follows} bytes follow`, place)
  }
  const flags1 = bytes[6] as number
  if (flags1 >> 6 !== 2) report('pes-header', `the bits before the flags are ${flags1 >> 6}, expected 2`, place)
  if (((flags1 >> 4) & 3) !== 0) report('scrambling', 'PES_scrambling_control is set', place)
  const end = 9 + (bytes[8] as number)
  if (end > bytes.byteLength) {
    report('pes-header', `PES_header_data_length ${bytes[8]} runs past the packet`, place)
    return undefined
  }
  const header = bytes.subarray(0, end)
  return { streamId, ...readHeaderFields(header, place, report), payload: bytes.subarray(end) }
}

function readHeaderFields(
  header: Uint8Array,
  place: FindingPlace,
  report: Report<TransportStreamRule>,
): { pts33: number | undefined; dts33: number | undefined } {
  const flags = header[7] as number
  const timestamps = flags >> 6
  if (timestamps === 1) report('pes-header', 'PTS_DTS_flags is 01', place)
  const fields =
    (timestamps === 3 ? 10 : timestamps === 2 ? 5 : 0) +
    ((flags & 0x20) !== 0 ? 6 : 0) +
    ((flags & 0x10) !== 0 ? 3 : 0) +
    ((flags & 0x08) !== 0 ? 1 : 0) +
    ((flags & 0x04) !== 0 ? 1 : 0) +
    ((flags & 0x02) !== 0 ? 2 : 0)
  const used = 9 + fields
  if (used > header.byteLength) {
    report('pes-header', `the announced fields take ${fields} bytes of ${header.byteLength - 9}`, place)
    return { pts33: undefined, dts33: undefined }
  }
  // With an extension the stuffing starts after fields that this reader does not follow.
  if ((flags & 0x01) === 0) {
    const stuffing = header.subarray(used)
    if (stuffing.byteLength > 32) report('pes-stuffing', `${stuffing.byteLength} stuffing bytes, above 32`, place)
    if (stuffing.some((byte) => byte !== 0xff)) report('pes-stuffing', 'a stuffing byte is not 0xFF', place)
  }
  return {
    pts33: timestamps >= 2 ? readTimestamp(header, 9, timestamps, 'PTS', place, report) : undefined,
    dts33: timestamps === 3 ? readTimestamp(header, 14, 1, 'DTS', place, report) : undefined,
  }
}

function readTimestamp(
  bytes: Uint8Array,
  at: number,
  prefix: number,
  name: string,
  place: FindingPlace,
  report: Report<TransportStreamRule>,
): number {
  const [a, b, c, d, e] = bytes.subarray(at, at + 5) as unknown as [number, number, number, number, number]
  if (a >> 4 !== prefix) report('pes-header', `the bits before ${name} are ${a >> 4}, expected ${prefix}`, place)
  if ((a & c & e & 1) === 0) report('pes-header', `a marker bit of ${name} is 0`, place)
  return ((a >> 1) & 7) * 2 ** 30 + ((b << 22) | ((c >> 1) << 15) | (d << 7) | (e >> 1))
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
