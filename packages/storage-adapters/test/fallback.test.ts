import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { storeContract } from '../src/contract/index.js'
import { fallback } from '../src/fallback.js'
import {
  createMemoryStore,
  getWhole,
  type MemoryStore,
  type Store,
  StoreError,
  type StoreErrorCode,
  type TransferCheckpoint,
} from '../src/index.js'
import { failingStore } from './failing-store.js'

storeContract({
  name: 'fallback whose first store works',
  describe,
  it,
  create: async () => ({ store: fallback({ first: createMemoryStore(), second: createMemoryStore() }) }),
})

storeContract({
  name: 'fallback whose first store fails',
  describe,
  it,
  maxBodyBytes: 20 * 1024 * 1024,
  create: async () => {
    const [first, second] = [createMemoryStore(), createMemoryStore()]
    const failing = failingStore(first, () => 'STORE_UNAVAILABLE')
    const store = fallback({ first: failing, second, afterMs: 0, retryFirstAfterMs: 3 })
    // The first put is the one that switches; a body that is larger than what is held would fail there.
    await store.put('warm-up', new Uint8Array(1))
    await store.delete?.('warm-up')
    return { store, dispose: async () => expect(first.objects.size).toBe(0) }
  },
})

interface Scene {
  readonly store: Store
  readonly first: MemoryStore
  readonly second: MemoryStore
  readonly clock: { nowMs: number; code: StoreErrorCode | undefined }
  readonly switches: string[]
}

function scene(): Scene {
  const [first, second] = [createMemoryStore(), createMemoryStore()]
  const clock: Scene['clock'] = { nowMs: 1_000_000, code: undefined }
  const switches: string[] = []
  const store = fallback({
    first: failingStore(first, () => clock.code),
    second,
    afterMs: 60_000,
    retryFirstAfterMs: 10_000,
    now: () => clock.nowMs,
    onSwitch: ({ to, error }) => switches.push(`${to} ${error?.code}`),
  })
  return { store, first, second, clock, switches }
}

const body = new Uint8Array([1, 2, 3])

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'ok',
    (error: unknown) => (error as StoreError).code,
  )
}

describe('fallback', () => {
  it('uses the second store when the first has failed for long, and goes back when it works', async () => {
    const { store, first, second, clock, switches } = scene()
    await store.put('a', body)
    clock.code = 'STORE_UNAVAILABLE'
    expect(await codeOf(store.put('b', body))).toBe('STORE_UNAVAILABLE')
    clock.nowMs += 59_999
    expect(await codeOf(store.put('b', body))).toBe('STORE_UNAVAILABLE')
    clock.nowMs += 1
    // This one tries the first, and goes to the second at once.
    expect((await store.put('b', body)).location).toBe('memory:///b')
    expect(switches).toEqual(['second STORE_UNAVAILABLE'])
    clock.code = undefined
    clock.nowMs += 9_999
    await store.put('c', body)
    expect([...second.objects.keys()]).toEqual(['b', 'c'])
    clock.nowMs += 1
    expect((await store.put('d', body)).location).toBe('failing:memory:///d')
    expect(switches).toEqual(['second STORE_UNAVAILABLE', 'first undefined'])
    expect([...first.objects.keys()]).toEqual(['a', 'd'])
  })

  it('counts from the last success', async () => {
    const { store, clock, switches } = scene()
    for (let round = 0; round < 5; round += 1) {
      clock.code = 'STORE_THROTTLED'
      await codeOf(store.put('a', body))
      clock.nowMs += 40_000
      await codeOf(store.put('a', body))
      clock.code = undefined
      clock.nowMs += 10_000
      await store.put('a', body)
    }
    expect(switches).toEqual([])
  })

  it('stays with the second store while tries of the first fail, one at a time', async () => {
    const { store, second, clock } = scene()
    let tries = 0
    clock.code = 'STORE_UNAVAILABLE'
    await codeOf(store.put('a', body))
    clock.nowMs += 60_000
    await store.put('a', body)
    const counting = fallback({
      first: failingStore(createMemoryStore(), () => {
        tries += 1
        return 'STORE_UNAVAILABLE'
      }),
      second,
      afterMs: 0,
      retryFirstAfterMs: 1_000,
      now: () => clock.nowMs,
    })
    await counting.put('a', body)
    clock.nowMs += 1_000
    await Promise.all(Array.from({ length: 10 }, (_, index) => counting.put(`many-${index}`, body)))
    expect(tries).toBe(2)
    expect(second.objects.size).toBe(11)
  })

  it.each(['STORE_BAD_KEY', 'STORE_ABORTED', 'STORE_BODY_FAILED', 'STORE_TOO_LARGE', 'STORE_CLOSED'] as const)(
    'does not take %s for a failure of the store',
    async (code) => {
      const { store, second, clock, switches } = scene()
      clock.code = code
      expect(await codeOf(store.put('a', body))).toBe(code)
      clock.nowMs += 100_000
      expect(await codeOf(store.put('a', body))).toBe(code)
      expect(switches).toEqual([])
      expect(second.objects.size).toBe(0)
    },
  )

  it('gives the second store the whole of a small stream, and leaves large ones to it', async () => {
    const { store, second, clock } = scene()
    clock.code = 'STORE_UNAVAILABLE'
    await codeOf(store.put('a', body))
    clock.nowMs += 60_000
    // The first store has read it: the caller has to try again.
    expect(await codeOf(store.put('stream', Readable.from([body, body])))).toBe('STORE_UNAVAILABLE')
    await store.put('stream', Readable.from([body, body]))
    expect(second.objects.get('stream')?.data.byteLength).toBe(6)
    clock.nowMs += 10_000
    await store.put('tried', Readable.from([body, body, body]))
    expect(second.objects.get('tried')?.data.byteLength).toBe(9)
    clock.nowMs += 10_000
    clock.code = undefined
    const megabyte = new Uint8Array(1_048_576)
    await store.put('large', Readable.from(Array.from({ length: 12 }, () => megabyte)))
    expect(second.objects.get('large')?.data.byteLength).toBe(12 * 1_048_576)
  })

  it('knows where its objects are', async () => {
    const { store, first, second, clock } = scene()
    await store.put('both', body)
    clock.code = 'STORE_UNAVAILABLE'
    await codeOf(store.put('x', body))
    clock.nowMs += 60_000
    await store.put('both', new Uint8Array([9]))
    await store.put('second', body)
    expect(store.locationOf('both')).toBe('memory:///both')
    clock.nowMs += 10_000
    clock.code = undefined
    await store.put('first', body)
    expect(store.locationOf('both')).toBe('memory:///both')
    expect(store.locationOf('first')).toBe('failing:memory:///first')
    expect(await getWhole(store, 'both')).toEqual(new Uint8Array([9]))
    const keys: string[] = []
    for await (const entry of store.list?.() ?? []) keys.push(entry.key)
    expect(keys).toEqual(['both', 'first', 'second'])
    // Another process has to look.
    const other = fallback({ first, second })
    expect(await getWhole(other, 'second')).toEqual(body)
    await store.put('both', new Uint8Array([10]))
    expect(await getWhole(store, 'both')).toEqual(new Uint8Array([10]))
    expect(store.locationOf('both')).toBe('failing:memory:///both')
    await store.delete?.('both')
    expect([first.objects.has('both'), second.objects.has('both')]).toEqual([false, false])
    expect(await codeOf(getWhole(store, 'both'))).toBe('STORE_NOT_FOUND')
  })

  it('goes on with a file where it stood, and lets go of what stood in the other store', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rushes-fallback-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const path = join(folder, 'file')
    await writeFile(path, 'content')
    const calls: string[] = []
    let isDown = true
    const resumable = (name: string, fails: () => boolean): Store => {
      const store = createMemoryStore()
      return {
        ...failingStore(store, () => undefined),
        capabilities: { ...store.capabilities, resume: true },
        putFile: async (key, _path, options = {}) => {
          calls.push(`${name} from ${JSON.stringify(options.resumeFrom)}`)
          void options.onCheckpoint?.({ of: name })
          if (fails()) throw new StoreError('STORE_UNAVAILABLE', 'down')
          return { bytes: 7, location: `${name}:${key}` }
        },
        abandon: async (_key, checkpoint) => {
          calls.push(`abandon ${name} ${JSON.stringify(checkpoint)}`)
        },
      }
    }
    const clock = { nowMs: 0 }
    const store = fallback({
      first: resumable('first', () => isDown),
      second: resumable('second', () => false),
      afterMs: 1_000,
      retryFirstAfterMs: 1_000,
      now: () => clock.nowMs,
    })
    expect(store.capabilities.resume).toBe(true)
    let last: TransferCheckpoint = {}
    const onCheckpoint = (checkpoint: TransferCheckpoint): void => {
      last = checkpoint
    }
    expect(await codeOf(store.putFile?.('key', path, { onCheckpoint }) ?? Promise.resolve())).toBe('STORE_UNAVAILABLE')
    clock.nowMs += 1_000
    expect(await store.putFile?.('key', path, { resumeFrom: last, onCheckpoint })).toMatchObject({
      location: 'second:key',
    })
    isDown = false
    clock.nowMs += 1_000
    expect(await store.putFile?.('key', path, { resumeFrom: last })).toMatchObject({ location: 'first:key' })
    await store.abandon?.('key', { side: 'second', checkpoint: { x: 1 } })
    expect(calls).toEqual([
      'first from undefined',
      'first from {"of":"first"}',
      'abandon first {"of":"first"}',
      'second from undefined',
      'abandon second {"of":"second"}',
      'first from undefined',
      'abandon second {"x":1}',
    ])
  })

  it('has the abilities that both stores have, and tells whose setting is wrong', async () => {
    const whole = createMemoryStore()
    const { get: _get, delete: _delete, ...rest } = failingStore(whole, () => undefined)
    const partial: Store = {
      ...rest,
      capabilities: { get: false, list: true, delete: false, signedUrls: true },
      probe: async () => ({ ok: false, field: 'bucket', message: 'no' }),
    }
    const store = fallback({ first: whole, second: partial })
    expect(store.capabilities).toEqual({ get: false, list: true, delete: false, signedUrls: false })
    expect([store.get, store.delete, store.settled]).toEqual([undefined, undefined, undefined])
    expect(await store.probe({ name: 'x' })).toMatchObject({ ok: false, field: 'second.bucket' })
    expect(await fallback({ first: partial, second: whole }).probe({ name: 'x' })).toMatchObject({
      field: 'first.bucket',
    })
  })

  it('refuses times that are none', () => {
    const [first, second] = [createMemoryStore(), createMemoryStore()]
    expect(() => fallback({ first, second, afterMs: -1 })).toThrow(/afterMs/)
    expect(() => fallback({ first, second, retryFirstAfterMs: Number.NaN })).toThrow(/retryFirstAfterMs/)
  })
})
