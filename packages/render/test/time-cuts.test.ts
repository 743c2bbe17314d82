import type { EncodedSample, TimedItem } from '@rushes/media'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TimeCuts } from '../src/time-cuts.js'

const sample = (pts: number, dts = pts): EncodedSample => ({
  type: 'sample',
  trackId: 'v',
  data: [new Uint8Array(1)],
  pts,
  dts,
  keyframe: true,
})
/** At 1,000 ticks a second. */
const cuts = (...pauses: [number, number][]): TimeCuts => {
  const made = new TimeCuts()
  for (const [startMs, endMs] of pauses) {
    made.begin(startMs * 1000)
    if (Number.isFinite(endMs)) made.end(endMs * 1000)
  }
  return made
}

describe('TimeCuts', () => {
  it.each<[number, number | undefined]>([
    [0, 0],
    [999, 999],
    [1000, undefined],
    [1999, undefined],
    [2000, 1000],
    [4999, 3999],
    [5000, undefined],
    [5500, 4000],
    [9999, undefined],
  ])('puts %i ms at %s', (ms, expected) => {
    const applied = cuts([1000, 2000], [5000, 5500], [9000, Number.POSITIVE_INFINITY]).apply(sample(ms), 1000)
    expect((applied as EncodedSample | undefined)?.pts).toBe(expected)
  })

  it('lets promises within a cut stand at its start', () => {
    expect(cuts([1000, 2000]).outputUs(1_500_000)).toBe(1_000_000)
    expect(cuts([1000, 2000]).outputUs(2_500_000)).toBe(1_500_000)
    expect(cuts([1000, 2000]).apply({ type: 'watermark', trackId: 'v', dts: 1500 }, 1000)).toBeUndefined()
    expect(cuts([1000, 2000]).apply({ type: 'watermark', trackId: 'v', dts: 2500 }, 1000)).toMatchObject({ dts: 1500 })
  })

  it('keeps decoding times rising where the first picture behind a cut is decoded before its end', () => {
    const made = cuts([1000, 2000])
    expect(made.apply(sample(990, 990), 1000)).toMatchObject({ pts: 990, dts: 990 })
    expect(made.apply(sample(2040, 1960), 1000)).toMatchObject({ pts: 1040, dts: 991 })
  })

  it('keeps every order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 0, max: 3000 })), { maxLength: 6 }),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 0, max: 80 })), {
          minLength: 1,
          maxLength: 200,
        }),
        (gaps, steps) => {
          const made = new TimeCuts()
          let at = 0
          let removed = 0
          for (const [before, length] of gaps) {
            at += before
            made.begin(at * 1000)
            at += length
            made.end(at * 1000)
            removed += length
          }
          let dts = 0
          let last: TimedItem & { dts: number } = { type: 'watermark', trackId: 'v', dts: Number.NEGATIVE_INFINITY }
          for (const [step, reorder] of steps) {
            dts += step
            const out = made.apply(sample(dts + reorder, dts), 1000)
            if (out?.type !== 'sample') continue
            expect(out.dts).toBeGreaterThan(last.dts)
            expect(out.pts).toBeGreaterThanOrEqual(out.dts)
            last = out
          }
          expect(made.outputUs((at + 10) * 1000)).toBe((at + 10 - removed) * 1000)
        },
      ),
    )
  })
})
