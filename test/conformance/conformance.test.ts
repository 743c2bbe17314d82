import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium } from '../browser/chromium-player.js'
import { CHANGING_TAKES, conform, playInChromium, TAKES } from './conform.js'
import { complaintsAbout, playbackComplaints } from './judge.js'

const hasFfmpeg = spawnSync('ffprobe', ['-version']).status === 0
const inCi = process.env['CI'] !== undefined

describe.skipIf(!hasFfmpeg && !inCi)('conformance of individual recordings (needs ffmpeg)', () => {
  let outDir = ''
  beforeAll(async () => {
    outDir = await mkdtemp(join(tmpdir(), 'rushes-conformance-'))
  })
  afterAll(async () => {
    await rm(outDir, { recursive: true, force: true })
  })

  describe.each(TAKES)('%s', (take) => {
    it.each(['offline', 'live'] as const)('%s: complete, in sync and by the standards', async (mode) => {
      const reports = await conform(take, mode, outDir)
      expect(reports.length).toBeGreaterThanOrEqual(2)
      for (const report of reports) {
        const { participantId, container } = report
        expect({ participantId, container, complaints: complaintsAbout(report) }).toEqual({
          participantId,
          container,
          complaints: [],
        })
      }
    })

    it.skipIf(!CHANGING_TAKES.includes(take) || (!hasChromium && !inCi))(
      'plays through in Chromium, by hls.js and as MP4',
      async () => {
        const playbacks = await playInChromium(take, outDir, 2)
        expect(playbacks.length).toBeGreaterThanOrEqual(2)
        for (const playback of playbacks) {
          const { participantId, container } = playback
          expect({ participantId, container, complaints: playbackComplaints(playback) }).toEqual({
            participantId,
            container,
            complaints: [],
          })
        }
      },
    )
  })
})
