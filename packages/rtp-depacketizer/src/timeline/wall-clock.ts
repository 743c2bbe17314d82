import { ArrivalEnvelope, type QuickestArrival, transitOf } from './arrival-envelope.js'
import {
  type ClockFit,
  type ClockPoint,
  evaluateFit,
  fitClock,
  fitTrailing,
  median,
  theilSenDrift,
  thin,
} from './clock-fit.js'

/** Some reports even of audio, so that the quickest of them was not held up. */
const WINDOW_US = 10_000_000
/** Half a day of stretches; beyond, every second one goes. */
const MAX_WINDOWS = 4320
/** Stretches that a drift is believed by: a minute and a half of them. */
const MIN_DRIFT_WINDOWS = 9
/** What a drift must have come to before it counts: less is within what networks do. */
const MIN_DRIFT_US = 50_000
/** How straight it must be: the median distance from the line, of what the drift has come to. */
const MAX_BEND = 0.1
/** Clocks of different names whose reports take as long as each other are one clock (RFC 3550 §6.5.1 names hosts). */
const SAME_CLOCK_US = 20_000
/** Two clocks, each off by 500 ppm: what grows faster is a network that fills up. */
const MAX_WALL_DRIFT = 0.00105
/** Live, a better knowledge of the clock comes in this slowly, in the same way for all tracks: their sync never feels it. */
const CORRECTION_RATE = 0.02
/** Corrections that were in use of late: those of the units that are still to come. */
const MAX_CORRECTIONS = 64
/** Steps told to other sources; a clock that is set more often is left to each of them. */
const MAX_STEPS = 1024
/** Live, clocks are compared over the last stretches. */
const RECENT_WINDOWS = 18

/**
 * The wall clock of a sender, as its reports show it: how it stands to the recording, and how it drifts against the
 * recorder's clock. Times are microseconds: of the clock itself, less the start of the recording (with its own steps
 * taken off), and of arrival in recording time.
 */
export class WallClock {
  readonly #envelope = new ArrivalEnvelope({ windowUs: WINDOW_US, maxWindows: MAX_WINDOWS, whenFull: 'thin' })
  /** Reports that were believed, of all its sources. */
  reports = 0
  /** Steps that its sources have found, in order, and the track that found them. */
  readonly steps: { readonly byUs: number; readonly trackId: string }[] = []
  #line: Line | undefined
  /** A drift was believed; what has been believed is given up less easily. */
  #drifts = false
  #alignment: ClockFit | undefined
  #alignedTo: WallClock | undefined
  #isStale = true
  readonly #live: boolean
  /** What was in use, by rising time; live only. */
  #corrections: { readonly atUs: number; readonly us: number }[] = []
  #wasTrusted = false

  constructor(live: boolean) {
    this.#live = live
  }

  /** A report of this clock. */
  observe(arrivalUs: number, clockUs: number): void {
    if (this.#live && this.reports > 1 && clockUs > (this.#corrections.at(-1)?.atUs ?? Number.NEGATIVE_INFINITY)) {
      this.#corrections.push({ atUs: clockUs, us: this.correctionUs(clockUs, this.#wasTrusted) })
      if (this.#corrections.length > MAX_CORRECTIONS) this.#corrections.shift()
    }
    const { length } = this.#envelope.windows
    if (!this.#envelope.add(arrivalUs, clockUs)) return
    this.#isStale = true
    if (this.#envelope.windows.length !== length || length < MIN_DRIFT_WINDOWS) this.#line = undefined
  }

  /** A source has found that the clock was set. */
  stepped(byUs: number, trackId: string): void {
    if (this.steps.length < MAX_STEPS) this.steps.push({ byUs, trackId })
  }

  /** Microseconds between this clock and the recorder's, network included, drift taken off. */
  get offsetUs(): number {
    return this.#fitLine().medianUs
  }

  /** What to add to a time of this clock for recording time: where it is believed as it stands, or only its differences. */
  correctionUs(clockUs: number, trusted: boolean): number {
    const line = this.#fitLine()
    const known = line.drift * (clockUs - line.sinceUs) + (trusted ? 0 : line.leastUs)
    if (trusted !== this.#wasTrusted) {
      this.#wasTrusted = trusted
      this.#corrections = []
    }
    const used = this.#corrections.findLast(({ atUs }) => atUs <= clockUs) ?? this.#corrections[0]
    if (used === undefined) return known
    const reach = CORRECTION_RATE * Math.max(0, clockUs - used.atUs)
    return used.us + Math.max(-reach, Math.min(reach, known - used.us))
  }

  /** What to add to a time of this clock for the same time by `reference`, by the arrivals of the reports of both. */
  differenceUs(clockUs: number, reference: WallClock, live: boolean): number {
    if (this.#alignedTo !== reference || this.#isStale) {
      if (this.#alignedTo !== reference) this.#alignment = undefined
      this.#alignedTo = reference
      this.#isStale = false
      this.#alignment = this.#align(reference, live)
    }
    return this.#alignment === undefined ? 0 : evaluateFit(this.#alignment, clockUs) - clockUs
  }

  #align(reference: WallClock, live: boolean): ClockFit | undefined {
    const windows = live ? this.#envelope.windows.slice(-RECENT_WINDOWS) : this.#envelope.windows
    const points: ClockPoint[] = []
    for (const window of windows) {
      const other = reference.#envelope.nearest(window.atUs)
      if (other === undefined) continue
      points.push({ rtp: window.clockUs, reference: window.clockUs + transitOf(window) - transitOf(other) })
    }
    const differences = points.map((point) => point.reference - point.rtp)
    // Two clocks that drift may agree for a while, and are two all the same.
    const agree = Math.abs(median(differences)) < SAME_CLOCK_US && spreadOf(differences) < SAME_CLOCK_US
    if (agree && this.#alignment === undefined) return undefined
    return live ? fitTrailing(points, 1_000_000) : fitClock(points, 1_000_000)
  }

  #fitLine(): Line {
    if (this.#line === undefined) {
      this.#line = lineBelow(this.#envelope.windows, this.#drifts)
      this.#drifts = this.#line.drift !== 0
    }
    return this.#line
  }
}

interface Line {
  /** Of the recorder's clock against this one; 0 where it is not to be told from the network. */
  readonly drift: number
  readonly sinceUs: number
  /** Transits with the drift taken off. */
  readonly medianUs: number
  readonly leastUs: number
}

function lineBelow(windows: readonly QuickestArrival[], wasClock: boolean): Line {
  const sinceUs = windows[0]?.clockUs ?? 0
  const drift = driftOf(windows, wasClock)
  const level = (window: QuickestArrival): number => transitOf(window) - drift * (window.clockUs - sinceUs)
  return {
    drift,
    sinceUs,
    medianUs: median(thin(windows).map(level)),
    leastUs: windows.length === 0 ? 0 : windows.reduce((least, window) => Math.min(least, level(window)), Infinity),
  }
}

/** Delays of a network come and go: what grows in a straight line for minutes is a clock. */
function driftOf(windows: readonly QuickestArrival[], wasClock: boolean): number {
  if (windows.length < MIN_DRIFT_WINDOWS) return 0
  const points = thin(windows).map((window) => ({ rtp: window.clockUs, reference: window.atUs }))
  const drift = theilSenDrift(points)
  const levels = points.map((point) => point.reference - point.rtp - drift * point.rtp)
  const total = Math.abs(drift) * ((points.at(-1) as ClockPoint).rtp - (points[0] as ClockPoint).rtp)
  const bend = (wasClock ? 3 : 1) * MAX_BEND * total
  const isClock = Math.abs(drift) <= MAX_WALL_DRIFT && total >= MIN_DRIFT_US && spreadOf(levels) <= bend
  return isClock ? drift : 0
}

/** Median distance from the median. */
function spreadOf(values: readonly number[]): number {
  const middle = median(values)
  return median(values.map((value) => Math.abs(value - middle)))
}
