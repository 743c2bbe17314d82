import { FindingList, type Report } from '../finding.js'
import { ClockChecker } from './clock-checker.js'
import { ContinuityChecker } from './continuity.js'
import type { StreamContext } from './elementary-stream.js'
import type { TransportStreamListing } from './listing.js'
import type { TransportStreamOptions } from './options.js'
import { PACKET_BYTES, readPacket, type TransportPacket } from './packet.js'
import { Program } from './program.js'
import type { TransportStreamRule } from './rules.js'
import { SectionAssembler } from './section-assembler.js'

/** Reads a transport stream once, segment by segment; `findings` and `listing` are both made on the way. */
export class TransportStreamReader {
  readonly findings: FindingList<TransportStreamRule>
  readonly #options: TransportStreamOptions
  readonly #report: Report<TransportStreamRule>
  readonly #continuity: ContinuityChecker
  readonly #clock: ClockChecker
  readonly #context: StreamContext
  readonly #program: Program
  readonly #pat: SectionAssembler
  #pmt: { readonly pid: number; readonly assembler: SectionAssembler } | undefined
  readonly #segments: { pid: number; streamType: number }[][] = []
  #segment = -1
  #packets = 0
  #tablesFirstReported = false
  readonly #unlisted = new Set<number>()
  readonly #strayPcrPids = new Set<number>()

  constructor(options: TransportStreamOptions = {}) {
    this.#options = options
    this.findings = new FindingList(options.maxFindings)
    this.#report = this.findings.report
    this.#continuity = new ContinuityChecker(this.#report)
    this.#clock = new ClockChecker(this.#report)
    this.#context = { clock: this.#clock, report: this.#report, pcrPid: -1, audioOnly: false }
    this.#program = new Program(this.#context, options)
    this.#pat = new SectionAssembler(this.#report)
  }

  get listing(): TransportStreamListing {
    return {
      streams: this.#program.streams,
      pcrs: this.#clock.pcrs,
      segments: this.#segments,
      packets: this.#packets,
    }
  }

  /** Reads the next segment. */
  addSegment(bytes: Uint8Array): void {
    const segment = ++this.#segment
    if (segment > 0 && this.#options.discontinuities?.includes(segment) === true) {
      this.#continuity.reset()
      this.#clock.reset()
      this.#program.reset()
    }
    this.#tablesFirstReported = false
    this.#unlisted.clear()
    this.#program.beginSegment(segment)
    if (bytes.byteLength === 0 || bytes.byteLength % PACKET_BYTES !== 0) {
      this.#report('packet-length', `${bytes.byteLength} bytes are not a whole number of packets of 188`, { segment })
    }
    for (let offset = 0; offset + PACKET_BYTES <= bytes.byteLength; offset += PACKET_BYTES) {
      this.#packets++
      const packet = readPacket(bytes.subarray(offset, offset + PACKET_BYTES), segment, offset, this.#report)
      if (packet !== undefined) this.#add(packet)
    }
    this.#endSegment(segment)
  }

  /** There are no more segments. */
  finish(): void {
    this.#program.finish()
  }

  #add(packet: TransportPacket): void {
    const { pid } = packet
    if (pid === 0x1fff) return
    if (this.#continuity.add(packet)) return
    if (pid === 0) {
      for (const section of this.#sections(this.#pat, packet)) this.#program.addPat(section)
      return
    }
    const { pmtPid, active } = this.#program
    if (pid === pmtPid) {
      if (this.#pmt?.pid !== pid) this.#pmt = { pid, assembler: new SectionAssembler(this.#report) }
      for (const section of this.#sections(this.#pmt.assembler, packet)) this.#program.addPmt(section)
      return
    }
    if (packet.pcr27m !== undefined) this.#pcr(packet, packet.pcr27m)
    const tablesSeen = this.#program.patSeen && this.#program.pmtSeen
    const stream = active.get(pid)
    const isServiceInformation = pid >= 0x10 && pid <= 0x1f && stream === undefined
    if (isServiceInformation && this.#options.allowServiceInformation === true) return
    if (!tablesSeen && !this.#tablesFirstReported && packet.hasPayload && !isServiceInformation) {
      this.#tablesFirstReported = true
      const missing = this.#program.patSeen ? 'PMT' : 'PAT'
      this.#report('tables-first', `a PES packet comes before the ${missing} of its segment`, placeOf(packet))
    }
    if (stream !== undefined) stream.add(packet)
    else if ((tablesSeen || isServiceInformation) && !this.#unlisted.has(pid)) {
      this.#unlisted.add(pid)
      this.#report('unlisted-pid', 'packets of a PID that the PMT does not list', placeOf(packet))
    }
  }

  #sections(assembler: SectionAssembler, packet: TransportPacket): ReturnType<SectionAssembler['add']> {
    return packet.hasPayload ? assembler.add(packet) : []
  }

  #pcr(packet: TransportPacket, pcr27m: number): void {
    const { pcrPid } = this.#context
    if (packet.pid !== pcrPid) {
      if (pcrPid !== -1 && !this.#strayPcrPids.has(packet.pid)) {
        this.#strayPcrPids.add(packet.pid)
        this.#report('pcr-pid', `a PCR, though the PMT says 0x${pcrPid.toString(16)}`, placeOf(packet))
      }
      return
    }
    if (packet.discontinuity) {
      this.#clock.reset()
      this.#program.resetStreams()
    }
    this.#clock.addPcr(packet, pcr27m)
  }

  #endSegment(segment: number): void {
    this.#program.endSegment(segment)
    this.#segments.push(this.#program.current)
    this.#pat.finish()
    this.#pmt?.assembler.finish()
    if (this.#tablesFirstReported) return
    if (!this.#program.patSeen) this.#report('tables-first', 'the segment has no PAT', { segment })
    else if (!this.#program.pmtSeen) this.#report('tables-first', 'the segment has no PMT', { segment })
  }
}

function placeOf(packet: TransportPacket): { segment: number; offset: number; pid: number } {
  return { segment: packet.segment, offset: packet.offset, pid: packet.pid }
}
