import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rescale, ticksToUs, usToTicks } from '../src/ticks.js'

const clockRate = fc.oneof(
  fc.constantFrom(8000, 16_000, 24_000, 44_100, 48_000, 90_000, 1_000_000),
  fc.integer({ min: 1, max: 1_000_000 }),
)
/** A century of media in either direction, in ticks of a rate. */
const ticksOf = (rate: number): fc.Arbitrary<number> =>
  fc.integer({ min: -3_000_000_000 * rate, max: 3_000_000_000 * rate })
const clockAndTicks = clockRate.chain((rate) => fc.tuple(fc.constant(rate), ticksOf(rate)))

/** The same in integers without a limit: floor(value * to / from + 1/2). */
function oracle(value: number, from: number, to: number): number {
  const numerator = 2n * BigInt(value) * BigInt(to) + BigInt(from)
  const denominator = 2n * BigInt(from)
  const quotient = numerator / denominator
  return Number(numerator % denominator < 0n ? quotient - 1n : quotient)
}

test('rescaling is exact rounding to the nearest, as far as a result is a safe integer', () => {
  fc.assert(
    fc.property(clockAndTicks, clockRate, ([from, value], to) => {
      const expected = oracle(value, from, to)
      expect(rescale(value, from, to) - expected).toBe(0)
    }),
  )
})

test('rescaling keeps order', () => {
  fc.assert(
    fc.property(clockAndTicks, fc.nat({ max: 1_000_000 }), clockRate, ([from, value], step, to) => {
      expect(rescale(value + step, from, to)).toBeGreaterThanOrEqual(rescale(value, from, to))
    }),
  )
})

test('whole seconds shift the result by whole seconds: nothing adds up over time', () => {
  fc.assert(
    fc.property(
      clockAndTicks,
      fc.integer({ min: -1_000_000, max: 1_000_000 }),
      clockRate,
      ([from, value], seconds, to) => {
        expect(rescale(value + seconds * from, from, to) - (rescale(value, from, to) + seconds * to)).toBe(0)
      },
    ),
  )
})

test('ticks survive the way to microseconds and back for every clock up to 1 MHz', () => {
  fc.assert(
    fc.property(clockAndTicks, ([rate, ticks]) => {
      expect(usToTicks(ticksToUs(ticks, rate), rate) - ticks).toBe(0)
    }),
  )
})
