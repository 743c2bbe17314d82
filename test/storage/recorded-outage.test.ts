import { join } from 'node:path'
import type { RecordingEvent } from '@rushes/media'
import { createRecorder } from '@rushes/recorder'
import { createMemoryStore, readBody, type Store, StoreError } from '@rushes/storage-adapters'
import { createSpool } from '@rushes/storage-adapters/spool'
import { checkMp4 } from '@rushes/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fixture, play, temporaryFolder, until } from '../../packages/recorder/test/calls.js'
import { watchStore } from '../conformance/watched-store.js'

const backOff = { firstMs: 10, maxMs: 100 }

/** A store that can be down, under the eyes of a reader of its playlists. */
function storeWithOutages() {
  const memory = createMemoryStore()
  const state: { error: StoreError | undefined } = { error: undefined }
  const watched = watchStore(memory)
  const store: Store = {
    ...watched,
    put: async (key, body, options) => {
      if (state.error !== undefined) throw state.error
      const pieces: Uint8Array[] = []
      await readBody(body, options?.signal, (chunk) => void pieces.push(chunk.slice()))
      return watched.put(key, pieces, options)
    },
  }
  return { memory, store, state, violations: watched.violations }
}

const down = new StoreError('STORE_UNAVAILABLE', 'the store is down')

describe('recordings through a spool', () => {
  it('an outage touches nothing: all is ready when the store is back, and told then', async () => {
    const { memory, store, state, violations } = storeWithOutages()
    const dir = temporaryFolder()
    const spool = await createSpool({ store, dir: join(dir, 'spool'), backOff })
    const recorder = await createRecorder({ store: spool, journalDir: join(dir, 'takes') })
    onTestFinished(async () => {
      await recorder.close({ mode: 'abandon' })
      await spool.close()
    })
    const told: { readonly event: RecordingEvent; readonly isThere: boolean }[] = []
    const recordings = await Promise.all(
      ['a', 'b', 'c'].map(async (recordingId) => {
        const recording = await recorder.start({ roomId: recordingId, recordingId, hls: { segmentDuration: 1 } })
        recording.on((signal) => {
          if (signal.type !== 'LINK' && signal.type !== 'READY') return
          const { key = '', manifestKey = key } = signal.data as { key?: string; manifestKey?: string }
          told.push({ event: signal, isThere: memory.objects.has(manifestKey) })
        })
        return recording
      }),
    )
    const solo = await fixture('solo')
    const startUs = Math.round(performance.now() * 1000)
    const playing = Promise.all(recordings.map((recording) => play(solo, recording, { startUs })))
    await until(() => memory.objects.size > 0)
    state.error = down
    await playing
    const stopped = recordings.map((recording) => recording.stop())
    await until(() => spool.stats.state === 'unavailable')
    expect(recordings.map((recording) => recording.state)).toEqual(['processing', 'processing', 'processing'])
    expect(told.filter(({ event }) => event.type === 'READY' || event.data?.['final'] === true)).toEqual([])
    state.error = undefined
    const manifests = await Promise.all(stopped)
    expect([...violations.values()].flat()).toEqual([])
    expect(spool.stats).toMatchObject({ waiting: 0, givenUp: 0 })
    for (const { outputs, recordingId } of manifests) {
      expect(outputs.map(({ container }) => container)).toEqual(['hls', 'mp4'])
      expect(memory.objects.has(`${recordingId}/manifest.json`)).toBe(true)
      expect(await checkMp4(memory.objects.get(outputs[1]?.key ?? '')?.data as Uint8Array)).toEqual([])
    }
    const final = told.filter(({ event }) => event.type === 'READY' || event.data?.['final'] === true)
    expect(final).toHaveLength(9)
    expect(final.filter(({ isThere }) => !isThere)).toEqual([])
  })

  it('what waits when the process ends is brought there, and told, by the next', async () => {
    const { memory, store, state, violations } = storeWithOutages()
    const dir = temporaryFolder()
    const open = async () => {
      const spool = await createSpool({ store, dir: join(dir, 'spool'), backOff })
      const types: string[] = []
      const notify = {
        name: 'test',
        notify: async ({ type }: RecordingEvent) => void types.push(type),
        close: async () => {},
      }
      const recorder = await createRecorder({ store: spool, journalDir: join(dir, 'takes'), notify })
      return { spool, recorder, types }
    }
    const first = await open()
    const recording = await first.recorder.start({ roomId: 'room', recordingId: 'r' })
    const startUs = Math.round(performance.now() * 1000)
    state.error = down
    await play(await fixture('solo'), recording, { startUs })
    const stopped = recording.stop().catch(() => {})
    await until(() => first.spool.stats.waiting > 3)
    await first.recorder.close({ mode: 'abandon' })
    await stopped
    await first.spool.close()
    expect(memory.objects.size).toBe(0)
    expect(first.types).not.toContain('READY')
    state.error = undefined
    const second = await open()
    onTestFinished(async () => {
      await second.recorder.close({ mode: 'abandon' })
      await second.spool.close()
    })
    const [recovered] = await second.recorder.recovered
    expect(recovered).toMatchObject({ recordingId: 'r', outcome: 'ready' })
    expect(second.types.at(-1)).toBe('READY')
    expect([...violations.values()].flat()).toEqual([])
    expect(memory.objects.has('r/manifest.json')).toBe(true)
  })

  it('a store that refuses fails the recording, whose outputs and journal stay', async () => {
    const { memory, store, state } = storeWithOutages()
    state.error = new StoreError('STORE_ACCESS_DENIED', 'no rights')
    const dir = temporaryFolder()
    const spool = await createSpool({ store, dir: join(dir, 'spool'), backOff })
    const recorder = await createRecorder({ store: spool, journalDir: join(dir, 'takes') })
    onTestFinished(async () => {
      await recorder.close({ mode: 'abandon' })
      await spool.close()
    })
    const recording = await recorder.start({ roomId: 'room', recordingId: 'r' })
    await play(await fixture('solo'), recording, { startUs: Math.round(performance.now() * 1000) })
    await expect(recording.stop()).rejects.toMatchObject({
      code: 'RECORDING_FAILED',
      cause: { code: 'STORE_ACCESS_DENIED' },
    })
    state.error = undefined
    spool.retry()
    await spool.drain()
    expect(memory.objects.has('r/manifest.json')).toBe(true)
  })
})
