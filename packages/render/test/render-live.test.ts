import { createMemoryStore, type MemoryStore } from '@rushes/storage-adapters'
import { createLiveSource } from '@rushes/take'
import { checkMp4, type Finding } from '@rushes/testkit'
import { describe, expect, it } from 'vitest'
import { type RenderEvent, render } from '../src/index.js'
import { fixture, hlsFindings, replay, textOf } from './fixtures.js'

/**
 * CODECS of a live output is written with its first segment and says what is known by then: a level that rises, or a
 * camera that comes later, is not in it.
 */
async function liveFindings(store: MemoryStore, key: string): Promise<Finding[]> {
  return (await hlsFindings(store, key)).filter(({ rule }) => rule !== 'variant-codecs')
}

describe('render of a growing source', () => {
  it('takes one that has ended before anybody read it', async () => {
    const take = await fixture('solo')
    const live = createLiveSource({ startedAt: take.session.startedAt, name: 'solo' }, { idleMs: 3_600_000 })
    for (const { id, tracks } of take.session.participants) for (const track of tracks) live.addTrack(id, track)
    for await (const batch of take.items()) {
      for (const item of batch) if (item.type === 'packet') live.write(item.trackId, item.data, item.arrivalUs)
    }
    live.end()
    const manifest = await render(live, {}, { store: createMemoryStore() })
    expect(manifest.outputs.map(({ container }) => container)).toEqual(['hls', 'mp4'])
  })

  it('makes an EVENT playlist that plays while it grows and ends with the source', async () => {
    const store = createMemoryStore()
    const media = 'solo/alice/media.m3u8'
    const seen: string[] = []
    const events: RenderEvent[] = []
    const manifest = await render(
      replay(await fixture('solo'), {
        onPacket: () => {
          const text = store.objects.has(media) ? textOf(store, media) : undefined
          if (text !== undefined && text !== seen.at(-1)) seen.push(text)
          return undefined
        },
      }),
      { hls: { segmentDuration: 2 } },
      {
        store,
        onEvent: (event) => {
          events.push(event)
          if (event.type === 'output-started' && event.container === 'hls') {
            expect([...store.objects.keys()], 'playable by now').toEqual(
              expect.arrayContaining(['solo/alice/index.m3u8', media, 'solo/alice/segment-00001.ts']),
            )
          }
        },
      },
    )
    expect(seen.length, 'the playlist was seen growing').toBeGreaterThan(3)
    const last = textOf(store, media)
    for (const text of seen) {
      expect(text).toContain('#EXT-X-PLAYLIST-TYPE:EVENT')
      expect(text).not.toContain('#EXT-X-ENDLIST')
      expect(last.startsWith(text), 'lines that are public never change').toBe(true)
    }
    expect(last.trimEnd().endsWith('#EXT-X-ENDLIST')).toBe(true)
    expect(await liveFindings(store, 'solo/alice/index.m3u8')).toEqual([])
    expect(await checkMp4(store.objects.get('solo/alice.mp4')?.data as Uint8Array)).toEqual([])
    expect(manifest.outputs.map(({ container }) => container)).toEqual(['hls', 'mp4'])
    expect([...store.objects.keys()].at(-1)).toBe('solo/manifest.json')
    expect(events.filter(({ type }) => type === 'output-ready')).toHaveLength(2)
  })

  it('takes in participants who come late and leave early', async () => {
    const store = createMemoryStore()
    const manifest = await render(replay(await fixture('meeting3')), {}, { store })
    const starts = new Map(manifest.outputs.map((output) => [`${output.participantId} ${output.container}`, output]))
    expect([...starts.keys()].sort()).toEqual(
      ['alice', 'bob', 'carol'].flatMap((id) => [`${id} hls`, `${id} mp4`]).sort(),
    )
    expect(starts.get('bob hls')?.startUs).toBeGreaterThan(2_900_000)
    expect(starts.get('bob hls')?.startUs).toBeLessThan(3_600_000)
    expect(starts.get('bob mp4')?.durationUs).toBeLessThan(11_500_000)
    expect(starts.get('carol mp4')?.startUs).toBeGreaterThan(5_900_000)
    for (const { key, container } of manifest.outputs) {
      if (container === 'hls') expect(await liveFindings(store, key), key).toEqual([])
      else expect(await checkMp4(store.objects.get(key)?.data as Uint8Array), key).toEqual([])
    }
  })

  it('goes on in the same output when somebody leaves and comes back', async () => {
    const store = createMemoryStore()
    const manifest = await render(replay(await fixture('rejoin')), {}, { store })
    const bob = manifest.outputs.filter(({ participantId }) => participantId === 'bob')
    expect(bob.map(({ container }) => container)).toEqual(['hls', 'mp4'])
    for (const output of bob) expect(output.durationUs, output.container).toBeGreaterThan(14_000_000)
    expect(await liveFindings(store, 'rejoin/bob/index.m3u8')).toEqual([])
    const mp4 = store.objects.get('rejoin/bob.mp4')?.data as Uint8Array
    expect(await checkMp4(mp4)).toEqual([])
    expect(countOf(mp4, 'trak'), 'one picture and one sound').toBe(2)
    expect(manifest.participants.find(({ id }) => id === 'bob')?.intervals).toHaveLength(2)
  })

  it('takes in a camera that is switched on late', async () => {
    const store = createMemoryStore()
    const take = await fixture('solo')
    const late = {
      ...take,
      session: {
        ...take.session,
        participants: take.session.participants.map((participant) => ({
          ...participant,
          tracks: participant.tracks.map((track) => (track.kind === 'video' ? { ...track, joinedAtMs: 9_900 } : track)),
        })),
      },
      // Its own methods are not copied.
      items: () => take.items(),
    }
    const manifest = await render(replay(late), {}, { store })
    const [hls, mp4] = manifest.outputs
    expect(hls?.video).toMatchObject({ width: 960, height: 540 })
    expect(mp4?.video).toMatchObject({ width: 960, height: 540 })
    expect(hls?.startUs).toBeLessThan(500_000)
    expect(countOf(store.objects.get('solo/alice.mp4')?.data as Uint8Array, 'trak')).toBe(2)
    expect(await liveFindings(store, 'solo/alice/index.m3u8')).toEqual([])
    expect(await checkMp4(store.objects.get('solo/alice.mp4')?.data as Uint8Array)).toEqual([])
  })
})

/** How often four characters stand in a file; `trak` and the like do not come by chance in these takes. */
function countOf(bytes: Uint8Array, fourcc: string): number {
  return Buffer.from(bytes).toString('latin1').split(fourcc).length - 1
}
