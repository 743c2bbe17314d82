/** Fitting a line through sender reports that scatter, drift and sometimes lie. Pure arithmetic, no time of its own. */

/** One observation of a source clock: at `rtp` (extended RTP timestamp) the reference stood at `reference`; both in ticks. */
export interface ClockPoint {
  readonly rtp: number
  readonly reference: number
}

/** A piecewise linear map from RTP time to reference time, both in ticks of the RTP clock. */
export interface ClockFit {
  /** By rising `rtp`. With a single knot the slope is 1 throughout. */
  readonly knots: readonly ClockPoint[]
}

/**
 * Below this span, in seconds, a clock is taken to run at its nominal rate: the scatter of single reports (3 to 8 ms
 * from Chromium's audio) would bend a slope more than the drift it is to measure (500 ppm make 15 ms either way here).
 */
const NOMINAL_SPAN_SECONDS = 60
/** Distance of the knots of a long fit, in seconds: how fast a change of drift (a warming crystal) is followed. */
const KNOT_SECONDS = 30
/** Reports this far on either side of a knot count for it, in seconds. */
const WINDOW_SECONDS = 90
/** Points that one local fit looks at; more are thinned evenly. Theil-Sen costs the square of it. */
const MAX_FIT_POINTS = 40
/** No clock that media run by is off by more; a steeper slope is a fault of the reports. */
const MAX_DRIFT = 0.002

/** Fits all points of one source. `undefined` without points. */
export function fitClock(points: readonly ClockPoint[], clockRate: number): ClockFit | undefined {
  const first = points[0]
  if (first === undefined) return undefined
  const sorted = [...points].sort((a, b) => a.rtp - b.rtp)
  const start = sorted[0] as ClockPoint
  const span = (sorted.at(-1) as ClockPoint).rtp - start.rtp
  if (span < NOMINAL_SPAN_SECONDS * clockRate) {
    return { knots: [{ rtp: start.rtp, reference: start.rtp + medianOffset(sorted) }] }
  }
  const intervals = Math.max(1, Math.round(span / (KNOT_SECONDS * clockRate)))
  const knots: ClockPoint[] = []
  for (let i = 0; i <= intervals; i++) {
    const rtp = start.rtp + Math.round((span * i) / intervals)
    knots.push({ rtp, reference: fitLocally(sorted, rtp, clockRate) })
  }
  return { knots }
}

/** Reference time of `rtp`; beyond the first and last knot their segment's slope goes on. */
export function evaluateFit(fit: ClockFit, rtp: number): number {
  const { knots } = fit
  const only = knots[0] as ClockPoint
  if (knots.length === 1) return rtp + (only.reference - only.rtp)
  let low = 0
  let high = knots.length - 2
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((knots[middle] as ClockPoint).rtp <= rtp) low = middle
    else high = middle - 1
  }
  const a = knots[low] as ClockPoint
  const b = knots[low + 1] as ClockPoint
  return a.reference + ((rtp - a.rtp) * (b.reference - a.reference)) / (b.rtp - a.rtp)
}

function fitLocally(sorted: readonly ClockPoint[], rtp: number, clockRate: number): number {
  const reach = WINDOW_SECONDS * clockRate
  let near = thin(sorted.slice(firstAtOrAfter(sorted, rtp - reach), firstAtOrAfter(sorted, rtp + reach + 1)))
  // Reports can be missing for minutes: the nearest ones must do then.
  if (near.length === 0) {
    near = [...sorted].sort((a, b) => Math.abs(a.rtp - rtp) - Math.abs(b.rtp - rtp)).slice(0, 8)
  }
  const kept = withoutOutliers(near, clockRate)
  const slope = theilSenDrift(kept)
  return rtp + median(kept.map((point) => point.reference - point.rtp - slope * (point.rtp - rtp)))
}

/** Index of the first point whose RTP time is not before `rtp`. */
function firstAtOrAfter(sorted: readonly ClockPoint[], rtp: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as ClockPoint).rtp < rtp) low = middle + 1
    else high = middle
  }
  return low
}

/** Reports that stand off by more than the scatter of all explains (three times its median, at least 20 ms) do not count. */
function withoutOutliers(points: readonly ClockPoint[], clockRate: number): readonly ClockPoint[] {
  if (points.length < 4) return points
  const slope = theilSenDrift(points)
  const origin = (points[0] as ClockPoint).rtp
  const level = (point: ClockPoint): number => point.reference - point.rtp - slope * (point.rtp - origin)
  const middle = median(points.map(level))
  const deviations = points.map((point) => Math.abs(level(point) - middle))
  const limit = Math.max(3 * 1.4826 * median(deviations), 0.02 * clockRate)
  return points.filter((_, index) => (deviations[index] as number) <= limit)
}

/** Median of the slopes between all pairs (Theil-Sen), less 1: the drift of the source clock. */
function theilSenDrift(points: readonly ClockPoint[]): number {
  const slopes: number[] = []
  for (let i = 0; i < points.length; i++) {
    const a = points[i] as ClockPoint
    for (let j = i + 1; j < points.length; j++) {
      const b = points[j] as ClockPoint
      if (b.rtp !== a.rtp) slopes.push((b.reference - b.rtp - (a.reference - a.rtp)) / (b.rtp - a.rtp))
    }
  }
  if (slopes.length === 0) return 0
  return Math.max(-MAX_DRIFT, Math.min(MAX_DRIFT, median(slopes)))
}

function medianOffset(points: readonly ClockPoint[]): number {
  return Math.round(median(points.map((point) => point.reference - point.rtp)))
}

function thin(points: readonly ClockPoint[]): readonly ClockPoint[] {
  if (points.length <= MAX_FIT_POINTS) return points
  const step = points.length / MAX_FIT_POINTS
  return Array.from({ length: MAX_FIT_POINTS }, (_, i) => points[Math.floor(i * step)] as ClockPoint)
}

/** Of no numbers: 0. */
export function median(values: readonly number[]): number {
  if (values.length === 0) return 0
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}
