/** Random numbers that are the same each time. */
export interface Random {
  /** From 0 to less than 1. */
  next(): number
  /** From 0 to less than `below`. */
  integer(below: number): number
}

/** Mulberry32: 32 bits of state, good enough for delays and scatter. */
export function seededRandom(seed: number): Random {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return { next, integer: (below) => Math.floor(next() * below) }
}
