import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { monotonicClock, type RecordingEvent } from '@rushes/media'
import type { Manifest } from '@rushes/render'
import { createMemoryStore, type MemoryStore } from '@rushes/storage-adapters'
import { openTake } from '@rushes/take'
import { checkMp4 } from '@rushes/testkit'
import { describe, expect, it } from 'vitest'
import { createRecorder, type RecorderOptions, type RecordingSignal } from '../src/index.js'
import { fixture, play, temporaryFolder, until } from './calls.js'

const small = { size: '320x180', fps: 10, transitionMs: 0, video: { preset: 'ultrafast' } } as const

/**
 * A recording whose clock stands where the call stands: what the host says meanwhile has the time at which it says it,
 * however busy the machine is.
 */
async function started(options: Partial<RecorderOptions> = {}) {
  const store = createMemoryStore()
  const journalDir = temporaryFolder()
  const clock = new CallClock()
  const settings = { formats: ['mp4'], outputs: [{ composite: small }], ...options } as const
  const recorder = await createRecorder({ journalDir, store, clock, ...settings })
  const startUs = clock.nowUs()
  const recording = await recorder.start({ roomId: 'room', recordingId: 'r' })
  const signals: RecordingSignal[] = []
  recording.on((signal) => signals.push(signal))
  /** Plays a call, and does things on the way, each when its time has come. */
  const playing = async (name: string, untilMs: number, todo: readonly (readonly [number, () => void])[] = []) => {
    const left = [...todo]
    await play(await fixture(name), recording, {
      startUs,
      untilUs: untilMs * 1000,
      onPacket: (arrivalUs) => {
        clock.goTo(startUs + arrivalUs)
        while ((left[0]?.[0] ?? Number.POSITIVE_INFINITY) * 1000 <= arrivalUs) left.shift()?.[1]()
        return undefined
      },
    })
    expect(left).toEqual([])
  }
  const told = (type: string) => signals.filter((signal): signal is RecordingEvent => signal.type === type)
  return { store, recorder, recording, journalDir, clock, startUs, playing, told, dir: join(journalDir, 'r') }
}

/** The machine's clock for whoever waits, and the call's for whoever asks. */
class CallClock {
  #nowUs = monotonicClock.nowUs()
  nowUs(): number {
    return this.#nowUs
  }
  goTo(us: number): void {
    this.#nowUs = Math.max(this.#nowUs, us)
  }
  schedule(deadlineUs: number, wake: () => void): () => void {
    return monotonicClock.schedule(monotonicClock.nowUs() + Math.max(1000, deadlineUs - this.#nowUs), wake)
  }
}

/** Who is seen at a time, and whether as a picture. */
function seenAt({ layouts }: Manifest, atMs: number): string[] {
  const layout = layouts.find(({ startUs, endUs }) => startUs <= atMs * 1000 && atMs * 1000 < endUs)
  return (layout?.tiles ?? []).map(({ participantId, placeholder }) => participantId + (placeholder ? ' (off)' : ''))
}

const mp4 = (store: MemoryStore, key: string): Promise<unknown[]> =>
  checkMp4(store.objects.get(key)?.data as Uint8Array)

describe('a layout that is set while it is recorded', () => {
  it('is journalled, told, and stands in the manifest from then on', async () => {
    const { recorder, recording, playing, told, store, dir } = await started({ journal: 'keep' })
    await playing('meeting3', 8000, [
      [2000, () => expect(() => recording.setLayout('gird')).toThrow(/grid/)],
      [5000, () => recording.setLayout('side-by-side', { transitionMs: 200 })],
      [6500, () => recording.setLayout({ type: 'single', name: 'alone', participant: 'bob' })],
    ])
    const { layouts, outputs } = await recording.stop()
    expect(() => recording.setLayout('grid')).toThrow(/has stopped/)
    const first = (name: string): number | undefined => layouts.find((layout) => layout.name === name)?.startUs
    expect(first('grid')).toBeLessThan(400_000)
    for (const [name, atUs] of [
      ['side-by-side', 5_000_000],
      ['alone', 6_500_000],
    ] as const) {
      expect(Math.abs((first(name) as number) - atUs), name).toBeLessThan(150_000)
    }
    expect(layouts.at(-1)?.tiles.map(({ participantId }) => participantId)).toEqual(['bob'])
    expect(told('LAYOUT').map(({ data }) => data)).toEqual([
      { layout: 'side-by-side', transitionMs: 200 },
      { layout: 'alone' },
    ])
    expect(outputs).toMatchObject([{ kind: 'composite', key: 'r/composite.mp4' }])
    expect(await mp4(store, 'r/composite.mp4')).toEqual([])
    const { session } = await openTake(dir)
    expect(session.events.filter(({ type }) => type === 'layout')).toMatchObject([
      { layout: { type: 'side-by-side' }, transitionMs: 200 },
      { layout: { type: 'single', participant: 'bob' } },
    ])
    await recorder.close()
  })

  it('is refused where there is no composite', async () => {
    const { recorder, recording, playing } = await started({ outputs: ['individual'] })
    await playing('solo', 1000)
    expect(() => recording.setLayout('grid')).toThrow(expect.objectContaining({ field: 'outputs' }))
    await recording.stop()
    await recorder.close()
  })

  it('may be for one of several composites', async () => {
    const outputs = [{ composite: small }, { composite: { ...small, name: 'stage' } }]
    const { recorder, recording, playing } = await started({ outputs })
    await playing('solo', 4000, [[2000, () => recording.setLayout('spotlight', { composite: 'stage' })]])
    const { layouts } = await recording.stop()
    expect(new Set(layouts.map(({ name, composite }) => `${composite ?? 'main'}: ${name}`))).toEqual(
      new Set(['main: grid', 'stage: grid', 'stage: spotlight']),
    )
    await recorder.close()
  })
})

describe('a camera', () => {
  it('that is muted becomes a placeholder, and a picture again', async () => {
    const { recorder, recording, playing, told } = await started()
    await playing('solo', 7000, [
      [3000, () => recording.trackMuted('alice-video', true)],
      [3100, () => recording.trackMuted('nobody', true)],
      [5000, () => recording.trackMuted('alice-video', false)],
    ])
    const manifest = await recording.stop()
    expect(seenAt(manifest, 2500)).toEqual(['alice'])
    expect(seenAt(manifest, 4000)).toEqual(['alice (off)'])
    expect(seenAt(manifest, 6000)).toEqual(['alice'])
    expect(told('TRACK_MUTED').map(({ data }) => data)).toEqual([{ participantId: 'alice', trackId: 'alice-video' }])
    expect(told('TRACK_UNMUTED')).toHaveLength(1)
    recording.trackMuted('alice-video', true)
    expect(told('TRACK_MUTED'), 'of a track that has ended nothing is told').toHaveLength(1)
    await recorder.close()
  })

  it('that shows a screen, or nothing, has the place of one', async () => {
    const { recorder, recording, playing } = await started({
      outputs: [{ composite: { ...small, layout: 'presentation' } }],
    })
    await playing('meeting3', 9000, [
      [4000, () => recording.trackShows('alice-video', 'screen')],
      [6000, () => recording.trackShows('alice-video', 'camera')],
      [7500, () => recording.trackShows('alice-video', 'none')],
    ])
    const manifest = await recording.stop()
    const widthAt = (atMs: number): number => {
      const layout = manifest.layouts.find(({ startUs, endUs }) => startUs <= atMs * 1000 && atMs * 1000 < endUs)
      return Math.max(
        ...(layout?.tiles ?? []).filter(({ trackId }) => trackId === 'alice-video').map(({ width }) => width),
      )
    }
    expect(widthAt(5000)).toBeGreaterThan(1.2 * widthAt(3800))
    expect(widthAt(6800)).toBeLessThan(widthAt(5000))
    expect(seenAt(manifest, 8500)).toContain('alice (off)')
    await recorder.close()
  })

  it('that is said to be a screen from the start is one', async () => {
    const { recorder, recording, clock, startUs } = await started({
      outputs: [{ composite: { ...small, layout: 'presentation' } }],
    })
    const share = { kind: 'video', codec: 'h264' } as const
    const screen = recording.addTrack({ participantId: 'ann', ...share, shows: 'screen' })
    const camera = recording.addTrack({ participantId: 'bob', ...share })
    for await (const batch of (await fixture('solo')).items({ tracks: ['alice-video'] })) {
      for (const item of batch) {
        if (item.type !== 'packet' || item.arrivalUs > 3_000_000) continue
        clock.goTo(startUs + item.arrivalUs)
        screen.write(item.data, startUs + item.arrivalUs)
        camera.write(Uint8Array.from(item.data), startUs + item.arrivalUs)
      }
    }
    const { layouts } = await recording.stop()
    const width = Object.fromEntries(layouts.at(-1)?.tiles.map((tile) => [tile.participantId, tile.width]) ?? [])
    expect(width['ann']).toBeGreaterThan(2 * (width['bob'] as number))
    await recorder.close()
  })

  it('that was muted during a pause is off when it goes on', async () => {
    const { recorder, recording, playing } = await started()
    await playing('solo', 6000, [
      [2000, () => recording.pause()],
      [2500, () => recording.trackMuted('alice-video', true)],
      [3000, () => recording.resume()],
    ])
    const manifest = await recording.stop()
    expect(seenAt(manifest, 1500)).toEqual(['alice'])
    expect(seenAt(manifest, 5500)).toEqual(['alice (off)'])
    await recorder.close()
  })
})

describe('a composite', () => {
  it('has links while it grows and when it is whole', async () => {
    const { recorder, recording, playing, told } = await started({
      formats: ['hls', 'mp4'],
      hls: { segmentDuration: 1 },
    })
    await playing('meeting3', 7000)
    await recording.stop()
    expect(told('LINK').map(({ data }) => data)).toMatchObject([
      { kind: 'composite', container: 'hls', key: 'r/composite/index.m3u8', final: false },
      { kind: 'composite', container: 'hls', key: 'r/composite/index.m3u8', final: true },
      { kind: 'composite', container: 'mp4', key: 'r/composite.mp4', final: true },
    ])
    for (const { data } of told('LINK')) expect(data).not.toHaveProperty('participantId')
    expect(told('READY')[0]?.data['outputs']).toMatchObject([{ kind: 'composite' }, { kind: 'composite' }])
    await recorder.close()
  })

  it('is made of what a crash left, with the layouts until then, and goes on where it was public', async () => {
    const { recorder, recording, playing, store, journalDir } = await started({
      outputs: ['individual', { composite: { ...small, name: 'all', poster: true, thumbnails: { everySeconds: 1 } } }],
      formats: ['hls', 'mp4'],
      hls: { segmentDuration: 1 },
      journal: 'keep',
    })
    await playing('meeting3', 8000, [[5000, () => recording.setLayout('spotlight')]])
    const media = 'r/all/media.m3u8'
    await until(() => store.objects.has(media) && recording.stats.bufferedBytes === 0)
    await recorder.close({ mode: 'abandon' })
    const published = new TextDecoder().decode(store.objects.get(media)?.data)
    expect(published).toContain('EXTINF')
    expect(published).not.toContain('ENDLIST')

    const after = await createRecorder({ store, journalDir })
    const [recovered] = await after.recovered
    expect(recovered).toMatchObject({ recordingId: 'r', outcome: 'ready' })
    const { outputs = [], layouts = [] } = recovered?.manifest ?? {}
    const composites = outputs.filter(({ kind }) => kind === 'composite')
    expect(composites).toMatchObject([
      { name: 'all', container: 'hls' },
      { name: 'all', container: 'mp4', key: 'r/all.mp4' },
    ])
    expect(composites[1]?.durationUs).toBeGreaterThan(7_000_000)
    expect([...new Set(layouts.map(({ name }) => name))]).toEqual(['grid', 'spotlight'])
    const text = new TextDecoder().decode(store.objects.get(media)?.data)
    expect(text.startsWith(published), 'public lines stay').toBe(true)
    expect(text.trimEnd().endsWith('#EXT-X-ENDLIST')).toBe(true)
    expect(await mp4(store, 'r/all.mp4')).toEqual([])
    const stills = [...store.objects.keys()].filter((key) => /(jpg|vtt)$/.test(key))
    expect(stills.length).toBeGreaterThanOrEqual(3)

    // Nobody can be taken out of a picture of everyone: it goes as a whole, and can be made again of the journal.
    await after.erase('r', 'bob')
    const keys = [...store.objects.keys()]
    expect(keys.filter((key) => /^r\/(all|bob)[/.]/.test(key) || /(jpg|vtt)$/.test(key))).toEqual([])
    expect(keys).toEqual(expect.arrayContaining(['r/alice.mp4', 'r/carol.mp4', 'r/manifest.json']))
    const manifest = new TextDecoder().decode(store.objects.get('r/manifest.json')?.data)
    expect(manifest).not.toContain('bob')
    expect(JSON.parse(manifest)).toMatchObject({ layouts: [], chapters: [] })
    expect(await readFile(join(journalDir, 'r', 'session.json'), 'utf8')).not.toContain('bob')
    await after.close()
  })

  it('is made of the sound alone where that is asked for', async () => {
    const { recorder, recording, playing } = await started({ media: 'audio' })
    await playing('solo', 3000)
    const { outputs } = await recording.stop()
    expect(outputs).toMatchObject([{ kind: 'composite', audio: { channels: 2 } }])
    expect(outputs[0]).not.toHaveProperty('video')
    await recorder.close()
  })
})
