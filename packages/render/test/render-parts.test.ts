import { template } from '@rushes/naming-rules'
import { createMemoryStore } from '@rushes/storage-adapters'
import { checkMp4 } from '@rushes/testkit'
import { describe, expect, it } from 'vitest'
import { type Manifest, render } from '../src/index.js'
import { fixture, hlsFindings, replay } from './fixtures.js'

const parts = { parts: { seconds: 4 } } as const

const of = (manifest: Manifest, container: 'hls' | 'mp4') =>
  manifest.outputs.filter((output) => output.container === container)

describe('a recording in parts', () => {
  it.each(['offline', 'live'] as const)('%s: each part plays alone, and together they are the whole', async (mode) => {
    const whole = await render(await fixture('solo'), {}, { store: createMemoryStore() })
    const store = createMemoryStore()
    const ready: string[] = []
    const take = await fixture('solo')
    const manifest = await render(mode === 'live' ? replay(take) : take, parts, {
      store,
      onEvent: (event) => {
        if (event.type === 'output-ready') ready.push(event.output.key)
      },
    })
    for (const container of ['hls', 'mp4'] as const) {
      const all = of(manifest, container)
      expect(all.length, container).toBeGreaterThan(2)
      expect(all.map(({ part }) => part)).toEqual(all.map((_, index) => index + 1))
      expect(new Set(all.map(({ key }) => key)).size).toBe(all.length)
      for (const [index, { key, startUs, durationUs }] of all.entries()) {
        const next = all[index + 1]
        if (next !== undefined) {
          expect(durationUs).toBeGreaterThan(3_900_000)
          expect(Math.abs(startUs + durationUs - next.startUs), 'parts follow each other').toBeLessThan(50_000)
        }
        const found =
          container === 'mp4'
            ? await checkMp4(store.objects.get(key)?.data as Uint8Array)
            : (await hlsFindings(store, key)).filter(({ rule }) => rule !== 'variant-codecs')
        expect(found, key).toEqual([])
      }
      const [last, only] = [all.at(-1), of(whole, container)[0]]
      if (last === undefined || only === undefined) throw new Error('no outputs')
      const endUs = (output: typeof last) => output.startUs + output.durationUs
      expect(Math.abs(endUs(last) - endUs(only))).toBeLessThan(mode === 'live' ? 50_000 : 1000)
    }
    expect(ready.sort()).toEqual(manifest.outputs.map(({ key }) => key).sort())
    expect(of(manifest, 'mp4')[0]?.key).toBe('solo/alice.part-00001.mp4')
    expect(of(manifest, 'hls')[1]?.key).toBe('solo/alice.part-00002/index.m3u8')
  })

  it('by bytes, under names that have a place for the number', async () => {
    const store = createMemoryStore()
    const naming = template('{recordingId}/{participantId}-{part}')
    const plan = { parts: { bytes: 200_000 }, formats: ['mp4'], naming } as const
    const manifest = await render(await fixture('solo'), plan, { store })
    const all = of(manifest, 'mp4')
    expect(all.length).toBeGreaterThan(2)
    expect(all[1]?.key).toBe('solo/alice-2.mp4')
    for (const { key, bytes } of all.slice(0, -1)) {
      expect(bytes, key).toBeGreaterThan(200_000)
      expect(await checkMp4(store.objects.get(key)?.data as Uint8Array), key).toEqual([])
    }
  })
})

describe('one kind of media', () => {
  it.each(['audio', 'video'] as const)('%s alone', async (media) => {
    const store = createMemoryStore()
    const manifest = await render(await fixture('solo'), { media }, { store })
    for (const output of manifest.outputs) {
      expect(output.audio === undefined, output.key).toBe(media === 'video')
      expect(output.video === undefined, output.key).toBe(media === 'audio')
    }
    expect(await hlsFindings(store, 'solo/alice/index.m3u8')).toEqual([])
    expect(await checkMp4(store.objects.get('solo/alice.mp4')?.data as Uint8Array)).toEqual([])
  })
})
