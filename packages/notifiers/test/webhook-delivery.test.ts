import { describe, expect, it } from 'vitest'
import { retryAfterOf } from '../src/webhook-delivery.js'

describe('Retry-After', () => {
  const nowMs = Date.parse('2026-11-21T10:00:00Z')

  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Sat, 21 Nov 2026 10:01:00 GMT', 60_000],
    ['Sat, 21 Nov 2026 09:59:00 GMT', 0],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s is %s ms', (value, expected) => expect(retryAfterOf(value, nowMs)).toBe(expected))
})
