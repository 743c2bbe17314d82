import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { type RenderEvent, render } from '@rushes/render'
import { createMemoryStore } from '@rushes/storage-adapters'
import { openTake } from '@rushes/take'
import { beforeAll, describe, expect, it } from 'vitest'
import { filesBelow, fixtureFolder, spawnRender, temporaryFolder } from './fault-sites.js'

/** When the process is ended, by what it has told so far. */
const MOMENTS: readonly (readonly [string, (event: RenderEvent) => boolean])[] = [
  ['at its first segment', (event) => event.type === 'stored'],
  ['in the middle', (event) => event.type === 'progress' && event.recordedUs > 10_000_000],
  ['when HLS is whole and the MP4 is not', (event) => event.type === 'stored' && event.key.endsWith('index.m3u8')],
  ['before the manifest', (event) => event.type === 'stored' && event.key.endsWith('.mp4')],
]

describe('a render that is killed', () => {
  const undisturbed = createMemoryStore()
  beforeAll(async () => {
    await render(await openTake(fixtureFolder('ramp')), { hls: { segmentDuration: 1 } }, { store: undisturbed })
  })

  it.each(MOMENTS)('%s leaves nothing half-written under a final name', async (_when, isMoment) => {
    const dir = temporaryFolder()
    const [root, scratch] = [join(dir, 'out'), join(dir, 'scratch')]
    mkdirSync(root)
    const child = spawnRender('ramp', root, scratch)
    const exit = once(child, 'exit')
    for await (const line of createInterface({ input: child.stdout as Readable })) {
      if (isMoment(JSON.parse(line) as RenderEvent)) {
        child.kill('SIGKILL')
        break
      }
    }
    const [, signal] = (await exit) as [number | null, string | null]
    expect(signal, 'it was still at work').toBe('SIGKILL')

    // A render of the same take gives the same bytes: what stands there must be as in one that was not disturbed.
    const names = filesBelow(root).filter((name) => !name.split('/').some((part) => part.startsWith('.rushes-')))
    expect(names.length).toBeGreaterThan(0)
    for (const name of names) {
      const whole = undisturbed.objects.get(name)
      expect(whole, name).toBeDefined()
      // The manifest has the locations of its store.
      if (name.endsWith('manifest.json')) expect(() => JSON.parse(readFileSync(join(root, name), 'utf8'))).not.toThrow()
      else expect(Buffer.compare(readFileSync(join(root, name)), whole?.data as Uint8Array), name).toBe(0)
    }
    // What a playlist names is there.
    for (const name of names.filter((one) => one.endsWith('.m3u8'))) {
      const uris = readFileSync(join(root, name), 'utf8').split('\n')
      for (const uri of uris.filter((line) => line !== '' && !line.startsWith('#'))) {
        expect(names, name).toContain(join(name, '..', uri))
      }
    }
  })
})
