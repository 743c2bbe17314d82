/**
 * Orders times of different timescales exactly: negative where `a` is earlier, 0 where both are the same instant.
 * Whole seconds are compared first, so that the cross products stay exact integers. Takes -Infinity for "never".
 */
export function compareTicks(a: number, aTimescale: number, b: number, bTimescale: number): number {
  if (a === b && (aTimescale === bTimescale || !Number.isFinite(a))) return 0
  if (aTimescale === bTimescale) return a - b
  const aSeconds = Math.floor(a / aTimescale)
  const bSeconds = Math.floor(b / bTimescale)
  if (aSeconds !== bSeconds) return aSeconds - bSeconds
  return (a - aSeconds * aTimescale) * bTimescale - (b - bSeconds * bTimescale) * aTimescale
}
