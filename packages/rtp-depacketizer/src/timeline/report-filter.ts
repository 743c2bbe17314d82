import { median, theilSenDrift, thin } from './clock-fit.js'

/** A sender report as the filter sees it, in microseconds. */
export interface ObservedReport {
  /** RTP time. */
  readonly rtpUs: number
  /** NTP time less RTP time: steady but for drift, scatter and lies. */
  readonly offsetUs: number
  /** Undefined where the host gave none. */
  readonly arrivalUs: number | undefined
}

/** A jump of the offset that a second report has confirmed. */
export interface OffsetJump {
  readonly byUs: number
  /** Between these arrivals. */
  readonly afterUs: number | undefined
  readonly beforeUs: number | undefined
}

/** What a jump is: of the media, or of the clock that the reports were made with. `undefined`: cannot be told yet. */
export type JumpCause = 'media' | 'reports' | undefined

/** What a filter asks of its source. */
export interface ReportJudge {
  /** Decides a confirmed jump, by the arrival of the media. */
  causeOf(jump: OffsetJump): JumpCause
  /** Whether a first report, with nothing to hold it against but arrival, can be true. */
  isPlausible(report: ObservedReport): boolean
  /** What to take off the first reports of a source that cannot be true: a step that nobody has seen yet. */
  stepBefore(report: ObservedReport): number | undefined
  /** A jump was found to be of the media: what was accepted up to now is of the past. */
  moved(jump: OffsetJump): void
  /** The reports' clock was set: a step that the other sources of the clock may share. */
  stepped(byUs: number): void
  accepted(report: ObservedReport): void
}

/** Reports that say where the offset stands now: half a minute of the rare ones. */
const LEVEL_REPORTS = 5
/** Reports that drift is known from: a minute and a half of those of video. */
const HISTORY = 96
/** Residuals that scatter is known from. */
const RESIDUALS = 24
const DRIFT_SPAN_US = 60_000_000
/** How far a report may stand from the level: three times the scatter, and within these. */
const MIN_TOLERANCE_US = 12_000
const MAX_TOLERANCE_US = 40_000
/** Growth of the tolerance with the time since the last report: drift not known yet, and what is not known of drift. */
const UNKNOWN_DRIFT = 0.001
const DRIFT_ERROR = 0.0001
/** Two reports off by as much as each other. */
const AGREEMENT_US = 30_000
/** Reports that are held while a jump is not decided; older ones are forgotten. */
const MAX_HELD = 8

/**
 * Keeps what is wrong with sender reports away from the fit: single reports that are far off are dropped, and steps of
 * the sender's wall clock (or of the RTP time in the reports) are taken off, so that what is left only drifts.
 */
export class ReportFilter {
  readonly #judge: ReportJudge
  #history: ObservedReport[] = []
  readonly #residuals: number[] = []
  #held: ObservedReport[] = []
  #drift = 0
  #driftKnown = false
  #sinceDrift = 0
  /** Taken off all offsets: the steps so far. */
  #shiftUs = 0
  /** A step of another source of the same wall clock, not yet seen or refuted here. */
  #candidateUs = 0
  #outliers = 0
  #steps = 0

  constructor(judge: ReportJudge) {
    this.#judge = judge
  }

  /** Reports that were dropped. */
  get outliers(): number {
    return this.#outliers
  }

  /** Steps that were taken off. */
  get steps(): number {
    return this.#steps
  }

  get shiftUs(): number {
    return this.#shiftUs
  }

  /** Steps of the wall clock that happened before the first report of this source. */
  set shiftUs(shiftUs: number) {
    this.#shiftUs = shiftUs
  }

  /** Typical distance of a report from the level, microseconds. */
  get scatterUs(): number {
    return this.#residuals.length < 6 ? MAX_TOLERANCE_US / 4 : 1.4826 * median(this.#residuals.map(Math.abs))
  }

  /** Of the media clock against the reports' clock, as far as it is known. */
  get drift(): number {
    return this.#drift
  }

  /** What is known of it before the first report. */
  set drift(drift: number) {
    this.#drift = drift
  }

  get isEmpty(): boolean {
    return this.#history.length === 0
  }

  /** Another source of the same wall clock has found a step. */
  suggestStep(byUs: number): void {
    if (this.#history.length > 0) this.#candidateUs += byUs
  }

  push(raw: ObservedReport): void {
    const report = { ...raw, offsetUs: raw.offsetUs - this.#shiftUs }
    if (this.#history.length === 0) this.#begin(report)
    else if (this.#candidateUs !== 0) this.#try(report)
    else this.#judgeReport(report)
  }

  /** No more will come: reports that waited for a second one are better than none. */
  settle(): void {
    if (this.#history.length > 0) return
    for (const report of this.#held.splice(0)) this.#accept(report)
  }

  #begin(report: ObservedReport): void {
    if (this.#judge.isPlausible(report)) {
      this.#outliers += this.#held.length
      this.#held = []
      this.#accept(report)
      return
    }
    const agreeing = this.#held.filter((other) => agree(other, report))
    this.#hold(report)
    if (agreeing.length === 0) return
    this.#outliers += this.#held.length - agreeing.length - 1
    this.#held = []
    const step = this.#judge.stepBefore(report)
    if (step !== undefined) {
      this.#shiftUs += step
      this.#steps++
    }
    for (const one of [...agreeing, report]) this.#accept({ ...one, offsetUs: one.offsetUs - (step ?? 0) })
  }

  #judgeReport(report: ObservedReport): void {
    const residual = report.offsetUs - this.#expected(report)
    if (Math.abs(residual) <= this.#tolerance(report)) {
      this.#outliers += this.#held.length
      this.#held = []
      this.#residuals.push(residual)
      if (this.#residuals.length > RESIDUALS) this.#residuals.shift()
      this.#accept(report)
      return
    }
    if (this.#history.length === 1 && this.#isRefutedBy(report)) {
      this.#outliers += 1 + this.#held.length
      this.#restart()
      this.#judge.moved({ byUs: 0, afterUs: undefined, beforeUs: undefined })
      this.#accept(report)
      return
    }
    const last = this.#held.at(-1)
    if (last !== undefined && !agree(last, report)) {
      this.#outliers += this.#held.length
      this.#held = []
    }
    this.#hold(report)
    if (this.#held.length >= 2) this.#decide()
  }

  /** Of a first report and one that contradicts it, arrival tells which is wrong, where other tracks have reports by now. */
  #isRefutedBy(report: ObservedReport): boolean {
    return !this.#judge.isPlausible(this.#history[0] as ObservedReport) && this.#judge.isPlausible(report)
  }

  /** The reports held agree with each other and not with those before. */
  #decide(): void {
    const held = this.#held
    // The very first ones were wrong, and there is nothing of them to keep.
    if (this.#history.length < Math.min(3, held.length)) {
      this.#outliers += this.#history.length
      this.#restart()
      this.#judge.moved({ byUs: 0, afterUs: undefined, beforeUs: undefined })
      for (const report of held) this.#accept(report)
      return
    }
    if (this.#history.length < 3) return
    const jump: OffsetJump = {
      byUs: median(held.map((report) => report.offsetUs - this.#expected(report))),
      afterUs: this.#history.at(-1)?.arrivalUs,
      beforeUs: held[0]?.arrivalUs,
    }
    const cause = this.#judge.causeOf(jump)
    if (cause === undefined) return
    if (cause === 'media') {
      this.#restart()
      this.#judge.moved(jump)
      for (const report of held) this.#accept(report)
      return
    }
    this.#held = []
    this.#stepBy(jump.byUs, held)
    this.#judge.stepped(jump.byUs)
  }

  /** Whether this source shows the step that another one has found: three reports tell, two of a large one. */
  #try(report: ObservedReport): void {
    this.#hold(report)
    const candidate = this.#candidateUs
    const held = this.#held
    if (held.length < (Math.abs(candidate) > 2 * MAX_TOLERANCE_US ? 2 : 3)) return
    const residual = median(held.map((one) => one.offsetUs - this.#expected(one)))
    this.#candidateUs = 0
    this.#held = []
    if (Math.abs(residual - candidate) < Math.abs(residual)) this.#stepBy(candidate, held)
    else for (const one of held) this.#judgeReport(one)
  }

  /** Takes the step off, and what stood on it back in. */
  #stepBy(byUs: number, held: readonly ObservedReport[]): void {
    this.#shiftUs += byUs
    this.#steps++
    for (const report of held) this.#judgeReport({ ...report, offsetUs: report.offsetUs - byUs })
  }

  #hold(report: ObservedReport): void {
    this.#held.push(report)
    if (this.#held.length > MAX_HELD) this.#held.shift()
  }

  #restart(): void {
    this.#history = []
    this.#held = []
    this.#sinceDrift = 0
  }

  #accept(report: ObservedReport): void {
    this.#history.push(report)
    if (this.#history.length > HISTORY) this.#history.shift()
    const first = this.#history[0] as ObservedReport
    if (report.rtpUs - first.rtpUs >= DRIFT_SPAN_US && this.#sinceDrift-- <= 0) {
      this.#drift = theilSenDrift(
        thin(this.#history).map(({ rtpUs, offsetUs }) => ({ rtp: rtpUs, reference: rtpUs + offsetUs })),
      )
      this.#driftKnown = true
      this.#sinceDrift = LEVEL_REPORTS
    }
    this.#judge.accepted(report)
  }

  #expected(report: ObservedReport): number {
    const level = this.#history.slice(-LEVEL_REPORTS)
    return median(level.map((one) => one.offsetUs + this.#drift * (report.rtpUs - one.rtpUs)))
  }

  #tolerance(report: ObservedReport): number {
    const age = Math.max(0, report.rtpUs - (this.#history.at(-1) as ObservedReport).rtpUs)
    const own = Math.min(MAX_TOLERANCE_US, Math.max(MIN_TOLERANCE_US, 3 * this.scatterUs))
    return own + age * (this.#driftKnown ? DRIFT_ERROR : UNKNOWN_DRIFT)
  }
}

function agree(a: ObservedReport, b: ObservedReport): boolean {
  return Math.abs(a.offsetUs - b.offsetUs) <= AGREEMENT_US + Math.abs(a.rtpUs - b.rtpUs) * UNKNOWN_DRIFT
}
