import { ConfigurationError, delayMs, longestDelayMs } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { backOffOf } from '../src/back-off.js'

describe('back-off', () => {
  it('doubles up to its maximum', () => {
    const backOff = backOffOf({ firstMs: 1000, maxMs: 10_000 })
    expect([1, 2, 3, 4, 5, 6, 2000].map((failures) => longestDelayMs(backOff, failures))).toEqual([
      1000, 2000, 4000, 8000, 10_000, 10_000, 10_000,
    ])
  })

  it.each([
    { jitter: 0, random: 0.9, expected: 1000 },
    { jitter: 1, random: 0, expected: 1000 },
    { jitter: 1, random: 0.75, expected: 250 },
    { jitter: 0.5, random: 0.5, expected: 750 },
  ])('takes jitter $jitter off by chance $random', ({ jitter, random, expected }) => {
    expect(delayMs(backOffOf({ jitter }), 1, () => random)).toBe(expected)
  })

  it.each([
    ['backoff.firstMs', { firstMs: 0 }],
    ['backoff.maxMs', { firstMs: 10, maxMs: 9 }],
    ['backoff.factor', { factor: 0.9 }],
    ['backoff.jitter', { jitter: 1.1 }],
    ['backoff.jitter', { jitter: Number.NaN }],
  ])('names %s when it is wrong', (field, options) => {
    expect(() => backOffOf(options)).toThrow(ConfigurationError)
    expect(() => backOffOf(options)).toThrow(expect.objectContaining({ field }))
  })
})
