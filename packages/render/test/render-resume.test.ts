import { parseMediaPlaylist } from '@rushes/hls-segmenter'
import { createMemoryStore, type MemoryStore } from '@rushes/storage-adapters'
import { describe, expect, it } from 'vitest'
import { type RecallPlaylist, render } from '../src/index.js'
import { fixture, hlsFindings, replay, textOf } from './fixtures.js'

const media = 'solo/alice/media.m3u8'
const plan = { formats: ['hls'], hls: { segmentDuration: 2, playlistType: 'event' } } as const

/** A live render that dies as soon as so many segments are public. */
async function crashed(segments: number): Promise<MemoryStore> {
  const store = createMemoryStore()
  const killer = new AbortController()
  const source = replay(await fixture('solo'), {
    onPacket: () => {
      const text = store.objects.has(media) ? textOf(store, media) : ''
      if (text.split('#EXTINF').length > segments) killer.abort()
      return undefined
    },
  })
  await expect(render(source, plan, { store, signal: killer.signal })).rejects.toMatchObject({ code: 'RENDER_ABORTED' })
  return store
}

const recall =
  (store: MemoryStore): RecallPlaylist =>
  (key) =>
    Promise.resolve(store.objects.has(key) ? { text: textOf(store, key), bytes: 1000 } : undefined)

describe('an EVENT playlist that a crash left behind', () => {
  it.each([1, 3])('goes on after %i segments, without renumbering, behind one discontinuity', async (segments) => {
    const store = await crashed(segments)
    const before = textOf(store, media)
    const manifest = await render(await fixture('solo'), plan, { store, recallPlaylist: recall(store) })
    const after = textOf(store, media)
    expect(after.startsWith(before), 'lines that are public stay').toBe(true)
    expect(after.trimEnd().endsWith('#EXT-X-ENDLIST')).toBe(true)
    const playlist = parseMediaPlaylist(after)
    expect(playlist.segments.map(({ uri }) => uri)).toEqual(
      playlist.segments.map((_, index) => `segment-${String(index + 1).padStart(5, '0')}.ts`),
    )
    const old = parseMediaPlaylist(before).segments.length
    expect(playlist.segments[old]?.discontinuity).toBe(true)
    const whole = createMemoryStore()
    const reference = (await render(await fixture('solo'), plan, { store: whole })).outputs[0]
    const length = (text: string) => parseMediaPlaylist(text).segments.reduce((sum, one) => sum + one.durationUs, 0)
    expect(Math.abs(length(after) - length(textOf(whole, media))), 'nothing is missing').toBeLessThan(60_000)
    const output = manifest.outputs[0]
    // Live times are those by arrival until the first sender report.
    expect(Math.abs((output?.startUs ?? 0) - (reference?.startUs ?? 1e9))).toBeLessThan(60_000)
    expect(Math.abs((output?.durationUs ?? 0) - (reference?.durationUs ?? 1e9))).toBeLessThan(60_000)
    expect(output?.bytes).toBeGreaterThan(1000)
    expect((await hlsFindings(store, 'solo/alice/index.m3u8')).filter(({ rule }) => rule !== 'variant-codecs')).toEqual(
      [],
    )
  })

  it('and that had ended stays as it is', async () => {
    const store = createMemoryStore()
    await render(replay(await fixture('solo')), plan, { store })
    const before = new Map([...store.objects].map(([key, { data }]) => [key, Buffer.from(data).toString('base64')]))
    const manifest = await render(await fixture('solo'), plan, { store, recallPlaylist: recall(store) })
    for (const [key, data] of before) {
      if (key.endsWith('manifest.json')) continue
      expect(Buffer.from(store.objects.get(key)?.data as Uint8Array).toString('base64'), key).toBe(data)
    }
    expect(manifest.outputs).toHaveLength(1)
    expect(manifest.outputs[0]?.durationUs).toBeGreaterThan(19_000_000)
  })
})

describe('a VOD playlist beside the EVENT playlist', () => {
  it('has the same lines but for its type', async () => {
    const store = createMemoryStore()
    await render(replay(await fixture('solo')), { ...plan, hls: { ...plan.hls, vodPlaylist: true } }, { store })
    expect(textOf(store, 'solo/alice/vod.m3u8')).toBe(textOf(store, media).replace('TYPE:EVENT', 'TYPE:VOD'))
    expect(parseMediaPlaylist(textOf(store, 'solo/alice/vod.m3u8'))).toMatchObject({
      playlistType: 'VOD',
      endList: true,
    })
  })
})
