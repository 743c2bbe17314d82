import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { render } from '@rushes/render'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { openTake } from '@rushes/take'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ChromiumPlayer, hasChromium, openChromiumPlayer } from './chromium-player.js'

describe.skipIf(!hasChromium && !process.env['CI'])('renditions of a composite in Chromium', () => {
  let root: string
  let player: ChromiumPlayer
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'rushes-renditions-'))
    player = await openChromiumPlayer(root)
  })
  afterAll(async () => {
    await player.close()
    rmSync(root, { recursive: true })
  })

  test.each(['ts', 'cmaf'] as const)('hls.js changes between them without a hole (%s)', async (segments) => {
    const video = { preset: 'ultrafast', renditions: [{ size: '320x180' }, { size: '160x90' }] } as const
    const { outputs } = await render(
      await openTake(fileURLToPath(new URL('../fixtures/meeting3/', import.meta.url))),
      {
        outputs: [{ composite: { size: '640x360', fps: 15, video, name: segments } }],
        formats: ['hls'],
        hls: { segments, segmentDuration: 2 },
      },
      { store: createLocalStore({ root }) },
    )
    const playback = await player.play(outputs[0]?.key as string, {
      rate: 1.5,
      switches: [
        { at: 0, level: 0 },
        { at: 3, level: 2 },
        { at: 8, level: 1 },
        { at: 13, level: 2 },
      ],
      timeoutSeconds: 60,
    })
    // A machine that is busy stalls for a moment; a hole in a buffer is told by more than that. At the very start the
    // player throws away what it has begun to load, for the level that is asked for.
    const errors = playback.errors.filter(
      (error) => !error.includes('bufferStalledError') && Number(/ at ([\d.]+)$/.exec(error)?.[1] ?? Infinity) > 0.5,
    )
    expect({ ...playback, errors }).toMatchObject({ ended: true, fatal: [], errors: [], corrupted: 0 })
    expect(playback.levels.map(({ level }) => level).slice(-4)).toEqual([0, 2, 1, 2])
    expect(playback.sizes.map(({ width }) => width).slice(-4)).toEqual([160, 640, 320, 640])
    expect(Math.abs(playback.duration - (outputs[0]?.durationUs as number) / 1e6)).toBeLessThan(0.1)
  })
})
