import { describe, expect, it } from 'vitest'
import { retentionOf } from '../src/finishing.js'

const degraded = { warnings: [{ code: 'COMPOSITE_DEGRADED', message: 'm' }] }

describe('the journal of a recording that is ready', () => {
  it.each([
    ['goes', {}, { warnings: [] }, 'delete'],
    ['stays where it has what a live composite gave up', {}, degraded, 'keep'],
    ['goes all the same where that is wanted', { journal: 'delete' }, degraded, 'delete'],
    ['goes to the store where that is wanted', { journal: 'upload' }, degraded, 'upload'],
  ] as const)('%s', (_, settings, manifest, expected) => {
    expect(retentionOf(settings, manifest)).toBe(expected)
  })
})
