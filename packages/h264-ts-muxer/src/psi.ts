import { crc32Mpeg2 } from './crc32-mpeg2.js'
import {
  type ContinuityCounter,
  PAYLOAD_ONLY,
  TS_PACKET_BYTES,
  TS_PAYLOAD_BYTES,
  writePacketHeader,
} from './ts-packet.js'

/** The two tables of a transport stream with one program (ISO/IEC 13818-1 §2.4.4). */

/** PID of the program association table. */
export const PAT_PID = 0
/** PID of the program map table, where most muxers put it. */
export const PMT_PID = 0x1000

const PAT_TABLE_ID = 0
const PMT_TABLE_ID = 2
const TRANSPORT_STREAM_ID = 1
const PROGRAM_NUMBER = 1
const CRC_BYTES = 4

/** One line of the program map. */
export interface PmtStream {
  readonly streamType: number
  readonly pid: number
}

/** The program association section: program 1 is at {@link PMT_PID}. */
export function programAssociationSection(): Uint8Array {
  return section(PAT_TABLE_ID, TRANSPORT_STREAM_ID, 0, [
    PROGRAM_NUMBER >>> 8,
    PROGRAM_NUMBER & 0xff,
    0xe0 | (PMT_PID >>> 8),
    PMT_PID & 0xff,
  ])
}

/** The program map section. `version` is 0 to 31. */
export function programMapSection(streams: readonly PmtStream[], pcrPid: number, version: number): Uint8Array {
  const body = [0xe0 | (pcrPid >>> 8), pcrPid & 0xff, 0xf0, 0]
  for (const { streamType, pid } of streams) body.push(streamType, 0xe0 | (pid >>> 8), pid & 0xff, 0xf0, 0)
  return section(PMT_TABLE_ID, PROGRAM_NUMBER, version, body)
}

/** Packets that a section takes, with its pointer_field. */
export function sectionPackets(bytes: Uint8Array): number {
  return Math.ceil((1 + bytes.byteLength) / TS_PAYLOAD_BYTES)
}

/** Writes a section into packets of its own, padded with 0xFF (§2.4.4.1). Returns the position behind them. */
export function writeSection(
  out: Uint8Array,
  at: number,
  pid: number,
  counter: ContinuityCounter,
  bytes: Uint8Array,
): number {
  let position = at
  for (let from = 0; from < bytes.byteLength; ) {
    const unitStart = from === 0
    writePacketHeader(out, position, pid, counter, unitStart, PAYLOAD_ONLY)
    let start = position + 4
    if (unitStart) out[start++] = 0 // pointer_field: the section begins at once
    position += TS_PACKET_BYTES
    const to = Math.min(from + position - start, bytes.byteLength)
    out.set(bytes.subarray(from, to), start)
    out.fill(0xff, start + to - from, position)
    from = to
  }
  return position
}

/** A section of the long form, current and the only one of its table, with its CRC. */
function section(tableId: number, idExtension: number, version: number, body: readonly number[]): Uint8Array {
  const length = 5 + body.length + CRC_BYTES
  const bytes = Uint8Array.from([
    tableId,
    0xb0 | (length >>> 8),
    length & 0xff,
    idExtension >>> 8,
    idExtension & 0xff,
    0xc1 | (version << 1),
    0,
    0,
    ...body,
    ...Array<number>(CRC_BYTES).fill(0),
  ])
  const end = bytes.byteLength - CRC_BYTES
  new DataView(bytes.buffer).setUint32(end, crc32Mpeg2(bytes.subarray(0, end)))
  return bytes
}
