import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { monotonicClock, type Notifier, type RecordingEvent } from '@rushes/media'
import { presets, withFacts } from '@rushes/naming-rules'
import { createMemoryStore } from '@rushes/storage-adapters'
import { checkHls, checkMp4 } from '@rushes/testkit'
import { describe, expect, it } from 'vitest'
import { createRecorder, type RecordingSignal } from '../src/index.js'
import { fixture, play, temporaryFolder, until } from './calls.js'

const isEvent = (signal: RecordingSignal): signal is RecordingEvent => 'sequence' in signal

class Listener implements Notifier {
  readonly name = 'test'
  readonly events: RecordingEvent[] = []
  notify(event: RecordingEvent): Promise<void> {
    this.events.push(event)
    return Promise.resolve()
  }
  close(): Promise<void> {
    return Promise.resolve()
  }
}

describe('a recording', () => {
  it('of a call becomes HLS and MP4, tells of it in order, and leaves no journal', async () => {
    const store = createMemoryStore()
    const journalDir = temporaryFolder()
    const notify = new Listener()
    const recorder = await createRecorder({ store, journalDir, notify })
    const recording = await recorder.start({ roomId: 'room-1', recordingId: 'r1', hls: { segmentDuration: 2 } })
    expect(recording.state).toBe('waiting')
    const heard: RecordingSignal[] = []
    recording.on((signal) => heard.push(signal))
    await play(await fixture('meeting3'), recording, { startUs: monotonicClock.nowUs() })
    expect(recording.state).toBe('recording')
    recording.mark('goal')
    const manifest = await recording.stop()
    expect(recording.state).toBe('ready')
    expect(manifest.outputs).toHaveLength(6)
    expect(manifest.marks).toMatchObject([{ label: 'goal' }])
    for (const { container, key } of manifest.outputs) {
      const object = store.objects.get(key)
      if (container === 'mp4') expect(await checkMp4(object?.data as Uint8Array), key).toEqual([])
      else {
        const folder = key.slice(0, key.lastIndexOf('/') + 1)
        const read = (uri: string): Uint8Array => store.objects.get(folder + uri)?.data as Uint8Array
        // Of somebody whose camera goes before the sound, the PMT lists a stream that has ended.
        const found = await checkHls({ entry: 'index.m3u8', read }, { transportStream: { allowIdle: true } })
        expect(
          found.filter(({ rule }) => rule !== 'variant-codecs'),
          key,
        ).toEqual([])
      }
    }
    const types = notify.events.map(({ type }) => type)
    expect(types[0]).toBe('START')
    expect(types.slice(1, 4)).toEqual(['PARTICIPANT_JOINED', 'TRACK_ADDED', 'RECORDING'])
    expect(types.indexOf('MARK')).toBeLessThan(types.indexOf('STOP'))
    expect(types.at(-1)).toBe('READY')
    expect(types.filter((type) => type === 'LINK')).toHaveLength(9)
    expect(notify.events.map(({ sequence }) => sequence)).toEqual(notify.events.map((_, index) => index + 1))
    expect(new Set(notify.events.map(({ id }) => id)).size).toBe(notify.events.length)
    expect(heard.filter(isEvent).map(({ id }) => id)).toEqual(notify.events.slice(1).map(({ id }) => id))
    expect(recorder.recordings).toEqual([])
    await recorder.close()
    expect(readdirSync(journalDir)).toEqual([])
  })

  it('pauses by a cut, which stands in the manifest and in no output', async () => {
    const store = createMemoryStore()
    const recorder = await createRecorder({ store, journalDir: temporaryFolder(), formats: ['mp4'], pause: 'cut' })
    const recording = await recorder.start({ roomId: 'room', recordingId: 'r' })
    const startUs = monotonicClock.nowUs()
    const take = await fixture('mutes')
    await play(take, recording, { startUs, untilUs: 5_000_000 })
    expect(recording.pause()).toBe(true)
    expect(recording.pause()).toBe(false)
    expect(recording.state).toBe('paused')
    expect(recording.resume()).toBe(true)
    const manifest = await recording.stop()
    expect(manifest.pauses).toMatchObject([{ mode: 'cut' }])
    expect(await checkMp4(store.objects.get('r/alice.mp4')?.data as Uint8Array)).toEqual([])
    await recorder.close()
  })

  it('without any media has failed, and its journal stays', async () => {
    const journalDir = temporaryFolder()
    const recorder = await createRecorder({ store: createMemoryStore(), journalDir })
    const recording = await recorder.start({ roomId: 'room', recordingId: 'r' })
    const types: string[] = []
    recording.on(({ type }) => types.push(type))
    await expect(recording.stop()).rejects.toMatchObject({ code: 'RECORDING_NO_MEDIA' })
    expect(recording.state).toBe('failed')
    expect(types).toEqual(['STOP', 'ERROR'])
    expect(existsSync(join(journalDir, 'r', 'session.json'))).toBe(true)
    await recorder.close()
  })
})

describe('a recorder', () => {
  it('refuses what cannot be', async () => {
    const store = createMemoryStore()
    const journalDir = temporaryFolder()
    const recorder = await createRecorder({ store, journalDir, maxRecordings: 2 })
    const first = await recorder.start({ roomId: 'a', recordingId: 'one' })
    await expect(recorder.start({ roomId: 'a' })).rejects.toMatchObject({ code: 'RECORDER_ROOM_BUSY' })
    await expect(recorder.start({ roomId: 'b', recordingId: 'one' })).rejects.toMatchObject({
      code: 'RECORDER_ID_TAKEN',
    })
    await expect(recorder.start({ roomId: 'b', recordingId: '../x' })).rejects.toMatchObject({ field: 'recordingId' })
    await expect(recorder.start({ roomId: '' })).rejects.toMatchObject({ field: 'roomId' })
    await expect(recorder.start({ roomId: 'b', formats: [] })).rejects.toMatchObject({ field: 'formats' })
    await expect(recorder.start({ roomId: 'b', startHold: { seconds: -1 } })).rejects.toMatchObject({
      field: 'startHold.seconds',
    })
    await expect(recorder.start({ roomId: 'b', limits: { idleMs: 0 } })).rejects.toMatchObject({
      field: 'limits.idleMs',
    })
    const second = await recorder.start({ roomId: 'b' })
    await expect(recorder.start({ roomId: 'c' })).rejects.toMatchObject({ code: 'RECORDER_REFUSED' })
    expect(() => first.addTrack({ participantId: 'p', kind: 'audio', codec: 'h264' })).toThrow(/track\.kind/)
    const stopped = [first.stop(), second.stop()]
    expect(() => first.addTrack({ participantId: 'p', kind: 'video', codec: 'h264' })).toThrow(/has stopped/)
    await Promise.allSettled(stopped)
    await recorder.close()
    await expect(recorder.start({ roomId: 'd' })).rejects.toMatchObject({ code: 'RECORDER_CLOSED' })
  })

  it('has its journal for itself', async () => {
    const options = { store: createMemoryStore(), journalDir: temporaryFolder() }
    const first = await createRecorder(options)
    await expect(createRecorder(options)).rejects.toMatchObject({
      code: 'RECORDER_JOURNAL',
      cause: { code: 'TAKE_LOCKED' },
    })
    await first.close()
    await (await createRecorder(options)).close()
  })

  it('finishes what another one left, without being asked', async () => {
    const store = createMemoryStore()
    const journalDir = temporaryFolder()
    const notify = new Listener()
    const before = await createRecorder({ store, journalDir, notify, hls: { segmentDuration: 2 } })
    const recording = await before.start({ roomId: 'room', recordingId: 'r', journal: 'keep' })
    await play(await fixture('solo'), recording, { startUs: monotonicClock.nowUs(), untilUs: 12_000_000 })
    const media = 'r/alice/media.m3u8'
    await until(() => store.objects.has(media) && recording.stats.bufferedBytes === 0)
    await before.close({ mode: 'abandon' })
    const published = new TextDecoder().decode(store.objects.get(media)?.data)
    expect(published).toContain('EXTINF')
    expect(published).not.toContain('ENDLIST')
    const told = notify.events.length
    const after = await createRecorder({ store, journalDir, notify })
    const [recovered] = await after.recovered
    expect(recovered).toMatchObject({ recordingId: 'r', outcome: 'ready' })
    const text = new TextDecoder().decode(store.objects.get(media)?.data)
    expect(text.startsWith(published), 'public lines stay').toBe(true)
    expect(text.trimEnd().endsWith('#EXT-X-ENDLIST')).toBe(true)
    expect(await checkMp4(store.objects.get('r/alice.mp4')?.data as Uint8Array)).toEqual([])
    expect(recovered?.manifest?.outputs.find(({ container }) => container === 'mp4')?.durationUs).toBeGreaterThan(
      11_500_000,
    )
    const again = notify.events.slice(told)
    expect(
      again.slice(0, told).map(({ id }) => id),
      'what was told is told again under the same ids',
    ).toEqual(notify.events.slice(0, told).map(({ id }) => id))
    expect(again.slice(told).map(({ type }) => type)).toEqual(expect.arrayContaining(['STOP', 'LINK', 'READY']))
    await after.close()
    const third = await createRecorder({ store, journalDir })
    expect(await third.recovered).toEqual([])
    await third.erase('r', 'alice')
    expect([...store.objects.keys()]).toEqual(['r/manifest.json'])
    await third.close()
  })
})

describe('a recorder', () => {
  it('warns of a naming rule by which recordings may meet', async () => {
    const warnings: string[] = []
    const logger = { debug() {}, info() {}, error() {}, warn: (message: string) => warnings.push(message) }
    for (const naming of [presets.fishjam(), presets.hundredMs({ prefix: 'p' })]) {
      const recorder = await createRecorder({
        store: createMemoryStore(),
        journalDir: temporaryFolder(),
        outputs: ['composite'],
        naming: withFacts(naming, () => ({ sessionId: 's', streamId: 't' })),
        logger,
      })
      await recorder.close()
    }
    expect(warnings).toEqual([expect.stringContaining('two recordings may have one name')])
  })
})
