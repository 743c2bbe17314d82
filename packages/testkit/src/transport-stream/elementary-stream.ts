import type { FindingPlace, Report } from '../finding.js'
import type { ClockChecker, ClockSpan } from './clock-checker.js'
import type { ListedAccessUnit, ListedAudioFrame, ListedStream } from './listing.js'
import type { TransportPacket } from './packet.js'
import { type PesPacket, readPes } from './pes.js'
import type { TransportStreamRule } from './rules.js'

/** A PES packet with its place in the stream and on the clock. */
export interface PlacedPes extends PesPacket {
  readonly place: { readonly segment: number; readonly offset: number; readonly pid: number }
  readonly pts90k: number
  readonly dts90k: number
  /** The packet that starts it. */
  readonly first: TransportPacket
  /** It is the first PES packet of its stream in its segment. */
  readonly firstInSegment: boolean
}

/** What the rest of the program means for one stream. */
export interface StreamContext {
  readonly clock: ClockChecker
  readonly report: Report<TransportStreamRule>
  pcrPid: number
  audioOnly: boolean
}

interface PendingPes {
  readonly first: TransportPacket
  readonly pieces: Uint8Array[]
  readonly span: { pcrAtStart: number | undefined; pcrAtEnd: number | undefined; pcrCount: number }
  readonly firstInSegment: boolean
}

/** One elementary stream: puts its PES packets together, checks their times, and hands them on. */
export abstract class ElementaryStream implements ListedStream {
  readonly pid: number
  readonly streamType: number
  abstract readonly kind: 'video' | 'audio' | 'other'
  readonly accessUnits: ListedAccessUnit[] = []
  readonly audioFrames: ListedAudioFrame[] = []
  /** PES packets started in the current segment, and ever. */
  startedInSegment = 0
  started = 0
  protected readonly context: StreamContext
  #pending: PendingPes | undefined
  #orphaned = false
  #lastDts: number | undefined

  constructor(pid: number, streamType: number, context: StreamContext) {
    this.pid = pid
    this.streamType = streamType
    this.context = context
  }

  protected abstract pes(pes: PlacedPes): void

  /** A segment begins. */
  beginSegment(_segment: number): void {
    this.startedInSegment = 0
    this.#orphaned = false
  }

  /** A discontinuity was declared: times and formats start anew. */
  reset(): void {
    this.#lastDts = undefined
  }

  add(packet: TransportPacket): void {
    const { clock, report } = this.context
    if (packet.randomAccess && !packet.unitStart) {
      report('random-access-indicator', 'it is set on a packet that starts no PES packet', placeOf(packet))
    }
    if (!packet.hasPayload) return
    if (packet.unitStart) {
      this.finish()
      const pcr27m = clock.pcr27m
      this.#pending = {
        first: packet,
        pieces: [packet.payload],
        span: { pcrAtStart: pcr27m, pcrAtEnd: pcr27m, pcrCount: clock.pcrCount },
        firstInSegment: this.startedInSegment === 0,
      }
      this.startedInSegment++
      this.started++
    } else if (this.#pending !== undefined) {
      this.#pending.pieces.push(packet.payload)
      this.#pending.span.pcrAtEnd = clock.pcr27m
    } else if (!this.#orphaned) {
      // Once a segment and stream is enough: all its packets up to the next start have the same fault.
      this.#orphaned = true
      report('payload-unit-start', 'payload without the start of its PES packet in this segment', placeOf(packet))
    }
  }

  /** The PES packet at hand is whole: the next one starts, or the segment ends. */
  finish(): void {
    const pending = this.#pending
    if (pending === undefined) return
    this.#pending = undefined
    const place = placeOf(pending.first)
    const bytes = Buffer.concat(pending.pieces)
    const pes = readPes(bytes, this.kind, place, this.context.report)
    if (pes === undefined) return
    const { pts90k, dts90k } = this.#time(pes, pending.span, place)
    this.pes({ ...pes, place, pts90k, dts90k, first: pending.first, firstInSegment: pending.firstInSegment })
  }

  #time(
    pes: PesPacket,
    span: ClockSpan,
    place: FindingPlace & { segment: number; offset: number; pid: number },
  ): { pts90k: number; dts90k: number } {
    const { clock, report, pcrPid } = this.context
    if (pes.pts33 === undefined) {
      report('pts-missing', 'the PES packet has no PTS', place)
      return { pts90k: Number.NaN, dts90k: Number.NaN }
    }
    const { pts90k, dts90k } = clock.unwrap(pes.pts33, pes.dts33, span)
    if (pts90k < dts90k) report('pts-before-dts', `PTS ${pts90k} is before DTS ${dts90k}`, place)
    if (pes.dts33 !== undefined && (pts90k === dts90k || this.kind === 'audio')) {
      report('dts-redundant', `DTS ${dts90k} beside PTS ${pts90k}`, place)
    }
    if (this.#lastDts !== undefined && dts90k <= this.#lastDts) {
      report('dts-order', `DTS ${dts90k} after ${this.#lastDts}`, place)
    }
    this.#lastDts = dts90k
    clock.checkDts(dts90k, span, this.kind, this.pid === pcrPid, place)
    return { pts90k, dts90k }
  }
}

function placeOf(packet: TransportPacket): { segment: number; offset: number; pid: number } {
  return { segment: packet.segment, offset: packet.offset, pid: packet.pid }
}
