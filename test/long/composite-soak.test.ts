import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { soak } from './composite-soak.js'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0

// The long form (`pnpm long:composite-soak`) composes half an hour; its figures stand in docs/evidence.md.
describe.skipIf(!hasFfmpeg && process.env['CI'] === undefined)('a long composite (needs ffmpeg)', () => {
  it('takes no more memory and is no less in sync after four minutes', async () => {
    const { peakRssMiB, keptRssMiB, start, end } = await soak(4, '320x180', 15)
    // Built it is below 400, which the long form is held to: here each of three threads has a loader of TypeScript.
    expect(peakRssMiB).toBeLessThan(600)
    // What is kept of the whole call is an index and a few hundred layouts: kilobytes.
    expect(keptRssMiB[3] as number).toBeLessThan((keptRssMiB[1] as number) + 25)
    for (const { syncMs, beepMs, tiles, exact, faults } of [...start, ...end]) {
      expect(faults).toEqual([])
      expect(tiles).toBeGreaterThan(100)
      expect(exact).toBeGreaterThanOrEqual(0.95 * tiles)
      expect(syncMs.count).toBeGreaterThanOrEqual(8)
      // Half of 1 / 15 s: pictures of the composite are so far from those of the source at worst.
      expect(Math.abs(syncMs.median)).toBeLessThanOrEqual(35)
      expect(Math.abs(syncMs.worst)).toBeLessThanOrEqual(70)
      expect(Math.abs(beepMs.median)).toBeLessThanOrEqual(10)
      expect(Math.abs(beepMs.worst)).toBeLessThanOrEqual(20)
    }
  })
})
