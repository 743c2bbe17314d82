import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Placement } from '../src/index.js'
import { MAX_SPEED_CHANGE, SLEW_LIMIT_SAMPLES } from '../src/placement.js'

const packet = fc.record({
  samples: fc.constantFrom(120, 240, 480, 960, 1920, 2880, 5760),
  jump: fc.oneof(fc.constant(0), fc.integer({ min: -30, max: 30 }), fc.integer({ min: -60_000, max: 3_000_000 })),
  broken: fc.boolean(),
  watermark: fc.option(fc.integer({ min: -5_000, max: 200_000 }), { nil: undefined }),
})

test('every sample goes somewhere, nothing is played twice, and what is not drift is exact', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1_000_000, max: 2 ** 40 }),
      fc.array(packet, { maxLength: 60 }),
      (start, packets) => {
        const placement = new Placement()
        let wanted = start
        let out = start
        for (const { samples, jump, broken, watermark } of packets) {
          wanted += jump
          const before = placement.next ?? wanted
          const { silence, skip, stretch } = placement.place(wanted, samples, broken)
          expect(silence).toBeGreaterThanOrEqual(0)
          expect(skip).toBeGreaterThanOrEqual(0)
          expect(skip).toBeLessThanOrEqual(samples)
          expect(Math.abs(stretch)).toBeLessThanOrEqual(Math.max(1, samples * MAX_SPEED_CHANGE))
          expect([silence > 0, skip > 0, stretch !== 0].filter(Boolean).length).toBeLessThanOrEqual(1)
          const startsAt = before + silence
          const offset = wanted + skip - startsAt
          // Where it does not stand where it wants, it is either dropped or on its way there.
          if (skip < samples && (silence > 0 || skip > 0)) expect(offset).toBe(0)
          if (skip < samples) expect(Math.abs(offset)).toBeLessThan(SLEW_LIMIT_SAMPLES)
          if (stretch !== 0) expect(Math.sign(stretch)).toBe(Math.sign(offset))
          out = startsAt + samples - skip + stretch
          expect(placement.next).toBe(out)
          wanted += samples
          if (watermark !== undefined) {
            const filled = placement.advance(wanted + watermark)
            expect(filled).toBeGreaterThanOrEqual(0)
            out += filled
            expect(placement.next).toBe(out)
            wanted = Math.max(wanted, wanted + watermark)
          }
        }
      },
    ),
  )
})

test('a clock that drifts is followed within two samples, with nothing dropped and no silence', () => {
  fc.assert(
    fc.property(fc.integer({ min: -500, max: 500 }), fc.constantFrom(480, 960, 2880), (ppm, samples) => {
      const placement = new Placement()
      for (let index = 0; index < 400; index++) {
        const position = Math.round(index * samples * (1 + ppm / 1e6))
        const { silence, skip } = placement.place(position, samples)
        if (silence > 0 || skip > 0) throw new Error(`packet ${index} makes ${silence} of silence, ${skip} dropped`)
      }
      expect(placement.maxOffset).toBeLessThanOrEqual(3)
    }),
    { numRuns: 300 },
  )
})

test('a step that is not heard is worked off, and left alone after that', () => {
  fc.assert(
    fc.property(fc.integer({ min: -959, max: 959 }), (step) => {
      const placement = new Placement()
      placement.place(0, 960)
      for (let index = 1; index <= 260; index++) placement.place(index * 960 + step, 960)
      expect(Math.abs(placement.next! - (261 * 960 + step))).toBeLessThanOrEqual(1)
      expect(placement.place(261 * 960 + step, 960).stretch).toBe(0)
    }),
  )
})
