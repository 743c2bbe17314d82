import { expect, test } from 'vitest'
import { rescale, ticksToUs, usToTicks } from '../src/ticks.js'

test.each([
  { what: 'nothing', value: 0, from: 48_000, to: 90_000, expected: 0 },
  { what: 'one second', value: 48_000, from: 48_000, to: 90_000, expected: 90_000 },
  { what: 'one Opus frame of 20 ms', value: 960, from: 48_000, to: 90_000, expected: 1800 },
  {
    what: 'one AAC frame at 44.1 kHz, rounded down from 2089.79…',
    value: 1024,
    from: 44_100,
    to: 90_000,
    expected: 2090,
  },
  { what: 'the same clock, whatever its rate', value: 12_345, from: 7, to: 7, expected: 12_345 },
  { what: 'a tie, towards positive infinity', value: 1, from: 2, to: 1, expected: 1 },
  { what: 'a negative tie, towards positive infinity too', value: -1, from: 2, to: 1, expected: 0 },
  { what: 'a negative time', value: -960, from: 48_000, to: 1_000_000, expected: -20_000 },
])('rescales $what', ({ value, from, to, expected }) => {
  // `toBe` would tell 0 from -0, which no arithmetic on times does.
  expect(rescale(value, from, to) - expected).toBe(0)
})

test('a video tick at 90 kHz in microseconds, and back', () => {
  expect(ticksToUs(3003, 90_000)).toBe(33_367)
  expect(usToTicks(33_367, 90_000)).toBe(3003)
})

test('a century of 90 kHz ticks stays exact', () => {
  const seconds = 100 * 366 * 24 * 3600
  expect(ticksToUs(seconds * 90_000 + 9, 90_000)).toBe(seconds * 1_000_000 + 100)
})
