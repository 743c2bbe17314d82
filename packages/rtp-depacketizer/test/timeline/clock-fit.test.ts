import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evaluateFit, fitClock, median } from '../../src/timeline/clock-fit.js'

describe('median', () => {
  it('is the middle, or the mean of the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(median([])).toBe(0)
  })
})

describe('fitClock', () => {
  it('of no reports is undefined', () => {
    expect(fitClock([], 48_000)).toBeUndefined()
  })

  it('of a short take is the median over all its reports, at the nominal rate', () => {
    // One report of seven lies 40 ms off, as Chromium's audio does now and then.
    const offsets = [0, 100, -100, 50, 1920, -50, 20]
    const points = offsets.map((offset, i) => ({ rtp: i * 240_000, reference: i * 240_000 + 5000 + offset }))
    const fit = fitClock(points, 48_000)
    expect(fit?.knots).toHaveLength(1)
    expect(evaluateFit(fit as NonNullable<typeof fit>, 1_000_000)).toBe(1_005_020)
  })

  it('follows a drift of up to 500 ppm for three hours within 10 ms, under scatter and outliers', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -500, max: 500 }),
        fc.array(fc.integer({ min: -8000, max: 8000 }), { minLength: 64, maxLength: 64 }),
        fc.array(fc.nat(2160 - 1), { maxLength: 40 }),
        (ppm, scatterUs, outliers) => {
          const rate = 48_000
          const truth = (rtp: number): number => rtp * (1 + ppm / 1e6) + 777_000
          const points = Array.from({ length: 2160 }, (_, i) => {
            const rtp = i * 5 * rate
            const error = ((scatterUs[(i * 7) % 64] as number) * rate) / 1e6
            return { rtp, reference: truth(rtp) + error + (outliers.includes(i) ? rate * 0.3 : 0) }
          })
          const fit = fitClock(points, rate) as NonNullable<ReturnType<typeof fitClock>>
          for (let second = 0; second <= 10_800; second += 300) {
            const rtp = second * rate
            expect(Math.abs(evaluateFit(fit, rtp) - truth(rtp)) / rate).toBeLessThan(0.01)
          }
        },
      ),
      { numRuns: 10 },
    )
  })

  it('follows a drift that changes', () => {
    const rate = 90_000
    const truth = (seconds: number): number => seconds * rate + (seconds > 1800 ? (seconds - 1800) * 45 : 0)
    const points = Array.from({ length: 3600 }, (_, i) => ({ rtp: i * rate, reference: truth(i) }))
    const fit = fitClock(points, rate) as NonNullable<ReturnType<typeof fitClock>>
    for (const second of [0, 900, 1795, 1900, 2700, 3599]) {
      expect(Math.abs(evaluateFit(fit, second * rate) - truth(second)) / rate).toBeLessThan(0.015)
    }
  })

  it('bridges minutes without any report', () => {
    const rate = 90_000
    const points = [0, 1, 2, 3, 900, 901, 902, 903].map((s) => ({ rtp: s * rate, reference: s * rate * 1.0001 }))
    const fit = fitClock(points, rate) as NonNullable<ReturnType<typeof fitClock>>
    expect(Math.abs(evaluateFit(fit, 450 * rate) / rate - 450 * 1.0001)).toBeLessThan(0.06)
  })
})
