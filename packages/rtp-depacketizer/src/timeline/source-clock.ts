import { ArrivalEnvelope, type QuickestArrival, transitOf } from './arrival-envelope.js'
import { type ClockFit, type ClockPoint, evaluateFit, fitClock, fitTrailing } from './clock-fit.js'
import { type JumpCause, type ObservedReport, type OffsetJump, ReportFilter } from './report-filter.js'
import type { WallClock } from './wall-clock.js'

/** A stretch of a source over which its media clock only drifts. */
interface Stretch {
  readonly fromRtp: number
  points: ClockPoint[]
  fit: ClockFit | undefined
  isStale: boolean
}

/** What a source asks of the others of its participant. */
export interface SourceSurroundings {
  /** By how much the least transit of the other tracks changed between two stretches of arrival time, drift aside. */
  othersChangeUs(before: readonly [number, number], after: readonly [number, number]): number | undefined
  /**
   * Whether a report (NTP less RTP time, arrival less NTP time) places the media about as far behind its capture as the
   * other tracks stand behind theirs.
   */
  isPlausible(offsetUs: number, transitUs: number): boolean
  /** A step of the reports' clock that explains a first report which is not plausible. */
  stepBefore(offsetUs: number): number | undefined
}

/** Seconds of arrivals of which each is known by itself: what decides on a jump, with audio reports 6 s apart. */
const FINE: { windowUs: number; maxWindows: number; whenFull: 'drop-oldest' } = {
  windowUs: 1_000_000,
  maxWindows: 90,
  whenFull: 'drop-oldest',
}
const COARSE_WINDOW_US = 10_000_000
/** Half a day of stretches; beyond, every second one goes. Live, ten minutes. */
const MAX_COARSE_WINDOWS = 4320
const MAX_RECENT_WINDOWS = 60
/** Reports kept: three hours of one a second. Older ones are thinned, every second one. Live, five minutes. */
const MAX_REPORTS = 10_800
const MAX_RECENT_REPORTS = 300
/** Media arrivals that a jump is judged by, before it. */
const BEFORE_US = 8_000_000
/** Media clocks that jumped within one RTP time, kept. */
const MAX_STRETCHES = 256

/** The media clock of one source between two restarts: RTP time to the sender's wall clock, and to arrival. */
export class SourceClock {
  readonly trackId: string
  readonly epoch: number
  readonly clockRate: number
  /** The arrival of its first unit, recording time; what came before belongs to the source before it. */
  readonly fromUs: number
  firstRtp: number | undefined
  cname: string | undefined
  wall: WallClock | undefined
  /** How many of the wall clock's steps this source has been told of. */
  stepsSeen = 0
  readonly filter: ReportFilter
  readonly fine: ArrivalEnvelope
  readonly coarse: ArrivalEnvelope
  /** Arrival less NTP of each report as it stands, microseconds. */
  readonly transitsUs: number[] = []
  arrivalFit: ClockFit | undefined
  arrivalFitIsStale = true
  /** Whether that fit leads to the time of the reference clock, or to that of the recorder. */
  arrivalIsByReference = false
  readonly #live: boolean
  readonly #around: SourceSurroundings
  readonly #stretches: Stretch[]

  constructor(
    facts: { readonly trackId: string; readonly epoch: number; readonly clockRate: number; readonly fromUs: number },
    live: boolean,
    around: SourceSurroundings,
  ) {
    this.trackId = facts.trackId
    this.epoch = facts.epoch
    this.clockRate = facts.clockRate
    this.fromUs = facts.fromUs
    this.#live = live
    this.#around = around
    this.fine = new ArrivalEnvelope(FINE)
    this.coarse = new ArrivalEnvelope(
      live
        ? { windowUs: COARSE_WINDOW_US, maxWindows: MAX_RECENT_WINDOWS, whenFull: 'drop-oldest' }
        : { windowUs: COARSE_WINDOW_US, maxWindows: MAX_COARSE_WINDOWS, whenFull: 'thin' },
    )
    this.#stretches = [{ fromRtp: Number.NEGATIVE_INFINITY, points: [], fit: undefined, isStale: false }]
    this.filter = new ReportFilter({
      causeOf: (jump) => this.#causeOf(jump),
      isPlausible: ({ rtpUs, offsetUs, arrivalUs }) =>
        arrivalUs === undefined || this.#around.isPlausible(offsetUs, arrivalUs - rtpUs - offsetUs),
      stepBefore: (report) => this.#around.stepBefore(report.offsetUs),
      moved: (jump) => this.#moved(jump),
      stepped: (byUs) => this.wall?.stepped(byUs, this.trackId),
      accepted: (report) => this.#accepted(report),
    })
  }

  get hasReports(): boolean {
    return this.#stretches.some((stretch) => stretch.points.length > 0)
  }

  get reports(): number {
    return this.#stretches.reduce((sum, stretch) => sum + stretch.points.length, 0)
  }

  /** A unit has arrived. */
  arrived(rtp: number, arrivalUs: number): void {
    const rtpUs = (rtp * 1_000_000) / this.clockRate
    this.fine.add(arrivalUs, rtpUs)
    if (this.coarse.add(arrivalUs, rtpUs)) this.arrivalFitIsStale = true
  }

  /** A report has come; NTP time in microseconds after the start of the recording (or the first report). */
  reported(rtp: number, ntpUs: number, arrivalUs: number | undefined): void {
    if (arrivalUs !== undefined) bounded(this.transitsUs, arrivalUs - ntpUs, this.#live)
    const { wall, filter } = this
    if (wall !== undefined) {
      for (; this.stepsSeen < wall.steps.length; this.stepsSeen++) {
        const step = wall.steps[this.stepsSeen] as (typeof wall.steps)[number]
        if (step.trackId !== this.trackId) filter.suggestStep(step.byUs)
      }
    }
    const rtpUs = (rtp * 1_000_000) / this.clockRate
    filter.push({ rtpUs, offsetUs: ntpUs - rtpUs, arrivalUs })
  }

  /** By how much the least transit changed between two stretches of arrival time, but for the drift. */
  changeUs(before: readonly [number, number], after: readonly [number, number]): number | undefined {
    const old = this.fine.quickest(...before) ?? this.coarse.quickest(...before)
    const now = this.fine.quickest(...after)
    if (old === undefined || now === undefined) return undefined
    return transitOf(now) - transitOf(old) - this.filter.drift * (now.clockUs - old.clockUs)
  }

  /** Wall clock time of an RTP time, in ticks of the RTP clock. */
  toWallTicks(rtp: number): number | undefined {
    let at = this.#stretches.length - 1
    while (at > 0 && (this.#stretches[at] as Stretch).fromRtp > rtp) at--
    let stretch = this.#stretches[at] as Stretch
    if (stretch.points.length === 0 && at > 0) stretch = this.#stretches[at - 1] as Stretch
    if (stretch.isStale) {
      const fit = this.#live ? fitTrailing : fitClock
      stretch.fit = fit(stretch.points, this.clockRate, this.filter.drift)
      stretch.isStale = false
    }
    return stretch.fit === undefined ? undefined : evaluateFit(stretch.fit, rtp)
  }

  #accepted(report: ObservedReport): void {
    const rtp = Math.round((report.rtpUs * this.clockRate) / 1_000_000)
    const reference = rtp + (report.offsetUs * this.clockRate) / 1_000_000
    const stretch = this.#stretches.at(-1) as Stretch
    const { points } = stretch
    let at = points.length
    while (at > 0 && (points[at - 1] as ClockPoint).rtp > rtp) at--
    points.splice(at, 0, { rtp, reference })
    if (this.#live && points.length > MAX_RECENT_REPORTS) points.shift()
    else if (points.length > MAX_REPORTS) stretch.points = points.filter((_, i) => i % 2 === 0)
    stretch.isStale = true
    if (this.wall === undefined) return
    this.wall.reports++
    if (report.arrivalUs !== undefined) this.wall.observe(report.arrivalUs, report.rtpUs + report.offsetUs)
  }

  /** Only the media itself can move its arrival: where that stayed, the reports were made by a clock that was set. */
  #causeOf(jump: OffsetJump): JumpCause {
    if (jump.afterUs === undefined || jump.beforeUs === undefined) return 'media'
    const before = [jump.afterUs - BEFORE_US, jump.afterUs] as const
    const after = [jump.beforeUs, Number.POSITIVE_INFINITY] as const
    const change = this.changeUs(before, after)
    if (change === undefined) return undefined
    const movedUs = change - (this.#around.othersChangeUs(before, after) ?? 0)
    return Math.abs(movedUs - jump.byUs) < Math.abs(movedUs) ? 'media' : 'reports'
  }

  #moved(jump: OffsetJump): void {
    const current = this.#stretches.at(-1) as Stretch
    if (jump.afterUs === undefined || jump.beforeUs === undefined) {
      current.points = []
      current.fit = undefined
      return
    }
    const fromRtp = Math.round((this.#jumpedAtUs(jump) * this.clockRate) / 1_000_000)
    this.#stretches.push({ fromRtp, points: [], fit: undefined, isStale: false })
    if (this.#live || this.#stretches.length > MAX_STRETCHES) this.#stretches.splice(0, this.#stretches.length - 2)
  }

  /** The RTP time at which arrival shows the jump: reports only tell that it lies between two of them. */
  #jumpedAtUs(jump: OffsetJump): number {
    const afterUs = jump.afterUs as number
    const old = this.fine.quickest(afterUs - BEFORE_US, afterUs)
    let last: QuickestArrival | undefined
    for (const window of this.fine.windows) {
      if (window.atUs <= afterUs) continue
      last = window
      if (old === undefined || window.atUs >= (jump.beforeUs as number)) break
      if (Math.abs(transitOf(window) - transitOf(old) - jump.byUs) < Math.abs(jump.byUs) / 2) break
    }
    return last?.clockUs ?? Number.POSITIVE_INFINITY
  }
}

function bounded(values: number[], value: number, live: boolean): void {
  values.push(value)
  if (live && values.length > MAX_RECENT_REPORTS) values.shift()
  else if (values.length > MAX_REPORTS) {
    let kept = 0
    for (let i = 0; i < values.length; i += 2) values[kept++] = values[i] as number
    values.length = kept
  }
}
