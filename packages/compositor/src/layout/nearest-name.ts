/** Names longer than this are no misspelling of ours; keeps the comparison short. */
const LONGEST_NAME = 40

/** The name that was probably meant: at most two letters wrong, missing or too many, or the case. */
export function nearest(written: string, names: readonly string[]): string | undefined {
  if (written.length > LONGEST_NAME) return undefined
  const plain = simplified(written)
  let best: string | undefined
  let least = Math.min(2, Math.floor(plain.length / 2)) + 1
  for (const name of names) {
    const distance = edits(plain, simplified(name))
    if (distance < least) {
      least = distance
      best = name
    }
  }
  return best
}

/** `sideBySide`, `side_by_side` and `side-by-side` are one. */
const simplified = (name: string): string => name.toLowerCase().replaceAll(/[-_ ]/g, '')

/** Levenshtein's distance. */
function edits(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1
      const replaced = (above[column - 1] ?? 0) + same
      current.push(Math.min(replaced, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    above = current
  }
  return above[b.length] ?? 0
}
