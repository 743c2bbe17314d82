import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { judgedCall } from './judged-call.js'
import { hasChromium } from './publisher.js'

const canCall = hasChromium && spawnSync('ffmpeg', ['-version']).status === 0

describe.skipIf(!canCall && !process.env['CI'])('two browsers call over a bad network (needs chromium, ffmpeg)', () => {
  test.for(['whip', 'werift'] as const)('%s: what was repaired is recorded, and in sync', async (transport) => {
    const { participants } = await judgedCall({ transport, seconds: 12 })
    expect(participants.map(({ called, complaints }) => ({ id: called.id, complaints }))).toEqual([
      { id: 'alice', complaints: [] },
      { id: 'bob', complaints: [] },
    ])
  })
})
