import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TransportFeedback } from '../../src/whip/transport-feedback.js'
import { readFeedback } from './read-feedback.js'

/** Packets in the order of their arrival: steps in number (losses, and late ones) and in time, with flushes between. */
const arrivals = fc.array(
  fc.record({
    step: fc.oneof(
      { weight: 6, arbitrary: fc.constant(1) },
      { weight: 2, arbitrary: fc.integer({ min: -20, max: 60 }) },
    ),
    pauseUs: fc.oneof(fc.integer({ min: 0, max: 30_000 }), fc.constant(9_000_000)),
    flush: fc.boolean(),
  }),
  { maxLength: 120 },
)

test('every packet is told with its time to a tick, and none that did not arrive', () => {
  fc.assert(
    fc.property(arrivals, fc.integer({ min: 0, max: 65_535 }), (list, first) => {
      const feedback = new TransportFeedback()
      const truth = new Map<number, number>()
      const told = new Map<number, number>()
      const flush = (): void =>
        feedback.flush(1, 2, (bytes) => {
          expect(bytes.byteLength % 4).toBe(0)
          expect(bytes.byteLength).toBeLessThanOrEqual(1_200)
          for (const [number, timeUs] of readFeedback(bytes)) {
            if (Number.isNaN(timeUs)) continue
            told.set(number, timeUs)
          }
        })
      let number = first
      let nowUs = 1_000_000
      for (const { step, pauseUs, flush: isDue } of list) {
        number = (number + step) & 0xffff
        nowUs += pauseUs
        if (!truth.has(number)) truth.set(number, nowUs)
        feedback.received(number, nowUs)
        if (isDue) flush()
      }
      flush()
      expect([...told.keys()].sort((a, b) => a - b)).toEqual([...truth.keys()].sort((a, b) => a - b))
      for (const [key, timeUs] of truth)
        expect(Math.abs((told.get(key) ?? Number.NaN) - timeUs)).toBeLessThanOrEqual(125)
    }),
  )
})
