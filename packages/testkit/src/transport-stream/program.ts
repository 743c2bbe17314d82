import type { FindingPlace } from '../finding.js'
import { AacElementaryStream } from './aac-stream.js'
import { ElementaryStream, type PlacedPes, type StreamContext } from './elementary-stream.js'
import { H264ElementaryStream } from './h264-stream.js'
import type { ListedStream } from './listing.js'
import type { TransportStreamOptions } from './options.js'
import { type ProgramMap, readProgramAssociation, readProgramMap } from './program-tables.js'
import type { Section } from './section-assembler.js'

const H264 = 0x1b
const AAC_ADTS = 0x0f

/** The one program of a stream: its tables, and the streams that they list. */
export class Program {
  /** Where the PMT is, once a PAT has said so. */
  pmtPid: number | undefined
  /** Tables of the current segment. */
  patSeen = false
  pmtSeen = false
  /** The streams that the PMT in force lists, by PID. */
  readonly active: Map<number, ElementaryStream> = new Map()
  readonly #listed: ElementaryStream[] = []
  readonly #context: StreamContext
  readonly #options: TransportStreamOptions
  #programNumber: number | undefined
  #pat: TableVersion | undefined
  #pmt: TableVersion | undefined

  constructor(context: StreamContext, options: TransportStreamOptions) {
    this.#context = context
    this.#options = options
  }

  /** What is listed now. */
  get current(): { pid: number; streamType: number }[] {
    return [...this.active.values()].map(({ pid, streamType }) => ({ pid, streamType }))
  }

  get streams(): readonly ListedStream[] {
    return this.#listed
  }

  beginSegment(segment: number): void {
    this.patSeen = false
    this.pmtSeen = false
    for (const stream of this.active.values()) stream.beginSegment(segment)
  }

  /** A declared discontinuity: tables may change at will. */
  reset(): void {
    this.#pat = undefined
    this.#pmt = undefined
    this.resetStreams()
  }

  /** The time base changes. */
  resetStreams(): void {
    for (const stream of this.active.values()) stream.reset()
  }

  endSegment(segment: number): void {
    const { report } = this.#context
    for (const stream of this.active.values()) {
      stream.finish()
      if (stream.startedInSegment === 0 && this.#options.allowIdle !== true) {
        report('idle-stream', 'the PMT lists a stream that has no PES packet in the segment', {
          segment,
          pid: stream.pid,
        })
      }
    }
  }

  /** The input has ended. */
  finish(): void {
    const { report, clock, pcrPid } = this.#context
    for (const stream of this.active.values()) this.#leave(stream)
    if (this.active.size > 0 && !clock.pcrs.some(({ pid }) => pid === pcrPid)) {
      report('pcr-pid', 'no PCR came on the PCR PID', { pid: pcrPid })
    }
  }

  addPat(section: Section): void {
    const { report } = this.#context
    const pat = readProgramAssociation(section, report)
    if (pat === undefined) return
    this.#pat = checkVersion('PAT', this.#pat, section, (message) => report('section-version', message, section.place))
    const program = pat.programs[0]
    if (program === undefined) return
    this.patSeen = true
    this.pmtPid = program.pmtPid
    this.#programNumber = program.programNumber
  }

  addPmt(section: Section): void {
    const { report } = this.#context
    const pmtPid = this.pmtPid as number
    if (!this.patSeen) report('tables-first', 'a PMT comes before the PAT of its segment', section.place)
    const unchanged = this.#pmt !== undefined && this.#pmt.key === tableKey(section)
    const pmt = readProgramMap(section, pmtPid, report)
    if (pmt === undefined) return
    this.#pmt = checkVersion('PMT', this.#pmt, section, (message) => report('section-version', message, section.place))
    this.pmtSeen = true
    if (unchanged) return
    if (pmt.programNumber !== this.#programNumber) {
      const numbers = `program ${pmt.programNumber}, the PAT of program ${this.#programNumber}`
      report('single-program', `the PMT is of ${numbers}`, section.place)
    }
    this.#update(pmt, section.place)
  }

  #update(pmt: ProgramMap, place: FindingPlace): void {
    const { report } = this.#context
    const listed = new Map(pmt.streams.map((stream) => [stream.pid, stream.streamType]))
    for (const stream of this.active.values()) {
      if (listed.get(stream.pid) === stream.streamType) continue
      stream.finish()
      this.#leave(stream)
      this.active.delete(stream.pid)
    }
    const video = pmt.streams.filter(({ streamType }) => streamType === H264)
    this.#context.pcrPid = pmt.pcrPid
    this.#context.audioOnly = video.length === 0
    for (const { pid, streamType } of pmt.streams) {
      if (this.active.has(pid)) continue
      const stream = this.#create(pid, streamType, place)
      stream.beginSegment(place.segment ?? 0)
      this.active.set(pid, stream)
      this.#listed.push(stream)
    }
    const name = `PCR_PID 0x${pmt.pcrPid.toString(16)}`
    if (!listed.has(pmt.pcrPid)) report('pcr-pid', `${name} is not a listed stream`, place)
    else if (video.length > 0 && listed.get(pmt.pcrPid) !== H264) report('pcr-pid', `${name} is not the video`, place)
  }

  #create(pid: number, streamType: number, place: FindingPlace): ElementaryStream {
    const options = this.#options
    if (streamType === H264) {
      return new H264ElementaryStream(pid, streamType, this.#context, options)
    }
    if (streamType === AAC_ADTS) {
      return new AacElementaryStream(pid, streamType, this.#context, options)
    }
    if (options.otherStreamTypes?.includes(streamType) !== true) {
      const type = `0x${streamType.toString(16)}`
      this.#context.report('stream-type', `stream type ${type} of PID 0x${pid.toString(16)} is not one to check`, place)
    }
    return new OtherElementaryStream(pid, streamType, this.#context)
  }

  #leave(stream: ElementaryStream): void {
    if (stream.started > 0 || this.#options.allowIdle !== true) return
    this.#context.report('idle-stream', 'the PMT lists a stream that never has a PES packet', { pid: stream.pid })
  }
}

/** A stream of which only packets and PES headers are checked. */
class OtherElementaryStream extends ElementaryStream {
  readonly kind = 'other'
  protected override pes(_pes: PlacedPes): void {}
}

interface TableVersion {
  readonly version: number
  /** The section without version and CRC. */
  readonly content: string
  readonly key: string
}

function tableKey({ bytes }: Section): string {
  return Buffer.from(bytes).toString('hex')
}

function checkVersion(
  name: string,
  last: TableVersion | undefined,
  section: Section,
  report: (message: string) => void,
): TableVersion {
  const key = tableKey(section)
  const version = ((section.bytes[5] as number) >> 1) & 31
  const content = `${key.slice(0, 10)}${key.slice(12, -8)}`
  if (last !== undefined) {
    if (content === last.content && version !== last.version) {
      report(`${name}: version ${version} after ${last.version}, though nothing changed`)
    } else if (content !== last.content && version !== ((last.version + 1) & 31)) {
      report(`${name}: version ${version} after ${last.version}, though the table changed`)
    }
  }
  return { version, content, key }
}
