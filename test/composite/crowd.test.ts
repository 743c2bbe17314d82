import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  clippedSamples,
  type DecodedSound,
  decibels,
  decodeSound,
  distortionDb,
  peakBetween,
} from './composite-sound.js'
import { CrowdedTake } from './crowded-take.js'
import { readComposite, zeroUsOf } from './read-composite.js'
import { fixture, renderSource } from './render-composite.js'
import { readSentCall } from './sent-call.js'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0

describe.skipIf(!hasFfmpeg && process.env['CI'] === undefined)('a composite of ten (needs ffmpeg)', () => {
  let dir = ''
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rushes-composite-crowd-'))
  })
  afterAll(async () => {
    await rm(dir, { recursive: true, force: true })
  })

  it('shows all of them in step, and neither clips nor pumps when they beep at once', async () => {
    const source = await CrowdedTake.open(fixture('solo'), 10)
    const layout = { type: 'grid', tile: { fit: 'contain', label: false, ring: false, mutedMark: false } } as const
    const { manifest, output, path } = await renderSource(source, { layout, transitionMs: 0 }, dir)
    const call = await readSentCall(fixture('solo'))
    const [alice] = call.participants
    if (alice === undefined) throw new Error('solo has no participant')

    const pictures = await readComposite(path, output, manifest.layouts, { every: 15 })
    const seen = pictures.filter(({ atUs }) => atUs > 1e6)
    expect(seen.length).toBeGreaterThan(30)
    for (const { tiles } of seen) {
      expect(tiles).toHaveLength(10)
      expect(tiles.every(({ cardId }) => cardId === alice.cardId)).toBe(true)
      expect(new Set(tiles.map(({ counter }) => counter)).size).toBe(1)
    }

    const sound = await decodeSound(path)
    const zeroUs = await zeroUsOf(path, output)
    expect(clippedSamples(sound)).toBe(0)
    for (const { atUs } of alice.beeps.slice(1, -1)) {
      const at = atUs - zeroUs
      // Ten at 0.5 are five times full scale; what is left of it is a clean tone at the ceiling.
      expect(peakBetween(sound, at + 20_000, at + 90_000)).toBeGreaterThan(0.6)
      expect(distortionDb(sound, at + 25_000, at + 85_000, [alice.toneHz])).toBeLessThan(-25)
      // Before and soon after it their quiet tones together are as loud as ever: 0.2.
      const before = loudnessDb(sound, at - 150_000)
      expect(Math.abs(before - decibels(0.2))).toBeLessThan(1.5)
      expect(Math.abs(loudnessDb(sound, at + 350_000) - before)).toBeLessThan(1)
      expect(Math.abs(loudnessDb(sound, at + 600_000) - before)).toBeLessThan(0.5)
    }
  })
})

/** Peak of a tone, from 100 ms of it. */
function loudnessDb(sound: DecodedSound, fromUs: number): number {
  return decibels(peakBetween(sound, fromUs, fromUs + 100_000))
}
