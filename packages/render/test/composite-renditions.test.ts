import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseMediaPlaylist, parseMultivariantPlaylist } from '@rushes/hls-segmenter'
import { presets, withFacts } from '@rushes/naming-rules'
import { createMemoryStore, type MemoryStore } from '@rushes/storage-adapters'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { checkMp4 } from '@rushes/testkit'
import { readVideoCards } from '@rushes/testkit/card'
import { describe, expect, it } from 'vitest'
import { type RenderPlan, render } from '../src/index.js'
import { fixture, hlsFindings, replay, temporaryFolder, textOf } from './fixtures.js'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0
const renditions = [{ size: '320x180' }, { size: '160x90', bitRate: 60_000 }] as const
const composite = { size: '640x360', fps: 15, layout: 'single', video: { preset: 'ultrafast', renditions } } as const
const plan: RenderPlan = { outputs: [{ composite }], formats: ['hls'], hls: { segmentDuration: 2 } }

const PLAYLISTS = ['media.m3u8', 'rendition-1/media.m3u8', 'rendition-2/media.m3u8'] as const

/** Length, date and break of each segment of each variant. */
function shapesOf(store: MemoryStore, folder: string): unknown[] {
  return PLAYLISTS.map((name) =>
    parseMediaPlaylist(textOf(store, folder + name)).segments.map(
      ({ durationUs, programDateTimeMs, discontinuity }) => ({ durationUs, programDateTimeMs, discontinuity }),
    ),
  )
}

function variantsOf(store: MemoryStore, key: string) {
  return parseMultivariantPlaylist(textOf(store, key)).variants
}

describe('renditions of a composite', () => {
  it.each(['ts', 'cmaf'] as const)('stand in one playlist, cut alike, as %s', async (segments) => {
    const store = createMemoryStore()
    const { outputs } = await render(
      await fixture('meeting3'),
      { ...plan, formats: ['mp4', 'hls'], hls: { segmentDuration: 2, segments }, toUs: 9_000_000 },
      { store },
    )
    expect(outputs).toMatchObject([
      { container: 'mp4', key: 'meeting3/composite.mp4', video: { width: 640, height: 360 } },
      { container: 'hls', key: 'meeting3/composite/index.m3u8', video: { width: 640, height: 360 } },
    ])
    const [mp4, hls] = outputs
    expect([hls?.startUs, hls?.durationUs]).toEqual([mp4?.startUs, mp4?.durationUs])
    let bytes = 0
    for (const [key, { data }] of store.objects) if (key.includes('/composite/')) bytes += data.byteLength
    expect(hls?.bytes).toBe(bytes)

    const variants = variantsOf(store, 'meeting3/composite/index.m3u8')
    expect(variants).toMatchObject([
      { uri: 'media.m3u8', resolution: { width: 640, height: 360 }, frameRate: 15 },
      { uri: 'rendition-1/media.m3u8', resolution: { width: 320, height: 180 }, frameRate: 15 },
      { uri: 'rendition-2/media.m3u8', resolution: { width: 160, height: 90 }, frameRate: 15 },
    ])
    for (const { codecs } of variants) expect(codecs).toEqual([expect.stringMatching(/^avc1/), 'mp4a.40.2'])
    const rates = variants.map(({ bandwidth }) => bandwidth)
    expect(rates).toEqual([...rates].sort((a, b) => b - a))
    const [main, ...others] = shapesOf(store, 'meeting3/composite/') as [unknown[], ...unknown[]]
    expect(main.length).toBeGreaterThan(3)
    for (const other of others) expect(other).toEqual(main)
    expect(await hlsFindings(store, 'meeting3/composite/index.m3u8')).toEqual([])
    const file = store.objects.get('meeting3/composite.mp4')?.data as Uint8Array
    expect(await checkMp4(file)).toEqual([])
    expect(Buffer.from(file).toString('latin1').split('trak').length - 1, 'one picture, one sound').toBe(2)
  })

  it('grow together, live', async () => {
    const store = createMemoryStore()
    const stored: string[] = []
    const { outputs } = await render(
      replay(await fixture('solo'), { untilUs: 9_000_000 }),
      { ...plan, hls: { segmentDuration: 2, playlistType: 'event', vodPlaylist: true } },
      { store, onEvent: (event) => event.type === 'stored' && stored.push(event.key) },
    )
    const index = 'solo/composite/index.m3u8'
    expect(outputs.map(({ key }) => key)).toEqual([index])
    expect(
      stored.filter((key) => key === index),
      'it is written once',
    ).toHaveLength(1)
    for (const name of PLAYLISTS) {
      expect(stored.indexOf(`solo/composite/${name}`), 'after what it names').toBeLessThan(stored.indexOf(index))
    }
    const [main, ...others] = shapesOf(store, 'solo/composite/') as [unknown[], ...unknown[]]
    expect(main.length).toBeGreaterThan(3)
    for (const other of others) expect(other).toEqual(main)
    expect(await hlsFindings(store, index)).toEqual([])
    const rates = variantsOf(store, index).map(({ bandwidth }) => bandwidth)
    expect(new Set(rates).size, `different ones: ${rates.join()}`).toBe(3)
    for (const name of PLAYLISTS) {
      const vod = textOf(store, `solo/composite/${name.replace('media', 'vod')}`)
      expect(vod).toBe(textOf(store, `solo/composite/${name}`).replace('EVENT', 'VOD'))
    }
  })

  it.each(PLAYLISTS)('go on where a crash left them, just after a line of %s', async (name) => {
    const take = await fixture('solo')
    const store = createMemoryStore()
    const killer = new AbortController()
    const growing = { ...plan, hls: { segmentDuration: 2, playlistType: 'event' } } as const
    const key = `solo/composite/${name}`
    const crashing = render(replay(take), growing, {
      store,
      signal: killer.signal,
      onEvent: (event) => {
        if (event.type !== 'stored' || event.key !== key) return
        if (textOf(store, key).split('#EXTINF').length > 3) killer.abort()
      },
    })
    await expect(crashing).rejects.toMatchObject({ code: 'RENDER_ABORTED' })
    const before = PLAYLISTS.map((name) => textOf(store, `solo/composite/${name}`))
    await render(replay(take), growing, {
      store,
      recallPlaylist: (key) =>
        Promise.resolve(store.objects.has(key) ? { text: textOf(store, key), bytes: 1000 } : undefined),
    })
    for (const [index, name] of PLAYLISTS.entries()) {
      const after = textOf(store, `solo/composite/${name}`)
      expect(after.startsWith(before[index] as string), 'lines that are public stay').toBe(true)
      expect(after.trimEnd().endsWith('#EXT-X-ENDLIST')).toBe(true)
      const { segments } = parseMediaPlaylist(after)
      const lengthUs = segments.reduce((sum, { durationUs }) => sum + durationUs, 0)
      expect(Math.abs(lengthUs - 19_800_000), 'nothing is missing').toBeLessThan(150_000)
      expect(segments.filter(({ discontinuity }) => discontinuity)).toHaveLength(1)
    }
    expect(await hlsFindings(store, 'solo/composite/index.m3u8')).toEqual([])
  })

  it('are in every part of a recording that has parts', async () => {
    const store = createMemoryStore()
    const { outputs } = await render(
      await fixture('solo'),
      { ...plan, parts: { seconds: 4 }, toUs: 9_000_000 },
      { store },
    )
    expect(outputs.map(({ part }) => part)).toEqual([1, 2, 3])
    for (const { key } of outputs) {
      expect(variantsOf(store, key)).toHaveLength(3)
      expect(await hlsFindings(store, key)).toEqual([])
      const [main, ...others] = shapesOf(store, key.slice(0, key.lastIndexOf('/') + 1)) as [unknown, ...unknown[]]
      for (const other of others) expect(other).toEqual(main)
    }
  })

  it('are found where the playlist lies beside its folder', async () => {
    const store = createMemoryStore()
    const naming = withFacts(presets.jocloud(), () => ({ recordingId: 'rec 7', roomId: 'room', uid: '1' }))
    const { outputs } = await render(await fixture('solo'), { ...plan, naming, toUs: 4_000_000 }, { store })
    expect(variantsOf(store, outputs[0]?.key as string)).toHaveLength(3)
    expect(await hlsFindings(store, outputs[0]?.key as string)).toEqual([])
  })

  it('are not made where there is no HLS, and not of sound', async () => {
    const store = createMemoryStore()
    const file = await render(await fixture('solo'), { ...plan, formats: ['mp4'], toUs: 3_000_000 }, { store })
    expect(file.outputs).toMatchObject([{ container: 'mp4', video: { width: 640, height: 360 } }])
    await render(await fixture('solo'), { ...plan, media: 'audio', toUs: 3_000_000 }, { store })
    expect(variantsOf(store, 'solo/composite/index.m3u8')).toHaveLength(1)
  })

  it.skipIf(!hasFfmpeg && !process.env['CI'])('show the same at the same time', async () => {
    const root = temporaryFolder()
    await render(await fixture('solo'), { ...plan, toUs: 6_000_000 }, { store: createLocalStore({ root }) })
    const paths = PLAYLISTS.map((name) => join(root, 'solo/composite', name))
    const packets = (path: string, stream: string): string =>
      execFileSync('ffprobe', [
        ...['-v', 'error', '-select_streams', stream, '-show_entries', 'packet=pts_time'],
        ...['-of', 'csv=p=0', path],
      ]).toString()
    const [main, ...others] = paths as [string, ...string[]]
    for (const stream of ['v', 'a']) {
      for (const other of others) expect(packets(other, stream)).toBe(packets(main, stream))
    }
    const [whole, half] = (await Promise.all([main, others[0] as string].map((path) => readVideoCards(path)))) as [
      Awaited<ReturnType<typeof readVideoCards>>,
      Awaited<ReturnType<typeof readVideoCards>>,
    ]
    expect(whole.length).toBeGreaterThan(80)
    expect(half.map(({ counter }) => counter)).toEqual(whole.map(({ counter }) => counter))
    expect(whole.filter(({ counter }) => counter !== undefined).length).toBeGreaterThan(70)
  })
})
