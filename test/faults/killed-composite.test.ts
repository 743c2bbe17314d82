import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { type Manifest, type RenderEvent, type RenderPlan, render } from '@rushes/render'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { openTake } from '@rushes/take'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodedPictures, decodedSound, leastPsnr, presentationTimes } from './decoded-media.js'
import { filesBelow, fixtureFolder, spawnRender, temporaryFolder } from './fault-sites.js'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0

const plan: RenderPlan = {
  outputs: [
    {
      composite: {
        size: '320x180',
        fps: 15,
        video: { preset: 'ultrafast', renditions: [{ size: '160x90' }] },
        poster: true,
        thumbnails: { everySeconds: 1, width: 64, columns: 3, rows: 2 },
      },
    },
  ],
  hls: { segmentDuration: 1 },
}

/** A process that ends by force when it has composed so much; returns the events by then. */
async function renderUntil(dir: string, killAtUs: number): Promise<RenderEvent[]> {
  const child = spawnRender('meeting3', join(dir, 'out'), join(dir, 'scratch'), {
    plan,
    workDir: join(dir, 'work'),
    killAtUs,
  })
  const exit = once(child, 'exit')
  const events: RenderEvent[] = []
  for await (const line of createInterface({ input: child.stdout as Readable })) {
    events.push(JSON.parse(line) as RenderEvent)
  }
  expect(await exit).toEqual([null, 'SIGKILL'])
  return events
}

/** When each kept segment was written. */
function segmentsIn(dir: string): Map<string, number> {
  const work = join(dir, 'work')
  const files = filesBelow(work).filter((name) => /segment-\d+$/.test(name))
  return new Map(files.map((name) => [name, statSync(join(work, name)).mtimeMs]))
}

function manifestIn(dir: string): Manifest {
  return JSON.parse(readFileSync(join(dir, 'out/meeting3/manifest.json'), 'utf8')) as Manifest
}

/** What does not depend on how x264 spent its bits. */
function comparable({ outputs, ...rest }: Manifest): unknown {
  const same = outputs.map(({ bytes: _, sha256: __, location: ___, poster, thumbnails, ...output }) => ({
    ...output,
    poster: poster?.key,
    thumbnails: [thumbnails?.key, thumbnails?.sheets],
  }))
  return { ...rest, outputs: same }
}

describe.skipIf(!hasFfmpeg && !process.env['CI'])('a composite that is killed', () => {
  let unbroken: string
  beforeAll(async () => {
    unbroken = mkdtempSync(join(tmpdir(), 'rushes-unbroken-'))
    const store = createLocalStore({ root: join(unbroken, 'out') })
    await render(await openTake(fixtureFolder('meeting3')), plan, { store })
  })
  afterAll(() => rmSync(unbroken, { recursive: true, force: true }))

  it('twice goes on behind what it had made each time, and is as one that was not', async () => {
    const dir = temporaryFolder()
    mkdirSync(join(dir, 'out'))
    const first = await renderUntil(dir, 6_000_000)
    expect(first.filter(({ type }) => type === 'resumed')).toEqual([])
    const afterFirst = segmentsIn(dir)
    expect(afterFirst.size).toBeGreaterThanOrEqual(5)
    const second = await renderUntil(dir, 12_000_000)
    const [resumed] = second.filter((event) => event.type === 'resumed')
    expect(resumed?.atUs).toBeGreaterThanOrEqual(5_000_000)
    const progress = second.flatMap((event) => (event.type === 'progress' ? [event.recordedUs] : []))
    expect(progress[0], 'what is kept counts').toBeGreaterThanOrEqual(resumed?.atUs as number)
    const afterSecond = segmentsIn(dir)
    expect(afterSecond.size).toBeGreaterThan(afterFirst.size)
    // Whatever is composed is written: what is as it was has not been composed again.
    for (const [name, writtenMs] of afterFirst) expect(afterSecond.get(name), name).toBe(writtenMs)
    const last: RenderEvent[] = []
    await render(await openTake(fixtureFolder('meeting3')), plan, {
      store: createLocalStore({ root: join(dir, 'out') }),
      workDir: join(dir, 'work'),
      onEvent: (event) => last.push(event),
    })
    const [again] = last.filter((event) => event.type === 'resumed')
    expect(again?.atUs).toBeGreaterThanOrEqual(11_000_000)
    expect(readdirSync(dir), 'nothing is kept of what is done').not.toContain('work')

    expect(comparable(manifestIn(dir))).toEqual(comparable(manifestIn(unbroken)))
    for (const [file, bytes] of [
      ['composite.mp4', 320 * 180],
      ['composite/media.m3u8', 320 * 180],
      ['composite/rendition-1/media.m3u8', 160 * 90],
    ] as const) {
      const [own, reference] = [join(dir, 'out/meeting3', file), join(unbroken, 'out/meeting3', file)]
      expect(presentationTimes(own, 'v:0'), file).toEqual(presentationTimes(reference, 'v:0'))
      expect(presentationTimes(own, 'a:0'), file).toEqual(presentationTimes(reference, 'a:0'))
      expect(leastPsnr(decodedPictures(own), decodedPictures(reference), bytes), file).toBeGreaterThan(35)
      expect(Buffer.compare(decodedSound(own), decodedSound(reference)), file).toBe(0)
      if (file.endsWith('.m3u8')) expect(readFileSync(own, 'utf8')).toBe(readFileSync(reference, 'utf8'))
    }
    const stills = filesBelow(join(unbroken, 'out')).filter((name) => /\.(?:jpg|vtt)$/.test(name))
    expect(stills).toHaveLength(6)
    for (const name of stills) {
      const [own, reference] = [join(dir, 'out', name), join(unbroken, 'out', name)]
      expect(Buffer.compare(readFileSync(own), readFileSync(reference)), name).toBe(0)
    }
  }, 60_000)
})
