import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Retimer } from '../../src/timeline/retimer.js'

describe('Retimer', () => {
  it('bends towards what is known within 2.5 s for 50 ms', () => {
    const retimer = new Retimer(48_000)
    retimer.apply(0, 0)
    let at = 0
    for (let rtp = 960; rtp <= 2.5 * 48_000; rtp += 960) at = retimer.apply(rtp, rtp - 0.05 * 48_000)
    expect(at).toBeCloseTo(2.5 * 48_000 - 0.05 * 48_000, 6)
    expect(retimer.steps).toBe(0)
  })

  it('takes a large correction forward at once', () => {
    const retimer = new Retimer(48_000)
    retimer.apply(0, 0)
    expect(retimer.apply(960, 960 + 48_000)).toBe(960 + 48_000)
    expect(retimer.steps).toBe(1)
  })

  it('never runs backwards', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -200_000, max: 200_000 }), { minLength: 1 }), (errors) => {
        const retimer = new Retimer(48_000)
        let last = Number.NEGATIVE_INFINITY
        errors.forEach((error, i) => {
          const at = retimer.apply(i * 960, i * 960 + error)
          expect(at).toBeGreaterThan(last)
          last = at
        })
      }),
    )
  })
})
