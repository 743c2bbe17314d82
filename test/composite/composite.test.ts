import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkHls, checkMp4 } from '@rushes/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TAKES } from '../conformance/conform.js'
import { decodeWithFfmpeg, streamsOf } from '../conformance/ffmpeg.js'
import { compositeComplaints, measureComposite } from './judge-composite.js'
import { compareComposites } from './live-against-offline.js'
import { fixture, renderFixture } from './render-composite.js'
import { readSentCall } from './sent-call.js'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0

/** So that all of each card can be seen. */
const GRID = { type: 'grid', tile: { fit: 'contain' } } as const

/** Live, the first reports come in this time; before it clocks are guessed, and composites may differ. */
const START_UP_US = 3_000_000

describe.skipIf(!hasFfmpeg && process.env['CI'] === undefined)('composites of real calls (needs ffmpeg)', () => {
  let dir = ''
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rushes-composite-'))
  })
  afterAll(async () => {
    await rm(dir, { recursive: true, force: true })
  })

  describe.each(TAKES)('%s', (take) => {
    it('shows and plays everyone as they were sent', async () => {
      const { manifest, output, path } = await renderFixture(take, { layout: GRID, transitionMs: 0 }, join(dir, take))
      expect(await streamsOf(path)).toEqual(['video:h264', 'audio:aac'])
      expect(await checkMp4(path)).toEqual([])
      expect((await decodeWithFfmpeg(path)).complaints).toEqual([])
      const call = await readSentCall(fixture(take))
      expect(compositeComplaints(await measureComposite(path, manifest, output, call, { fps: 30 }))).toEqual([])
    })

    it('shows live what it shows offline', async () => {
      const settings = { layout: GRID, size: '640x360', transitionMs: 0 }
      const offline = await renderFixture(take, settings, join(dir, 'offline', take))
      const live = await renderFixture(take, settings, join(dir, 'live', take), { live: true })
      const comparison = await compareComposites(offline, live, { fps: 30, fromUs: START_UP_US })
      const { faults, missing, same, tiles } = comparison
      expect({ faults, missing }).toEqual({ faults: [], missing: 0 })
      expect(tiles).toBeGreaterThan(300)
      expect(same).toBeGreaterThanOrEqual(0.99 * tiles)
      const call = await readSentCall(fixture(take))
      const options = { fps: 30, exactShare: 0.95, fromUs: START_UP_US }
      const measure = await measureComposite(live.path, live.manifest, live.output, call, options)
      expect(compositeComplaints(measure)).toEqual([])
    })
  })

  it.each([
    [25, 'ts'],
    [15, 'cmaf'],
  ] as const)('comes out at %i pictures a second as HLS, too (%s)', async (fps, segments) => {
    const settings = { fps, layout: GRID, size: '640x360', transitionMs: 0 }
    const { manifest, output, path } = await renderFixture('meeting3', settings, join(dir, segments), {
      format: 'hls',
      segments,
    })
    const folder = join(path, '..')
    const findings = await checkHls({ entry: 'index.m3u8', read: (uri) => readFile(join(folder, uri)) })
    expect(findings).toEqual([])
    const call = await readSentCall(fixture('meeting3'))
    expect(compositeComplaints(await measureComposite(path, manifest, output, call, { fps }))).toEqual([])
  })

  it('is the same with the layouts as they are by default, moving tiles aside', async () => {
    const { manifest, output, path } = await renderFixture('rejoin', {}, join(dir, 'default'))
    const call = await readSentCall(fixture('rejoin'))
    expect(compositeComplaints(await measureComposite(path, manifest, output, call, { fps: 30 }))).toEqual([])
  })

  it('changes its layout when it is told to, to the frame', async () => {
    const changes = [
      { atUs: 8_010_000, layout: 'spotlight', transitionMs: 0 },
      { atUs: 12_345_000, layout: 'side-by-side', transitionMs: 300 },
      { atUs: 16_000_000, layout: 'grid', transitionMs: 0 },
    ]
    const { manifest, output, path } = await renderFixture(
      'meeting3',
      { layout: 'grid', changes, transitionMs: 0 },
      join(dir, 'changes'),
    )
    const starts = manifest.layouts.filter(({ name }, i) => name !== manifest.layouts[i - 1]?.name)
    expect(starts.map(({ name }) => name)).toEqual(['grid', 'spotlight', 'side-by-side', 'grid'])
    for (const [index, { atUs }] of changes.entries()) {
      expect(Math.abs((starts[index + 1]?.startUs ?? 0) - atUs)).toBeLessThanOrEqual(1e6 / 30)
    }
    const call = await readSentCall(fixture('meeting3'))
    const measure = await measureComposite(path, manifest, output, call, { fps: 30, everyoneShown: false })
    expect(compositeComplaints(measure)).toEqual([])
  })
})
