import type { FindingPlace, Report } from '../finding.js'
import { crc32Mpeg } from './crc32-mpeg.js'
import type { TransportPacket } from './packet.js'
import type { TransportStreamRule } from './rules.js'

/** A PSI section with the place of the packet that it started in. */
export interface Section {
  readonly bytes: Uint8Array
  readonly place: FindingPlace
}

/** Puts the sections of one PID together (ISO/IEC 13818-1 §2.4.4). A section is at most 1024 bytes, so this is bounded. */
export class SectionAssembler {
  readonly #report: Report<TransportStreamRule>
  #pending: number[] | undefined
  #place: FindingPlace = {}

  constructor(report: Report<TransportStreamRule>) {
    this.#report = report
  }

  /** The sections that the packet completes. */
  add(packet: TransportPacket): Section[] {
    const place = { segment: packet.segment, offset: packet.offset, pid: packet.pid }
    const sections: Section[] = []
    let rest = packet.payload
    if (packet.unitStart) {
      const pointer = rest[0] ?? 0
      if (1 + pointer >= rest.byteLength) {
        this.#report('section-syntax', `pointer_field is ${pointer} in a payload of ${rest.byteLength} bytes`, place)
        return sections
      }
      if (this.#pending !== undefined) this.#take(rest.subarray(1, 1 + pointer), sections)
      if (this.#pending !== undefined) {
        this.#report('section-syntax', 'a section is cut short by the start of the next', this.#place)
        this.#pending = undefined
      }
      rest = rest.subarray(1 + pointer)
    } else if (this.#pending === undefined) {
      this.#checkStuffing(rest, place)
      return sections
    }
    for (;;) {
      if (this.#pending === undefined) {
        if (rest.byteLength === 0) return sections
        if (rest[0] === 0xff) {
          this.#checkStuffing(rest, place)
          return sections
        }
        this.#pending = []
        this.#place = place
      }
      rest = this.#take(rest, sections)
      if (this.#pending !== undefined) return sections
    }
  }

  /** The input ends, or a segment does: a section may not go on. */
  finish(): void {
    if (this.#pending !== undefined) this.#report('section-syntax', 'a section is cut short by the end', this.#place)
    this.#pending = undefined
  }

  #take(bytes: Uint8Array, sections: Section[]): Uint8Array {
    const pending = this.#pending as number[]
    let used = 0
    while (used < bytes.byteLength && pending.length < sectionBytes(pending)) pending.push(bytes[used++] as number)
    if (pending.length >= 3 && pending.length === sectionBytes(pending)) {
      this.#pending = undefined
      const section = Uint8Array.from(pending)
      if (crc32Mpeg(section) === 0) sections.push({ bytes: section, place: this.#place })
      else this.#report('section-crc', `CRC_32 of a section of ${section.byteLength} bytes is wrong`, this.#place)
    }
    return bytes.subarray(used)
  }

  #checkStuffing(bytes: Uint8Array, place: FindingPlace): void {
    const at = bytes.findIndex((byte) => byte !== 0xff)
    if (at >= 0)
      this.#report('section-stuffing', `0x${(bytes[at] as number).toString(16)} after the last section`, place)
  }
}

/** How long the section will be, as far as its start tells. */
function sectionBytes(start: readonly number[]): number {
  if (start.length < 3) return 3
  return 3 + (((start[1] as number) & 0x0f) << 8) + (start[2] as number)
}
