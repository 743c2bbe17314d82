import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { OutputObject } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import {
  createMemoryStore,
  createStoreWritable,
  type PutOptions,
  type Store,
  type StoreBody,
  StoreError,
} from '../src/index.js'

function object(name: string, size = 3): OutputObject {
  const body = [new Uint8Array(size).fill(1), new Uint8Array(2).fill(2)]
  return { type: 'object', name, contentType: 'video/mp2t', body }
}

/** A store whose puts the test sees and can hold. */
function slowStore(put: (key: string, options: PutOptions) => Promise<void>): Store {
  const memory = createMemoryStore()
  return {
    name: 'slow',
    capabilities: { get: false, list: false, delete: false, signedUrls: false },
    async put(key: string, body: StoreBody, options: PutOptions = {}) {
      await put(key, options)
      return memory.put(key, body, options)
    },
    locationOf: (key) => memory.locationOf(key),
    urlFor: (key) => memory.urlFor(key),
    probe: (options) => memory.probe(options),
  }
}

describe('a writable into a store', () => {
  it('stores objects under the prefix, with their types', async () => {
    const store = createMemoryStore()
    const stored: string[] = []
    const playlist = { ...object('index.m3u8'), contentType: 'application/vnd.apple.mpegurl', cacheControl: 'no-cache' }
    await pipeline(
      Readable.from([object('segment-1.ts'), playlist]),
      createStoreWritable(store, {
        prefix: 'room-1/',
        onStored: ({ key, name, bytes }) => stored.push(`${key} ${name} ${bytes}`),
      }),
    )
    expect(stored).toEqual(['room-1/segment-1.ts segment-1.ts 5', 'room-1/index.m3u8 index.m3u8 5'])
    expect(store.objects.get('room-1/segment-1.ts')?.data).toEqual(Uint8Array.of(1, 1, 1, 2, 2))
    expect(store.objects.get('room-1/index.m3u8')).toMatchObject({
      contentType: 'application/vnd.apple.mpegurl',
      cacheControl: 'no-cache',
    })
  })

  it('stores one after the other, in order, and makes the source wait', async () => {
    const events: string[] = []
    const store = slowStore(async (key) => {
      events.push(`begin ${key}`)
      await new Promise((resolve) => setTimeout(resolve, 2))
      events.push(`end ${key}`)
    })
    let made = 0
    let stored = 0
    await pipeline(
      async function* () {
        for (; made < 20; made += 1) {
          // Two wait in the writable, one is under way, one is in the hand of the pipeline.
          expect(made - stored).toBeLessThanOrEqual(4)
          yield object(`${made}`)
        }
      },
      createStoreWritable(store, { onStored: () => (stored += 1) }),
    )
    expect(events).toEqual(Array.from({ length: 20 }, (_, index) => [`begin ${index}`, `end ${index}`]).flat())
  })

  it('fails the pipeline with the error of the store, and sends nothing after it', async () => {
    const keys: string[] = []
    const failure = new StoreError('STORE_NO_SPACE', 'full')
    const store = slowStore(async (key) => {
      keys.push(key)
      if (key === '1') throw failure
    })
    const source = Readable.from([object('0'), object('1'), object('2')])
    await expect(pipeline(source, createStoreWritable(store))).rejects.toBe(failure)
    expect(keys).toEqual(['0', '1'])
    expect(source.destroyed).toBe(true)
  })

  it('fails the pipeline when an object has a bad name', async () => {
    const attempt = pipeline(Readable.from([object('../up')]), createStoreWritable(createMemoryStore()))
    await expect(attempt).rejects.toMatchObject({ code: 'STORE_KEY_OUTSIDE_BASE' })
  })

  it('stops the transfer under way when it is aborted or destroyed', async () => {
    for (const how of ['signal', 'destroy'] as const) {
      const controller = new AbortController()
      let transfer: AbortSignal | undefined
      let reach: () => void = () => {}
      const reached = new Promise<void>((resolve) => {
        reach = resolve
      })
      const store = slowStore((_, { signal }) => {
        transfer = signal
        reach()
        return new Promise((_resolve, reject) =>
          signal?.addEventListener('abort', () => reject(new StoreError('STORE_ABORTED', 'stopped'))),
        )
      })
      const writable = createStoreWritable(store, how === 'signal' ? { signal: controller.signal } : {})
      const running = pipeline(Readable.from([object('0'), object('1')]), writable)
      running.catch(() => {})
      await reached
      expect(transfer?.aborted).toBe(false)
      if (how === 'signal') controller.abort()
      else writable.destroy()
      // Either way the pipeline must not look as if all had been stored.
      await expect(running).rejects.toMatchObject({ code: how === 'signal' ? 'ABORT_ERR' : 'STORE_ABORTED' })
      expect(transfer?.aborted).toBe(true)
    }
  })

  it('does not end well when it is destroyed, whatever the store does', async () => {
    let reach: () => void = () => {}
    const reached = new Promise<void>((resolve) => {
      reach = resolve
    })
    const store = slowStore(async () => {
      reach()
      await new Promise((resolve) => setTimeout(resolve, 5))
    })
    const stubborn = { ...store, put: (key: string, body: StoreBody) => store.put(key, body) }
    const writable = createStoreWritable(stubborn)
    const running = pipeline(Readable.from([object('0'), object('1'), object('2')]), writable)
    running.catch(() => {})
    await reached
    writable.destroy()
    await expect(running).rejects.toMatchObject({ code: 'STORE_ABORTED' })
  })
})
