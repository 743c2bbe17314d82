import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RtpTimestampUnwrapper, unwrapRtpTimestamp, unwrapSequenceNumber } from '../src/index.js'

const modulo = (value: number, by: number): number => ((value % by) + by) % by

test.each([
  [0, 65_535, 65_536],
  [65_535, 65_536, 65_535],
  [65_535, 0, -1],
  [5, 5, 5],
  [32_767, 0, 32_767],
  [32_768, 0, -32_768],
  [10, 1_000_000 * 65_536 + 65_530, 1_000_001 * 65_536 + 10],
])('sequence number %i near %i is %i', (sequenceNumber, near, extended) => {
  expect(unwrapSequenceNumber(sequenceNumber, near)).toBe(extended)
})

test('sequence numbers that step by less than 2^15 either way are followed', () => {
  const steps = fc.array(fc.integer({ min: -32_767, max: 32_767 }), { maxLength: 50 })
  const property = fc.property(fc.integer({ min: -1e12, max: 1e12 }), steps, (start, all) => {
    let truth = start
    let extended = start
    for (const step of all) {
      truth += step
      extended = unwrapSequenceNumber(modulo(truth, 65_536), extended)
      expect(extended).toBe(truth)
    }
  })
  fc.assert(property)
})

test('timestamps that step by less than 2^31 either way are followed', () => {
  const steps = fc.array(fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }), { maxLength: 50 })
  const property = fc.property(fc.nat({ max: 2 ** 32 - 1 }), steps, (start, all) => {
    const unwrapper = new RtpTimestampUnwrapper()
    expect(unwrapper.unwrap(start)).toBe(start)
    let truth = start
    for (const step of all) {
      truth += step
      expect(unwrapRtpTimestamp(modulo(truth, 2 ** 32), truth - step)).toBe(truth)
      expect(unwrapper.place(modulo(truth, 2 ** 32))).toBe(truth)
      expect(unwrapper.unwrap(modulo(truth, 2 ** 32))).toBe(truth)
    }
  })
  fc.assert(property)
})

test('an unwrapper that is reset takes the next timestamp as it is', () => {
  const unwrapper = new RtpTimestampUnwrapper()
  unwrapper.unwrap(4_294_967_295)
  expect(unwrapper.unwrap(0)).toBe(4_294_967_296)
  expect(unwrapper.started).toBe(true)
  unwrapper.reset()
  expect(unwrapper.started).toBe(false)
  expect(unwrapper.unwrap(0)).toBe(0)
})
