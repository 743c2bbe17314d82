/** Conversions between ticks and microseconds that round once, and stay exact for centuries of media. */

/** Ticks of `timescale` to microseconds, rounded to the nearest. */
export function ticksToUs(ticks: number, timescale: number): number {
  return rescale(ticks, timescale, 1_000_000)
}

/** Microseconds to ticks of `timescale`, rounded to the nearest. */
export function usToTicks(us: number, timescale: number): number {
  return rescale(us, 1_000_000, timescale)
}

/**
 * `value` of `from` ticks a second in ticks of `to`, rounded to the nearest.
 * Whole seconds are split off first, so that the product stays an exact integer (up to 2^53).
 */
export function rescale(value: number, from: number, to: number): number {
  if (from === to) return value
  const seconds = Math.floor(value / from)
  return seconds * to + Math.round(((value - seconds * from) * to) / from)
}
