import { join } from 'node:path'
import { monotonicClock } from '@rushes/media'
import { createMemoryStore, type MemoryStore, type Store, StoreError } from '@rushes/storage-adapters'
import { openTake } from '@rushes/take'
import { checkMp4 } from '@rushes/testkit'
import { describe, expect, it } from 'vitest'
import { createRecorder, type RecorderOptions, type Recording, type RecordingSignal } from '../src/index.js'
import { fixture, play, temporaryFolder, until } from './calls.js'

async function started(options: Partial<RecorderOptions> = {}) {
  const store = (options.store ?? createMemoryStore()) as MemoryStore
  const journalDir = temporaryFolder()
  const recorder = await createRecorder({ journalDir, formats: ['mp4'], ...options, store })
  const recording = await recorder.start({ roomId: 'room', recordingId: 'r' })
  const signals: RecordingSignal[] = []
  recording.on((signal) => signals.push(signal))
  const dir = join(journalDir, 'r')
  return { store, recorder, recording, signals, dir, types: () => signals.map(({ type }) => type) }
}

const playAll = async (recording: Recording, take = 'solo'): Promise<void> =>
  play(await fixture(take), recording, { startUs: monotonicClock.nowUs() })

describe('what is recorded', () => {
  it('of a manual subscription is whom it names, while it names them', async () => {
    const { recorder, recording, store } = await started({ subscribe: 'manual' })
    recording.subscribe('alice')
    await playAll(recording, 'meeting3')
    const bob = recording.stats.tracks.find(({ participantId }) => participantId === 'bob')
    expect(bob?.skipped).toBeGreaterThan(400)
    expect(bob?.packets).toBe(0)
    const manifest = await recording.stop()
    expect(manifest.outputs.map(({ participantId }) => participantId)).toEqual(['alice'])
    expect(store.objects.has('r/alice.mp4')).toBe(true)
    await recorder.close()
  })

  it('goes on in the same file for somebody who is left out for a while', async () => {
    const { recorder, recording, store, dir } = await started({ subscribe: 'manual', journal: 'keep' })
    recording.subscribe('alice')
    const startUs = monotonicClock.nowUs()
    await play(await fixture('solo'), recording, {
      startUs,
      onPacket: (arrivalUs) => {
        if (arrivalUs > 6_000_000 && arrivalUs < 6_100_000) recording.unsubscribe('alice')
        if (arrivalUs > 10_000_000) recording.subscribe('alice')
        return undefined
      },
    })
    const manifest = await recording.stop()
    expect(manifest.outputs).toHaveLength(1)
    expect(manifest.outputs[0]?.durationUs).toBeGreaterThan(18_000_000)
    expect(manifest.repairs, 'what was not asked for is not lost').toEqual([])
    expect(await checkMp4(store.objects.get('r/alice.mp4')?.data as Uint8Array)).toEqual([])
    const take = await openTake(dir)
    expect(take.session.participants[0]?.tracks.map(({ id }) => id)).toEqual([
      'alice-video',
      'alice-audio',
      'alice-video~2',
      'alice-audio~2',
    ])
    await recorder.close()
  })

  it('is the sound alone where that is asked for', async () => {
    const { recorder, recording, dir } = await started({ media: 'audio', journal: 'keep' })
    await playAll(recording)
    const manifest = await recording.stop()
    expect(manifest.outputs[0]?.video).toBeUndefined()
    expect(manifest.outputs[0]?.audio).toBeDefined()
    expect((await openTake(dir)).session.participants[0]?.tracks).toHaveLength(1)
    await recorder.close()
  })

  it('comes from a source that ends', async () => {
    const { recorder, recording, types } = await started()
    async function* packets(kind: string) {
      for await (const batch of (await fixture('solo')).items()) {
        for (const item of batch) if (item.type === 'packet' && item.trackId.includes(kind)) yield item.data
        await new Promise(setImmediate)
      }
    }
    recording.addTrack({ participantId: 'alice', kind: 'video', codec: 'h264', source: packets('video') })
    recording.addTrack({ participantId: 'alice', kind: 'audio', codec: 'opus', source: packets('audio') })
    await until(() => types().includes('PARTICIPANT_LEFT'))
    expect(types().filter((type) => type === 'TRACK_REMOVED')).toHaveLength(2)
    const manifest = await recording.stop()
    expect(manifest.outputs).toHaveLength(1)
    await recorder.close()
  })
})

describe('a recording ends', () => {
  it.each([
    ['idle', { idleMs: 50 }],
    ['max-duration', { maxDurationMs: 400 }],
    ['max-bytes', { maxBytes: 10_000 }],
  ])('by itself: %s', async (reason, limits) => {
    const { recorder, recording, signals } = await started({ limits })
    await play(await fixture('solo'), recording, { startUs: monotonicClock.nowUs(), untilUs: 3_000_000 })
    if (reason === 'idle') {
      recording.participantJoined({ id: 'watcher' })
      recording.participantLeft('alice')
      await new Promise((resolve) => setTimeout(resolve, 150))
      expect(recording.state, 'somebody is still there').toBe('recording')
      recording.participantLeft('watcher')
    }
    const manifest = await recording.done
    expect(manifest.outputs).toHaveLength(1)
    expect(signals.find(({ type }) => type === 'STOP')).toMatchObject({ data: { reason } })
    expect(recorder.ofRoom('room')).toBeUndefined()
    await recorder.close()
  })

  it('and the next one of the room begins while it is finished', async () => {
    const store = createMemoryStore()
    let release = (): void => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const slow: Store = {
      ...bound(store),
      put: async (key, body, options) => {
        if (key.startsWith('r/')) await gate
        return store.put(key, body, options)
      },
    }
    const { recorder, recording } = await started({ store: slow })
    await playAll(recording)
    const first = recording.stop()
    const next = await recorder.start({ roomId: 'room', recordingId: 's' })
    await playAll(next)
    const second = await next.stop()
    expect(second.outputs[0]?.key).toBe('s/alice.mp4')
    expect(recording.state).toBe('processing')
    release()
    expect((await first).outputs[0]?.key).toBe('r/alice.mp4')
    await recorder.close()
  })
})

describe('a store that fails', () => {
  it('while it is recorded: the outputs are made from the journal, and are the same', async () => {
    const memory = createMemoryStore()
    let refuse = true
    const failing: Store = {
      ...bound(memory),
      put: (key, body, options) =>
        refuse
          ? Promise.reject(new StoreError('STORE_UNAVAILABLE', 'the store is down'))
          : memory.put(key, body, options),
    }
    const { recorder, recording, types } = await started({
      store: failing,
      formats: ['hls', 'mp4'],
      hls: { segmentDuration: 2 },
    })
    await playAll(recording)
    await until(() => types().includes('WARNING'))
    refuse = false
    const manifest = await recording.stop()
    expect(manifest.outputs.map(({ container }) => container)).toEqual(['hls', 'mp4'])
    expect(types().at(-1)).toBe('READY')
    expect(await checkMp4(memory.objects.get('r/alice.mp4')?.data as Uint8Array)).toEqual([])
    await recorder.close()
  })

  it('for good: the recording has failed, its journal stays, and the others go on', async () => {
    const memory = createMemoryStore()
    const failing: Store = {
      ...bound(memory),
      put: (key, body, options) =>
        key.startsWith('r/')
          ? Promise.reject(new StoreError('STORE_ACCESS_DENIED', 'no'))
          : memory.put(key, body, options),
    }
    const { recorder, recording, dir, signals } = await started({ store: failing, maxAttempts: 2 })
    const other = await recorder.start({ roomId: 'other', recordingId: 's' })
    await Promise.all([playAll(recording), playAll(other)])
    await expect(recording.stop()).rejects.toMatchObject({ code: 'RECORDING_FAILED' })
    expect(signals.at(-1)).toMatchObject({ type: 'ERROR', data: { fatal: true, code: 'RECORDING_FAILED' } })
    expect((await openTake(dir)).session.finished).toBe(true)
    expect((await other.stop()).outputs).toHaveLength(1)
    await recorder.close()
  })
})

describe('the journal', () => {
  it('goes to the store where that is asked for, and is a take there', async () => {
    const { recorder, recording, store } = await started({ journal: 'upload' })
    await playAll(recording)
    await recording.stop()
    const keys = [...store.objects.keys()].filter((key) => key.startsWith('r/take/'))
    expect(keys.at(-1)).toBe('r/take/session.json')
    expect(keys).toHaveLength(3)
    await recorder.close()
  })
})

describe('keyframes', () => {
  it('are asked for while none has come, of the track and of the host', async () => {
    const { recorder, recording, signals } = await started()
    const asked: string[] = []
    await play(await fixture('burst-loss'), recording, {
      startUs: monotonicClock.nowUs(),
      onKeyframeNeeded: (trackId) => asked.push(trackId),
    })
    await until(() => asked.length > 0)
    expect(asked[0]).toBe('alice-video')
    expect(signals.find(({ type }) => type === 'keyframeNeeded')).toMatchObject({
      trackId: 'alice-video',
      reason: expect.any(String),
    })
    await recording.stop()
    await recorder.close()
  })
})

describe('stats', () => {
  it('tell how each track is doing', async () => {
    const { recorder, recording } = await started()
    await playAll(recording, 'lossy')
    await until(() => recording.stats.tracks.every(({ health }) => (health?.packets ?? 0) > 100))
    const { tracks, packets, bytes } = recording.stats
    expect(packets).toBe(tracks.reduce((sum, track) => sum + track.packets, 0))
    expect(bytes).toBeGreaterThan(100_000)
    const video = tracks.find(({ trackId }) => trackId === 'alice-video')
    await until(() => (recording.stats.tracks[0]?.health?.lost ?? 0) > 0)
    expect(video?.health).toMatchObject({ clock: expect.stringContaining('sender-reports') })
    expect(video?.health?.lastKeyframeUs).toBeGreaterThan(0)
    await recording.stop()
    await recorder.close()
  })
})

describe('twenty recordings in one process', () => {
  it('become the same', async () => {
    const store = createMemoryStore()
    const recorder = await createRecorder({ store, journalDir: temporaryFolder(), formats: ['mp4'] })
    const take = await fixture('solo')
    const recordings = await Promise.all(
      Array.from({ length: 20 }, (_, n) => recorder.start({ roomId: `room ${n}`, recordingId: `r${n}` })),
    )
    // Ahead of the clock: on a busy machine the first packets may be fed late, and none may arrive before now.
    const startUs = monotonicClock.nowUs() + 4_000_000
    await Promise.all(recordings.map((recording) => play(take, recording, { startUs, untilUs: 4_000_000 })))
    const manifests = await Promise.all(recordings.map((recording) => recording.stop()))
    const lengths = manifests.map(({ outputs }) => outputs[0]?.durationUs ?? 0)
    expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThan(100_000)
    const files = manifests.map(({ outputs }) => outputs[0]?.key as string)
    expect(new Set(files).size).toBe(20)
    for (const key of files.slice(0, 3)) expect(await checkMp4(store.objects.get(key)?.data as Uint8Array)).toEqual([])
    await recorder.close()
  })
})

/** The methods of a store, to put others before them. */
function bound(store: MemoryStore): Store {
  return {
    name: store.name,
    capabilities: store.capabilities,
    put: store.put.bind(store),
    locationOf: store.locationOf.bind(store),
    urlFor: store.urlFor.bind(store),
    probe: store.probe.bind(store),
    ...(store.get === undefined ? {} : { get: store.get.bind(store) }),
    ...(store.delete === undefined ? {} : { delete: store.delete.bind(store) }),
  }
}
