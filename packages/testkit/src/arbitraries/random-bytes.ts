import fc from 'fast-check'

/** Bytes by their seed and size: cheap to generate, and shrinking means getting shorter. */
export interface BytesSeed {
  readonly seed: number
  readonly size: number
}

/** Mostly short, now and then long, rarely huge. */
export function bytesSeed(max: number): fc.Arbitrary<BytesSeed> {
  return fc.record({
    seed: fc.nat(),
    size: fc.oneof(
      { arbitrary: fc.nat(Math.min(40, max)), weight: 24 },
      { arbitrary: fc.nat(Math.min(3000, max)), weight: 8 },
      { arbitrary: fc.nat(max), weight: 1 },
    ),
  })
}

/** The bytes. Half of all seeds give many zeros and small values, which is what emulation prevention is about. */
export function bytesOf({ seed, size }: BytesSeed): Uint8Array {
  const bytes = new Uint8Array(size)
  const sparse = (seed & 1) === 1
  let state = seed | 0
  for (let i = 0; i < size; i++) {
    // Mulberry32.
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    const value = (t ^ (t >>> 14)) & 0xff
    bytes[i] = sparse && value > 40 ? 0 : sparse ? value & 7 : value
  }
  return bytes
}
