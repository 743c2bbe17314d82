import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DecodingTimes } from '../../src/timeline/decoding-times.js'

/** An IDR, then mini groups in display order whose last picture is decoded first: what B-frames do. */
const decodingOrder = fc
  .record({
    depth: fc.integer({ min: 0, max: 4 }),
    groups: fc.array(fc.nat(), { minLength: 1, maxLength: 60 }),
    step: fc.integer({ min: 90, max: 9000 }),
    start: fc.integer({ min: -10_000, max: 10_000_000 }),
  })
  .map(({ depth, groups, step, start }) => {
    const times = [start]
    let display = 1
    for (const seed of groups) {
      // One reference and at most `depth` pictures shown before it: nothing is reordered by more than `depth`.
      const held = depth === 0 ? 0 : seed % (depth + 1)
      times.push(start + (display + held) * step)
      for (let i = 0; i < held; i++) times.push(start + (display + i) * step)
      display += held + 1
    }
    return { depth, times }
  })

describe('DecodingTimes', () => {
  it('leaves presentation times alone, and decodes in strict order, never after presentation', () => {
    fc.assert(
      fc.property(decodingOrder, ({ depth, times }) => {
        const decoding = new DecodingTimes(90_000)
        decoding.depth = depth
        let last = Number.NEGATIVE_INFINITY
        for (const pts of times) {
          const next = decoding.next(pts)
          expect(next.pts).toBe(pts)
          expect(next.dts).toBeLessThanOrEqual(pts)
          expect(next.dts).toBeGreaterThan(last)
          last = next.dts
        }
        expect(decoding.clamped).toBe(0)
      }),
    )
  })

  it('has equal times without B-frames', () => {
    const decoding = new DecodingTimes(90_000)
    for (const pts of [0, 3000, 6000, 900_000]) expect(decoding.next(pts)).toEqual({ pts, dts: pts })
  })

  it('does not lend times across a hole', () => {
    const decoding = new DecodingTimes(90_000)
    decoding.depth = 2
    for (const pts of [0, 9000, 3000, 6000, 18_000, 12_000, 15_000]) decoding.next(pts)
    const { dts } = decoding.next(900_000)
    expect(900_000 - dts).toBeLessThanOrEqual(6000)
  })

  it('moves what runs backwards, and counts it', () => {
    const decoding = new DecodingTimes(90_000)
    decoding.next(1000)
    expect(decoding.next(500)).toEqual({ pts: 1001, dts: 1001 })
    expect(decoding.clamped).toBe(1)
  })

  it('stays strictly increasing and never late for any input at all', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ pts: fc.integer({ min: -1e6, max: 1e9 }), depth: fc.nat(16) }), { maxLength: 80 }),
        (pictures) => {
          const decoding = new DecodingTimes(90_000)
          let last = Number.NEGATIVE_INFINITY
          for (const { pts, depth } of pictures) {
            decoding.depth = depth
            const next = decoding.next(pts)
            expect(next.dts).toBeLessThanOrEqual(next.pts)
            expect(next.dts).toBeGreaterThan(last)
            last = next.dts
          }
        },
      ),
    )
  })
})
