import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { ConfigurationError } from '@rushes/media'
import { describe, expect, it, onTestFinished } from 'vitest'
import { storeContract } from '../src/contract/index.js'
import { type CopyError, fanOut } from '../src/fan-out.js'
import {
  createMemoryStore,
  getWhole,
  type PutFileOptions,
  type Store,
  StoreError,
  type StoreErrorCode,
  type TransferCheckpoint,
} from '../src/index.js'
import { createLocalStore } from '../src/local/index.js'
import { failingStore } from './failing-store.js'

for (const copyFailure of ['report', 'fail'] as const) {
  storeContract({
    name: `fan-out that ${copyFailure}s`,
    describe,
    it,
    create: async () => {
      const root = await mkdtemp(join(tmpdir(), 'rushes-fan-out-'))
      const [primary, copy] = [createMemoryStore(), createLocalStore({ root })]
      const errors: CopyError[] = []
      const store = fanOut({ primary, copies: [copy], copyFailure, onCopyError: (error) => errors.push(error) })
      return {
        store,
        dispose: async () => {
          const keys = []
          for await (const { key } of copy.list()) {
            keys.push(key)
            expect(Buffer.compare(await getWhole(copy, key), primary.objects.get(key)?.data ?? Buffer.alloc(0))).toBe(0)
          }
          expect(keys.sort()).toEqual([...primary.objects.keys()].sort())
          expect(errors).toEqual([])
          await rm(root, { recursive: true })
        },
      }
    },
  })
}

describe('fan-out', () => {
  const bodies = {
    bytes: () => new Uint8Array(300_000).fill(7),
    stream: () => Readable.from([new Uint8Array(100_000).fill(7), new Uint8Array(200_000).fill(7)]),
  }

  for (const [shape, body] of Object.entries(bodies)) {
    it(`tells of a copy that fails and goes on (${shape})`, async () => {
      const [primary, good] = [createMemoryStore(), createMemoryStore()]
      const errors: CopyError[] = []
      const bad = failingStore(createMemoryStore(), () => 'STORE_NO_SPACE')
      const store = fanOut({ primary, copies: [bad, good], copyFailure: 'report', onCopyError: (e) => errors.push(e) })
      const stored = await store.put('key', body(), { sha256: true })
      expect(stored).toMatchObject({ bytes: 300_000, location: 'memory:///key' })
      expect(stored.sha256).toHaveLength(64)
      expect(errors).toMatchObject([
        { store: 'failing memory', index: 0, key: 'key', error: { code: 'STORE_NO_SPACE' } },
      ])
      for (const each of [primary, good]) expect(each.objects.get('key')?.data.byteLength).toBe(300_000)
    })

    it(`fails with a copy that fails, and can be repeated (${shape})`, async () => {
      const [primary, copy] = [createMemoryStore(), createMemoryStore()]
      let code: StoreErrorCode | undefined = 'STORE_THROTTLED'
      const store = fanOut({ primary, copies: [failingStore(copy, () => code)], copyFailure: 'fail' })
      await expect(store.put('key', body())).rejects.toMatchObject({ code: 'STORE_THROTTLED', retryable: true })
      code = undefined
      await store.put('key', body())
      for (const each of [primary, copy]) expect(each.objects.get('key')?.data.byteLength).toBe(300_000)
    })

    it(`fails with the error of the primary, whatever becomes of the copies (${shape})`, async () => {
      const errors: CopyError[] = []
      const primary = failingStore(createMemoryStore(), () => 'STORE_UNAVAILABLE')
      const store = fanOut({
        primary,
        copies: [createMemoryStore()],
        copyFailure: 'report',
        onCopyError: (error) => errors.push(error),
      })
      await expect(store.put('key', body())).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      expect(errors).toEqual([])
    })
  }

  it('reads a stream at the pace of the slowest, a chunk at a time', async () => {
    let given = 0
    let taken = 0
    let most = 0
    const slow: Store = {
      ...failingStore(createMemoryStore(), () => undefined),
      put: async (_key, body) => {
        for await (const _ of body as AsyncIterable<Uint8Array>) {
          taken += 1
          most = Math.max(most, given - taken)
          await new Promise((resolve) => setTimeout(resolve, 1))
        }
        return { bytes: taken, location: 'x:' }
      },
    }
    const source = async function* (): AsyncGenerator<Uint8Array> {
      for (; given < 50; given += 1) yield new Uint8Array(10)
    }
    await fanOut({ primary: createMemoryStore(), copies: [slow], copyFailure: 'report' }).put('key', source())
    expect(taken).toBe(50)
    expect(most).toBeLessThanOrEqual(1)
  })

  it('goes on where a file stood in each store, and leaves those alone that have it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rushes-fan-out-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const path = join(folder, 'file')
    await writeFile(path, 'content')
    const calls: [string, PutFileOptions['resumeFrom']][] = []
    let isDown = true
    const resumable = (name: string, fails: () => boolean): Store => {
      const store = createMemoryStore()
      return {
        ...failingStore(store, () => undefined),
        name,
        capabilities: { ...store.capabilities, resume: true },
        putFile: async (key, _path, options = {}) => {
          calls.push([name, options.resumeFrom])
          void options.onCheckpoint?.({ of: name })
          if (fails()) throw new StoreError('STORE_UNAVAILABLE', 'down')
          return { bytes: 7, location: `${name}:${key}` }
        },
        abandon: async (_key, checkpoint) => {
          calls.push([`abandon ${name}`, checkpoint])
        },
      }
    }
    const store = fanOut({
      primary: resumable('a', () => false),
      copies: [resumable('b', () => isDown)],
      copyFailure: 'fail',
    })
    expect(store.capabilities.resume).toBe(true)
    let last: TransferCheckpoint | undefined
    const onCheckpoint = (checkpoint: TransferCheckpoint): void => {
      last = JSON.parse(JSON.stringify(checkpoint)) as TransferCheckpoint
    }
    await expect(store.putFile?.('key', path, { onCheckpoint, move: true })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    })
    expect((await stat(path)).size).toBe(7)
    if (last === undefined) throw new Error('no checkpoint')
    await store.abandon?.('key', last)
    isDown = false
    expect(await store.putFile?.('key', path, { resumeFrom: last, move: true })).toMatchObject({ location: 'a:key' })
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
    expect(calls).toEqual([
      ['a', undefined],
      ['b', undefined],
      ['abandon b', { of: 'b' }],
      ['b', { of: 'b' }],
    ])
  })

  it('has the abilities that the calls really have', () => {
    const whole = createMemoryStore()
    const { get: _get, list: _list, delete: _delete, ...rest } = failingStore(whole, () => undefined)
    const writeOnly: Store = { ...rest, capabilities: { get: false, list: false, delete: false, signedUrls: false } }
    const first = fanOut({ primary: whole, copies: [writeOnly], copyFailure: 'report' })
    expect(first.capabilities).toEqual({ get: true, list: true, delete: false, signedUrls: false })
    expect([first.delete, first.settled, first.abandon]).toEqual([undefined, undefined, undefined])
    const second = fanOut({ primary: writeOnly, copies: [whole], copyFailure: 'report' })
    expect(second.capabilities).toEqual({ get: false, list: false, delete: false, signedUrls: false })
    expect(second.get).toBeUndefined()
  })

  it('names the store whose setting is wrong, and waits for and closes all of them', async () => {
    const calls: string[] = []
    const broken: Store = {
      ...failingStore(createMemoryStore(), () => undefined),
      probe: async () => ({ ok: false, field: 'bucket', message: 'no' }),
      settled: async (prefix) => {
        calls.push(`settled ${prefix}`)
        throw new StoreError('STORE_ACCESS_DENIED', 'never')
      },
      close: async () => {
        calls.push('close')
      },
    }
    const options = { primary: createMemoryStore(), copies: [createMemoryStore(), broken] }
    const errors: CopyError[] = []
    const failing = fanOut({ ...options, copyFailure: 'fail' })
    const reporting = fanOut({ ...options, copyFailure: 'report', onCopyError: (error) => errors.push(error) })
    expect(await failing.probe({ name: 'x' })).toMatchObject({ ok: false, field: 'copies[1].bucket' })
    expect(await reporting.probe({ name: 'x' })).toMatchObject({ ok: true, field: 'copies[1].bucket' })
    const first = fanOut({ primary: broken, copies: [createMemoryStore()], copyFailure: 'report' })
    expect(await first.probe({ name: 'x' })).toMatchObject({ ok: false, field: 'primary.bucket' })
    await expect(failing.settled?.('room')).rejects.toMatchObject({ code: 'STORE_ACCESS_DENIED' })
    await reporting.settled?.('room')
    expect(errors).toMatchObject([{ index: 1, error: { code: 'STORE_ACCESS_DENIED' } }])
    await reporting.close?.()
    expect(calls).toEqual(['settled room', 'settled room', 'close'])
  })

  it('refuses options that make no sense', () => {
    const primary = createMemoryStore()
    expect(() => fanOut({ primary, copies: [], copyFailure: 'fail' })).toThrow(ConfigurationError)
    expect(() => fanOut({ primary, copies: [primary], copyFailure: 'x' as 'fail' })).toThrow(/copyFailure/)
  })
})
