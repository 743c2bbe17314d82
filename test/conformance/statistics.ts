/** What conformance says of a list of differences. */
export interface Spread {
  readonly count: number
  readonly median: number
  /** The one farthest from zero. */
  readonly worst: number
}

export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) return { count: 0, median: Number.NaN, worst: Number.NaN }
  const sorted = [...values].sort((a, b) => a - b)
  const worst = sorted.reduce((far, value) => (Math.abs(value) > Math.abs(far) ? value : far), 0)
  const half = sorted.length / 2
  const median = ((sorted[Math.floor(half)] as number) + (sorted[Math.ceil(half) - 1] as number)) / 2
  return { count: values.length, median, worst }
}
