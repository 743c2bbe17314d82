import type { Report } from '../finding.js'
import { unwrapNear, WRAP_27M, WRAP_90K } from './clock.js'
import type { ListedPcr } from './listing.js'
import type { TransportPacket } from './packet.js'
import type { TransportStreamRule } from './rules.js'

/** What the clock was when a PES packet began and when its last byte came. */
export interface ClockSpan {
  /** 27 MHz; undefined before the first PCR. */
  readonly pcrAtStart: number | undefined
  readonly pcrAtEnd: number | undefined
  /** How many PCRs had come by its start. */
  readonly pcrCount: number
}

const MAX_INTERVAL_27M = 2_700_000
/** One tick of 90 kHz: senders round the PCR to it. */
const TOLERANCE_27M = 300
/** T-STD: how long data may wait, in 90 kHz (ISO/IEC 13818-1 §2.4.2.6). */
const MAX_DELAY_90K = { video: 900_000, audio: 90_000, other: 900_000 }

/** The program's clock: unwraps PCR, PTS and DTS onto one line and holds them against each other. */
export class ClockChecker {
  readonly pcrs: ListedPcr[] = []
  readonly #report: Report<TransportStreamRule>
  #pcr: number | undefined
  #count = 0
  /** The last value on the line, in 90 kHz, which the next is unwrapped against. */
  #reference: number | undefined
  /** DTS of the first PES packet of the PCR PID since the last PCR. */
  #dtsAtPcr: { readonly count: number; readonly dts90k: number } | undefined

  constructor(report: Report<TransportStreamRule>) {
    this.#report = report
  }

  /** A discontinuity: the line starts anew. */
  reset(): void {
    this.#pcr = undefined
    this.#reference = undefined
    this.#dtsAtPcr = undefined
  }

  get pcr27m(): number | undefined {
    return this.#pcr
  }

  get pcrCount(): number {
    return this.#count
  }

  addPcr(packet: TransportPacket, coded27m: number): void {
    const place = { segment: packet.segment, offset: packet.offset, pid: packet.pid }
    const reference = this.#reference
    const pcr27m = reference === undefined ? coded27m : unwrapNear(coded27m, reference * 300, WRAP_27M)
    if (this.#pcr !== undefined) {
      const step = pcr27m - this.#pcr
      if (step <= 0) this.#report('pcr-order', `PCR ${pcr27m} after ${this.#pcr}`, place)
      else if (step > MAX_INTERVAL_27M + TOLERANCE_27M) {
        this.#report('pcr-interval', `${(step / 27_000).toFixed(1)} ms since the PCR before, above 100`, place)
      }
    }
    this.#pcr = pcr27m
    this.#count++
    this.#reference = Math.floor(pcr27m / 300)
    this.pcrs.push({ ...place, pcr27m })
  }

  /** PTS and DTS of a PES packet on the line. */
  unwrap(pts33: number, dts33: number | undefined, span: ClockSpan): { pts90k: number; dts90k: number } {
    const reference = span.pcrAtStart === undefined ? this.#reference : span.pcrAtStart / 300
    const pts90k = reference === undefined ? pts33 : unwrapNear(pts33, reference, WRAP_90K)
    const dts90k = dts33 === undefined ? pts90k : unwrapNear(dts33, pts90k, WRAP_90K)
    if (this.#reference === undefined || this.#pcr === undefined) this.#reference = dts90k
    return { pts90k, dts90k }
  }

  /** Holds a DTS against the PCRs around it. */
  checkDts(
    dts90k: number,
    span: ClockSpan,
    kind: 'video' | 'audio' | 'other',
    isPcrPid: boolean,
    place: { segment: number; offset: number; pid: number },
  ): void {
    const { pcrAtStart, pcrAtEnd, pcrCount } = span
    if (pcrAtEnd !== undefined && pcrAtEnd > dts90k * 300) {
      const where = pcrAtStart !== undefined && pcrAtStart > dts90k * 300 ? 'before' : 'inside'
      const lateMs = ((pcrAtEnd - dts90k * 300) / 27_000).toFixed(1)
      this.#report('pcr-ahead', `a PCR ${where} the PES packet is ${lateMs} ms later than its DTS ${dts90k}`, place)
    }
    if (pcrAtStart !== undefined) {
      const delay90k = dts90k - pcrAtStart / 300
      if (delay90k > MAX_DELAY_90K[kind]) {
        const limit = MAX_DELAY_90K[kind] / 90_000
        this.#report('decoding-delay', `${(delay90k / 90_000).toFixed(2)} s from PCR to DTS, above ${limit} s`, place)
      }
    }
    if (!isPcrPid) return
    if (this.#dtsAtPcr?.count !== pcrCount) this.#dtsAtPcr = { count: pcrCount, dts90k }
    else if (dts90k - this.#dtsAtPcr.dts90k > (MAX_INTERVAL_27M + TOLERANCE_27M) / 300) {
      const ms = (dts90k - this.#dtsAtPcr.dts90k) / 90
      this.#report('pcr-interval', `${ms.toFixed(1)} ms of media since the last PCR, above 100`, place)
    }
  }
}
