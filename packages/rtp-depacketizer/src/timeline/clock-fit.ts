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
/** Points that a slope needs. */
const MIN_FIT_POINTS = 12
/** No clock that media run by is off by more; a steeper slope is a fault of the reports. */
const MAX_DRIFT = 0.002

/** Fits all points of one source. `undefined` without points. `nominalDrift` is taken while they span less than a minute. */
export function fitClock(points: readonly ClockPoint[], clockRate: number, nominalDrift = 0): ClockFit | undefined {
  const first = points[0]
  if (first === undefined) return undefined
  const sorted = [...points].sort((a, b) => a.rtp - b.rtp)
  const start = sorted[0] as ClockPoint
  const span = (sorted.at(-1) as ClockPoint).rtp - start.rtp
  if (span < NOMINAL_SPAN_SECONDS * clockRate) {
    return nominalFit(sorted, clockRate, nominalDrift)
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

/**
 * Fits the newest points only, for those who cannot know what is to come: a line through the last three minutes, or the
 * median of the last half minute while there is less than a minute. `sorted` by rising `rtp`.
 */
export function fitTrailing(sorted: readonly ClockPoint[], clockRate: number, nominalDrift = 0): ClockFit | undefined {
  const last = sorted.at(-1)
  const start = sorted[0]
  if (last === undefined || start === undefined) return undefined
  if (last.rtp - start.rtp < NOMINAL_SPAN_SECONDS * clockRate) {
    const from = firstAtOrAfter(sorted, last.rtp - (NOMINAL_SPAN_SECONDS / 2) * clockRate)
    return nominalFit(sorted.slice(from), clockRate, nominalDrift)
  }
  const reach = 2 * WINDOW_SECONDS * clockRate
  const near = spread(sorted, last.rtp - reach, last.rtp, clockRate)
  const before = last.rtp - clockRate
  const { slope, offset } = lineThrough(near, last.rtp, clockRate)
  return {
    knots: [
      { rtp: before, reference: before + offset - slope * clockRate },
      { rtp: last.rtp, reference: last.rtp + offset },
    ],
  }
}

function fitLocally(sorted: readonly ClockPoint[], rtp: number, clockRate: number): number {
  const reach = WINDOW_SECONDS * clockRate
  return rtp + lineThrough(spread(sorted, rtp - reach, rtp + reach, clockRate), rtp, clockRate).offset
}

/** The drift of a line through the points, and what it adds to `rtp`. */
function lineThrough(
  points: readonly ClockPoint[],
  rtp: number,
  clockRate: number,
): { readonly slope: number; readonly offset: number } {
  const kept = withoutOutliers(thin(points), clockRate)
  const slope = theilSenDrift(kept)
  return { slope, offset: median(kept.map((point) => point.reference - point.rtp - slope * (point.rtp - rtp))) }
}

/**
 * The points from `from` to `to`. Where reports are missing there are few of them, and close together they would bend a
 * line at will: the nearest on either side are added, until they lie far enough apart to tell a slope.
 */
function spread(sorted: readonly ClockPoint[], from: number, to: number, clockRate: number): readonly ClockPoint[] {
  let low = firstAtOrAfter(sorted, from)
  let high = firstAtOrAfter(sorted, to + 1)
  const center = (from + to) / 2
  const middle = firstAtOrAfter(sorted, center)
  const at = (index: number): number => (sorted[index] as ClockPoint).rtp
  const before = middle > 0 ? center - at(middle - 1) : Number.POSITIVE_INFINITY
  const after = middle < sorted.length ? at(middle) - center : Number.POSITIVE_INFINITY
  // What is carried on over a gap must rest on as much beside it, or on both of its sides.
  const span = 2 * Math.max(NOMINAL_SPAN_SECONDS * clockRate, Math.min(before, after))
  const isEnough = (): boolean => {
    const balanced = middle - low >= MIN_FIT_POINTS && high - middle >= MIN_FIT_POINTS
    if (balanced) return at(high - 1) - at(low) >= span
    if (middle > low && at(middle - 1) - at(low) >= span) return true
    return high > middle && at(high - 1) - at(middle) >= span
  }
  while ((low > 0 || high < sorted.length) && !isEnough()) {
    const previous = low > 0 ? center - at(low - 1) : Number.POSITIVE_INFINITY
    const next = high < sorted.length ? at(high) - center : Number.POSITIVE_INFINITY
    if (previous < next) low--
    else high++
  }
  return sorted.slice(low, high)
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
export function theilSenDrift(points: readonly ClockPoint[]): number {
  const slopes = new Float64Array((points.length * (points.length - 1)) / 2)
  let count = 0
  for (let i = 0; i < points.length; i++) {
    const a = points[i] as ClockPoint
    for (let j = i + 1; j < points.length; j++) {
      const b = points[j] as ClockPoint
      if (b.rtp !== a.rtp) slopes[count++] = (b.reference - b.rtp - (a.reference - a.rtp)) / (b.rtp - a.rtp)
    }
  }
  return Math.max(-MAX_DRIFT, Math.min(MAX_DRIFT, medianInPlace(slopes.subarray(0, count))))
}

/** The median over all points, at a drift that is known from elsewhere. */
function nominalFit(points: readonly ClockPoint[], clockRate: number, drift: number): ClockFit {
  const { rtp } = points[0] as ClockPoint
  const offset = Math.round(median(points.map((point) => point.reference - point.rtp - drift * (point.rtp - rtp))))
  const first = { rtp, reference: rtp + offset }
  if (drift === 0) return { knots: [first] }
  return { knots: [first, { rtp: rtp + clockRate, reference: rtp + clockRate + offset + drift * clockRate }] }
}

/** At most as many as one fit looks at, evenly. */
export function thin<T>(points: readonly T[]): readonly T[] {
  if (points.length <= MAX_FIT_POINTS) return points
  const step = points.length / MAX_FIT_POINTS
  return Array.from({ length: MAX_FIT_POINTS }, (_, i) => points[Math.floor(i * step)] as T)
}

/** Of no numbers: 0. */
export function median(values: readonly number[]): number {
  return medianInPlace(Float64Array.from(values))
}

/** Sorts them: typed arrays are sorted by value, without a comparison to call. */
function medianInPlace(values: Float64Array): number {
  if (values.length === 0) return 0
  values.sort()
  const middle = values.length >> 1
  return values.length % 2 === 1
    ? (values[middle] as number)
    : ((values[middle - 1] as number) + (values[middle] as number)) / 2
}
