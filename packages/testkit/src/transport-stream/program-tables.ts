import type { FindingPlace, Report } from '../finding.js'
import type { TransportStreamRule } from './rules.js'
import type { Section } from './section-assembler.js'

/** What a PAT says (ISO/IEC 13818-1 §2.4.4.3). */
export interface ProgramAssociation {
  readonly transportStreamId: number
  readonly version: number
  /** Without the network PID (program number 0). */
  readonly programs: readonly { readonly programNumber: number; readonly pmtPid: number }[]
}

/** What a PMT says (ISO/IEC 13818-1 §2.4.4.8). */
export interface ProgramMap {
  readonly programNumber: number
  readonly version: number
  readonly pcrPid: number
  readonly streams: readonly { readonly pid: number; readonly streamType: number }[]
}

type TableReport = Report<TransportStreamRule>

/** Reads a PAT section; `undefined` where it is none. */
export function readProgramAssociation(section: Section, report: TableReport): ProgramAssociation | undefined {
  const body = readTable(section, 0, 'PAT', report)
  if (body === undefined) return undefined
  const { bytes, place } = section
  if (body.byteLength % 4 !== 0) {
    report('section-syntax', `the PAT's program loop has ${body.byteLength} bytes, not a multiple of 4`, place)
  }
  const programs: { programNumber: number; pmtPid: number }[] = []
  for (let i = 0; i + 4 <= body.byteLength; i += 4) {
    const programNumber = readUint16(body, i)
    if ((body[i + 2] as number) >> 5 !== 7) report('section-syntax', 'reserved bits of the PAT are not 1', place)
    if (programNumber !== 0) programs.push({ programNumber, pmtPid: readUint16(body, i + 2) & 0x1fff })
  }
  if (programs.length !== 1) report('single-program', `the PAT lists ${programs.length} programs`, place)
  for (const { pmtPid } of programs) {
    if (pmtPid < 0x10 || pmtPid > 0x1ffe) {
      report('reserved-pid', `the PMT has PID 0x${pmtPid.toString(16)}, outside 0x0010 to 0x1FFE`, place)
    }
  }
  return { transportStreamId: readUint16(bytes, 3), version: ((bytes[5] as number) >> 1) & 31, programs }
}

/** Reads a PMT section; `undefined` where it is none. */
export function readProgramMap(section: Section, pmtPid: number, report: TableReport): ProgramMap | undefined {
  const body = readTable(section, 2, 'PMT', report)
  if (body === undefined) return undefined
  const { bytes, place } = section
  if (body.byteLength < 4) {
    report('section-syntax', `the PMT has ${bytes.byteLength} bytes, too few`, place)
    return undefined
  }
  if ((body[0] as number) >> 5 !== 7 || (body[2] as number) >> 4 !== 15) {
    report('section-syntax', 'reserved bits of the PMT are not 1', place)
  }
  const infoEnd = 4 + (readUint16(body, 2) & 0x0fff)
  if (infoEnd > body.byteLength) {
    report('section-syntax', `program_info_length ${infoEnd - 4} runs past the section`, place)
    return undefined
  }
  checkDescriptors(body.subarray(4, infoEnd), place, report)
  const streams: { pid: number; streamType: number }[] = []
  let at = infoEnd
  while (at + 5 <= body.byteLength) {
    if ((body[at + 1] as number) >> 5 !== 7 || (body[at + 3] as number) >> 4 !== 15) {
      report('section-syntax', 'reserved bits of the PMT are not 1', place)
    }
    streams.push({ streamType: body[at] as number, pid: readUint16(body, at + 1) & 0x1fff })
    const end = at + 5 + (readUint16(body, at + 3) & 0x0fff)
    if (end > body.byteLength) report('section-syntax', `ES_info_length ${end - at - 5} runs past the section`, place)
    checkDescriptors(body.subarray(at + 5, end), place, report)
    at = end
  }
  if (at < body.byteLength) report('section-syntax', `${body.byteLength - at} bytes after the PMT's last stream`, place)
  checkStreamPids(streams, pmtPid, place, report)
  return {
    programNumber: readUint16(bytes, 3),
    version: ((bytes[5] as number) >> 1) & 31,
    pcrPid: readUint16(body, 0) & 0x1fff,
    streams,
  }
}

/** What PAT and PMT have in common; returns what lies between the common header and the CRC. */
function readTable(section: Section, tableId: number, name: string, report: TableReport): Uint8Array | undefined {
  const { bytes, place } = section
  const bad = (message: string): void => report('section-syntax', `${name}: ${message}`, place)
  if (bytes[0] !== tableId) {
    bad(`table_id is ${bytes[0]}, expected ${tableId}`)
    return undefined
  }
  if (bytes.byteLength < 12) {
    bad(`${bytes.byteLength} bytes, too few`)
    return undefined
  }
  const flags = (bytes[1] as number) >> 4
  if (flags !== 0b1011) bad(`the bits before section_length are ${flags.toString(2).padStart(4, '0')}, expected 1011`)
  if (bytes.byteLength > 1024) bad(`section_length is ${bytes.byteLength - 3}, above 1021`)
  if ((bytes[5] as number) >> 6 !== 3) bad('the reserved bits before version_number are not 1')
  if (((bytes[5] as number) & 1) === 0) report('section-version', `${name}: current_next_indicator is 0`, place)
  if (bytes[6] !== 0 || bytes[7] !== 0) bad(`section ${bytes[6]} of 0 to ${bytes[7]}, expected 0 of 0 to 0`)
  return bytes.subarray(8, bytes.byteLength - 4)
}

function checkDescriptors(bytes: Uint8Array, place: FindingPlace, report: TableReport): void {
  let at = 0
  while (at + 2 <= bytes.byteLength) at += 2 + (bytes[at + 1] as number)
  if (at !== bytes.byteLength) report('section-syntax', 'the descriptors do not fill their loop exactly', place)
}

function checkStreamPids(
  streams: readonly { readonly pid: number }[],
  pmtPid: number,
  place: FindingPlace,
  report: TableReport,
): void {
  if (streams.length === 0) report('pmt-streams', 'the PMT lists no stream', place)
  const seen = new Set<number>([pmtPid])
  for (const { pid } of streams) {
    const name = `PID 0x${pid.toString(16)}`
    if (seen.has(pid)) report('pmt-streams', `${name} is ${pid === pmtPid ? 'the PMT itself' : 'listed twice'}`, place)
    if (pid < 0x10 || pid > 0x1ffe) report('pmt-streams', `${name} is outside 0x0010 to 0x1FFE`, place)
    seen.add(pid)
  }
}

function readUint16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] as number) << 8) | (bytes[offset + 1] as number)
}
