import { createMemoryStore, type MemoryStore } from '@rushes/storage-adapters'
import { checkMp4 } from '@rushes/testkit'
import { describe, expect, it } from 'vitest'
import { type Manifest, type ManifestLayout, type RenderEvent, render } from '../src/index.js'
import { fixture, hlsFindings, replay } from './fixtures.js'

const small = { size: '320x180', fps: 15, video: { preset: 'ultrafast' } } as const
const mp4Of = (store: MemoryStore, key: string): Uint8Array => store.objects.get(key)?.data as Uint8Array

/** Who is to be seen, in the order of the tiles, and whether as a picture. */
function peopleIn({ layouts }: Manifest): { untilMs: number; tiles: string }[] {
  return layouts
    .filter((layout) => layout.transition !== true)
    .map(({ endUs, tiles }) => ({
      untilMs: Math.round(endUs / 1000),
      tiles: tiles.map(({ participantId, placeholder }) => participantId + (placeholder ? ' (off)' : '')).join(', '),
    }))
}

describe('render of a composite', () => {
  it('puts everyone into one picture and one sound, in each format, and says where', async () => {
    const store = createMemoryStore()
    const events: RenderEvent[] = []
    const manifest = await render(
      await fixture('meeting3'),
      { outputs: [{ composite: { ...small, transitionMs: 0 } }], hls: { segmentDuration: 2 } },
      { store, onEvent: (event) => events.push(event) },
    )
    expect(manifest.outputs).toMatchObject([
      { kind: 'composite', container: 'hls', key: 'meeting3/composite/index.m3u8' },
      { kind: 'composite', container: 'mp4', key: 'meeting3/composite.mp4' },
    ])
    for (const output of manifest.outputs) {
      expect(output).not.toHaveProperty('participantId')
      expect(output.video).toMatchObject({ width: 320, height: 180 })
      expect(output.audio).toEqual({ codec: 'mp4a.40.2', sampleRate: 48_000, channels: 2 })
      expect(output.startUs).toBeLessThan(200_000)
      expect(Math.abs(output.startUs + output.durationUs - manifest.durationUs)).toBeLessThan(70_000)
    }
    expect(await hlsFindings(store, 'meeting3/composite/index.m3u8')).toEqual([])
    expect(await checkMp4(mp4Of(store, 'meeting3/composite.mp4'))).toEqual([])
    const playlist = new TextDecoder().decode(mp4Of(store, 'meeting3/composite/media.m3u8'))
    const lengths = [...playlist.matchAll(/#EXTINF:([\d.]+)/g)].map((match) => Number(match[1]))
    expect(new Set(lengths.slice(1, -1)), 'keyframes stand where segments begin').toEqual(new Set([2]))
    expect(peopleIn(manifest)).toEqual([
      { untilMs: 200, tiles: '' },
      { untilMs: 3000, tiles: 'alice' },
      { untilMs: 5933, tiles: 'alice, bob' },
      { untilMs: 6000, tiles: 'alice, bob, carol (off)' },
      { untilMs: 14_067, tiles: 'alice, bob, carol' },
      { untilMs: 20_000, tiles: 'alice, carol' },
    ])
    expect(manifest.chapters.map(({ label }) => label)).toEqual([
      'alice joined',
      'bob joined',
      'carol joined',
      'bob left',
    ])
    expect(events.filter(({ type }) => type === 'output-started')).toMatchObject([{ kind: 'composite' }, {}])
  })

  it('leaves no moment without a layout', async () => {
    const { layouts } = await render(
      await fixture('mutes'),
      { outputs: [{ composite: small }], formats: ['mp4'] },
      { store: createMemoryStore() },
    )
    for (const [index, { startUs, endUs }] of layouts.entries()) {
      expect(startUs).toBeLessThan(endUs)
      if (index > 0) expect(startUs).toBe((layouts[index - 1] as ManifestLayout).endUs)
    }
    expect(layouts.at(-1)?.endUs).toBeGreaterThan(27_900_000)
  })

  it('is the same live, apart from its first seconds', async () => {
    const plan = { outputs: [{ composite: small }], formats: ['mp4'] } as const
    const take = await fixture('meeting3')
    const store = createMemoryStore()
    const live = await render(replay(take), plan, { store })
    const later = await render(take, plan, { store: createMemoryStore() })
    expect(await checkMp4(mp4Of(store, 'meeting3/composite.mp4'))).toEqual([])
    const settled = ({ layouts }: Manifest): unknown[] =>
      layouts.filter(({ startUs }) => startUs > 1_000_000).map((layout) => ({ ...layout, endUs: 0 }))
    expect(settled(live)).toEqual(settled(later))
    expect(settled(live).length).toBeGreaterThan(5)
  })

  it('may be of sound alone, or of pictures alone', async () => {
    const store = createMemoryStore()
    const plan = { outputs: [{ composite: small }], formats: ['mp4'], toUs: 3_000_000 } as const
    const take = await fixture('solo')
    const sound = await render(take, { ...plan, media: 'audio' }, { store })
    expect(sound.outputs[0]).toMatchObject({ kind: 'composite', audio: { channels: 2 } })
    expect(sound.outputs[0]).not.toHaveProperty('video')
    expect(sound.layouts).toEqual([])
    expect(await checkMp4(mp4Of(store, 'solo/composite.mp4'))).toEqual([])
    const pictures = await render(take, { ...plan, media: 'video' }, { store })
    expect(pictures.outputs[0]).toMatchObject({ kind: 'composite', video: { width: 320 } })
    expect(pictures.outputs[0]).not.toHaveProperty('audio')
    expect(await checkMp4(mp4Of(store, 'solo/composite.mp4'))).toEqual([])
  })

  it('may be one of several outputs, under names of their own', async () => {
    const store = createMemoryStore()
    const { outputs, layouts } = await render(
      await fixture('solo'),
      {
        outputs: ['individual', { composite: small }, { composite: { ...small, name: 'one', layout: 'single' } }],
        formats: ['mp4'],
        toUs: 4_000_000,
      },
      { store },
    )
    expect(outputs.map(({ kind, key, name }) => ({ kind, key, name }))).toEqual([
      { kind: 'individual', key: 'solo/alice.mp4', name: undefined },
      { kind: 'composite', key: 'solo/composite.mp4', name: undefined },
      { kind: 'composite', key: 'solo/one.mp4', name: 'one' },
    ])
    expect(new Set(layouts.map(({ name, composite }) => `${name} ${composite}`))).toEqual(
      new Set(['grid undefined', 'single one']),
    )
    for (const { durationUs } of outputs) expect(Math.abs(durationUs - 3_850_000)).toBeLessThan(250_000)
  })

  it('may begin and end anywhere', async () => {
    const store = createMemoryStore()
    const { outputs, layouts } = await render(
      await fixture('meeting3'),
      { outputs: [{ composite: { ...small, fps: 30 } }], formats: ['mp4'], fromUs: 5_000_000, toUs: 8_000_000 },
      { store },
    )
    expect(outputs[0]?.startUs).toBeGreaterThan(4_970_000)
    expect(outputs[0]?.startUs).toBeLessThanOrEqual(5_000_000)
    expect(Math.abs((outputs[0]?.durationUs as number) - 3_000_000)).toBeLessThan(40_000)
    expect(layouts.at(-1)?.endUs, 'nothing is composed of what comes after').toBe(8_000_000)
    expect(layouts[0]?.tiles.map(({ participantId, placeholder }) => ({ participantId, placeholder }))).toEqual([
      { participantId: 'alice', placeholder: false },
      { participantId: 'bob', placeholder: false },
    ])
  })

  it('changes its layout when it is told to, in the recording or in the plan', async () => {
    const take = await fixture('meeting3')
    const named = ({ layouts }: Manifest): string[] => [...new Set(layouts.map(({ name }) => name))]
    const plan = { outputs: [{ composite: { ...small, name: 'c' } }], formats: ['mp4'], toUs: 12_000_000 } as const
    const told = await render(
      replay(take, {
        onPacket: (arrivalUs, live) => {
          if (arrivalUs > 8_000_000 && !done.told) {
            done.told = true
            live.event({ atMs: 8000, type: 'layout', layout: { type: 'spotlight' }, transitionMs: 0 })
            live.event({ atMs: 9000, type: 'layout', layout: { type: 'pip' }, composite: 'another' })
          }
          return undefined
        },
        untilUs: 12_000_000,
      }),
      plan,
      { store: createMemoryStore() },
    )
    expect(named(told)).toEqual(['grid', 'spotlight'])
    expect(told.layouts.find(({ name }) => name === 'spotlight')?.startUs).toBe(8_000_000)
    const changes = [{ atUs: 10_000_000, layout: 'side-by-side' }]
    const planned = await render(
      take,
      { ...plan, outputs: [{ composite: { ...small, changes } }] },
      { store: createMemoryStore() },
    )
    expect(named(planned)).toEqual(['grid', 'side-by-side'])
  })
})

const done = { told: false }
