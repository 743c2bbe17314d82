import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { StoreError, type StoreErrorCode } from '../errors.js'
import { putFile } from '../put-file.js'
import type { Store, StoreBody, StoreCapabilities } from '../store.js'
import { getWhole } from '../whole-object.js'
import { patternBytes, patternStream } from './body-pattern.js'

/** The two functions of a test runner that the contract needs; those of vitest, Jest, Mocha and node:test fit. */
export interface ContractRunner {
  readonly describe: (name: string, body: () => void) => unknown
  readonly it: ((name: string, body: () => Promise<void>) => unknown) & {
    readonly skip: (name: string, body: () => Promise<void>) => unknown
  }
}

/** A fresh, empty store for one test. */
export interface ContractStore {
  readonly store: Store
  /** Reads an object behind the store's back: needed where the store cannot `get`. `undefined` when there is none. */
  readonly read?: (key: string) => Promise<Uint8Array | undefined>
  /** Removes everything after the test. */
  readonly dispose?: () => Promise<void>
}

/** What the contract is run against. */
export interface StoreContractOptions extends ContractRunner {
  readonly name: string
  readonly create: () => Promise<ContractStore>
  /** What the store cannot do is declared here, and its tests are skipped where all can see it. @defaultValue all but signed URLs */
  readonly capabilities?: Partial<StoreCapabilities>
  /** The largest body that is put, as a stream and as a file, in bytes; up to 1 GiB makes sense. @defaultValue 8 MiB */
  readonly maxBodyBytes?: number
}

/** Keys that stores have got wrong: each is one object of its own. */
const oddKeys = [
  'plain',
  'with space',
  ' leading space',
  'plus+plus',
  'plus plus',
  'percent%41',
  'percentA',
  '%2F',
  'hash#?query&x=1',
  'quote\'"(!)*~$,;:@=[]',
  'back\\slash',
  'ünïcödé',
  'u\u0308nicode decomposed',
  'Запись встречи',
  '会議の録画',
  '👩‍👩‍👧‍👦 family',
  'a/b/c/d/e/f/g',
  'dots/...three',
  'dots/.hidden',
  'Case',
  'case',
  `${'я'.repeat(127)}/long`,
  `${'x'.repeat(255)}/${'y'.repeat(255)}/${'z'.repeat(255)}`,
]

const badKeys: readonly [string, StoreErrorCode][] = [
  ['', 'STORE_BAD_KEY'],
  ['/absolute', 'STORE_KEY_OUTSIDE_BASE'],
  ['..', 'STORE_KEY_OUTSIDE_BASE'],
  ['../up', 'STORE_KEY_OUTSIDE_BASE'],
  ['a/../../up', 'STORE_KEY_OUTSIDE_BASE'],
  ['a/..', 'STORE_KEY_OUTSIDE_BASE'],
  ['.', 'STORE_BAD_KEY'],
  ['a/./b', 'STORE_BAD_KEY'],
  ['a//b', 'STORE_BAD_KEY'],
  ['a/', 'STORE_BAD_KEY'],
  ['a\0b', 'STORE_BAD_KEY'],
  ['a\nb', 'STORE_BAD_KEY'],
  ['half \ud83d', 'STORE_BAD_KEY'],
  ['x'.repeat(256), 'STORE_BAD_KEY'],
  [`${'я'.repeat(128)}/x`, 'STORE_BAD_KEY'],
  [Array.from({ length: 5 }, () => 'x'.repeat(210)).join('/'), 'STORE_BAD_KEY'],
]

/** Declares the tests that every store must pass. What a store says it cannot do is skipped, visibly. */
export function storeContract(options: StoreContractOptions): void {
  const { describe, it, name, create } = options
  const maxBodyBytes = options.maxBodyBytes ?? 8 * 1024 * 1024

  const capabilities = { get: true, list: true, delete: true, signedUrls: false, ...options.capabilities }

  const test = (
    title: string,
    body: (fresh: ContractStore) => Promise<void>,
    needs?: keyof StoreCapabilities,
  ): void => {
    const run = async (): Promise<void> => {
      const fresh = await create()
      try {
        await body(fresh)
      } finally {
        await fresh.dispose?.()
      }
    }
    if (needs !== undefined && !capabilities[needs]) it.skip(title, run)
    else it(title, run)
  }

  describe(`${name} keeps the store contract`, () => {
    describe('put', () => {
      for (const size of [0, 1, 1000, 65_536, 1_048_577, 5 * 1024 * 1024 + 3]) {
        test(`takes ${size} bytes in every shape of body`, async (fresh) => {
          const bytes = patternBytes(size, size)
          for (const [shape, body] of shapesOf(bytes)) {
            const stored = await fresh.store.put(`folder/${shape}`, body, { contentType: 'video/mp2t' })
            assert.equal(stored.bytes, size, shape)
            assert.equal(stored.sha256, undefined)
            assert.ok(URL.canParse(stored.location), stored.location)
            assert.equal(fresh.store.locationOf(`folder/${shape}`), stored.location)
            await assertObject(fresh, `folder/${shape}`, bytes)
          }
        })
      }

      test(`takes a stream of ${maxBodyBytes} bytes and tells its SHA-256`, async (fresh) => {
        const digest = await digestOf(patternStream(maxBodyBytes, 1))
        const stored = await fresh.store.put('large', patternStream(maxBodyBytes, 1), { sha256: true })
        assert.equal(stored.bytes, maxBodyBytes)
        assert.equal(stored.sha256, digest)
        if (fresh.store.get === undefined) return
        assert.equal(await digestOf(await fresh.store.get('large')), digest)
      })

      test('replaces an object as a whole', async (fresh) => {
        await fresh.store.put('playlist.m3u8', patternBytes(5000, 1), { cacheControl: 'no-cache' })
        await fresh.store.put('playlist.m3u8', patternBytes(70, 2), { cacheControl: 'no-cache' })
        await assertObject(fresh, 'playlist.m3u8', patternBytes(70, 2))
      })

      test('keeps apart what odd keys name', async (fresh) => {
        for (const [index, key] of oddKeys.entries()) await fresh.store.put(key, patternBytes(100 + index, index))
        for (const [index, key] of oddKeys.entries()) await assertObject(fresh, key, patternBytes(100 + index, index))
      })

      for (const [key, code] of badKeys) {
        test(`refuses the key ${JSON.stringify(key.slice(0, 24))}${key.length > 24 ? '…' : ''}`, async (fresh) => {
          await assertRejects(fresh.store.put(key, patternBytes(10, 1)), code)
          await assertRejects(fresh.store.urlFor(key), code)
          if (fresh.store.get !== undefined) await assertRejects(fresh.store.get(key), code)
          if (fresh.store.delete !== undefined) await assertRejects(fresh.store.delete(key), code)
          assert.deepEqual(await keysOf(fresh.store), [])
        })
      }

      test('leaves what was there when the body fails', async (fresh) => {
        await fresh.store.put('object', patternBytes(100, 1))
        const failure = new Error('the encoder died')
        for (const key of ['object', 'new']) {
          for (const body of [failingBody(failure), Readable.from(failingBody(failure))]) {
            const error = await assertRejects(fresh.store.put(key, body), 'STORE_BODY_FAILED')
            assert.equal(error.cause, failure)
          }
        }
        await assertObject(fresh, 'object', patternBytes(100, 1))
        await assertAbsent(fresh, 'new')
      })

      test('refuses a body that is not made of bytes', async (fresh) => {
        const body = Readable.from(['text']) as unknown as StoreBody
        await assertRejects(fresh.store.put('text', body), 'STORE_BODY_FAILED')
        await assertAbsent(fresh, 'text')
      })

      test('can be aborted in the middle, even when the body hangs', async (fresh) => {
        await fresh.store.put('object', patternBytes(100, 1))
        for (const kind of ['readable', 'iterable'] as const) {
          const controller = new AbortController()
          const hanging = hangingBody(kind, 2 * 1024 * 1024)
          const putting = fresh.store.put('object', hanging.body, { signal: controller.signal })
          putting.catch(() => {})
          await hanging.reached
          const reason = new Error('the host shuts down')
          controller.abort(reason)
          const error = await assertRejects(putting, 'STORE_ABORTED')
          assert.equal(error.cause, reason)
        }
        await assertObject(fresh, 'object', patternBytes(100, 1))
      })

      test('does nothing when it is aborted before', async (fresh) => {
        const options = { signal: AbortSignal.abort(new Error('too late')) }
        await assertRejects(fresh.store.put('never', patternBytes(10, 1), options), 'STORE_ABORTED')
        await assertAbsent(fresh, 'never')
      })

      test('never mixes bodies that are put to one key at the same time', async (fresh) => {
        const bodies = Array.from({ length: 8 }, (_, index) => patternBytes(700_000 + index, index))
        await Promise.all(bodies.map((bytes) => fresh.store.put('one', Readable.from(inChunks(bytes, 100_000)))))
        const found = (await readObject(fresh, 'one')) ?? new Uint8Array(0)
        assert.ok(bodies.some((bytes) => Buffer.compare(bytes, found) === 0))
        await fresh.store.put('one', patternBytes(10, 99))
        await assertObject(fresh, 'one', patternBytes(10, 99))
      })

      test('takes many objects at the same time', async (fresh) => {
        const keys = Array.from({ length: 40 }, (_, index) => `room/${index % 4}/segment-${index}.ts`)
        await Promise.all(keys.map((key, index) => fresh.store.put(key, patternBytes(1000, index))))
        for (const [index, key] of keys.entries()) await assertObject(fresh, key, patternBytes(1000, index))
      })

      test('has taken the bytes when it is done: the caller may use its buffer again', async (fresh) => {
        const bytes = patternBytes(1000, 1)
        await fresh.store.put('buffer', bytes)
        bytes.fill(0)
        await assertObject(fresh, 'buffer', patternBytes(1000, 1))
      })
    })

    describe('putFile', () => {
      test('copies or moves a local file', async (fresh) => {
        const folder = await mkdtemp(join(tmpdir(), 'rushes-contract-'))
        try {
          const path = join(folder, 'video.mp4')
          const bytes = patternBytes(300_000, 3)
          await writeFile(path, bytes)
          assert.equal((await putFile(fresh.store, 'copies/video.mp4', path)).bytes, bytes.byteLength)
          assert.equal((await readFile(path)).byteLength, bytes.byteLength)
          const digest = createHash('sha256').update(bytes).digest('hex')
          assert.equal((await putFile(fresh.store, 'hashed.mp4', path, { sha256: true })).sha256, digest)
          assert.equal((await putFile(fresh.store, 'moved.mp4', path, { move: true })).bytes, bytes.byteLength)
          await assert.rejects(readFile(path), { code: 'ENOENT' })
          for (const key of ['copies/video.mp4', 'hashed.mp4', 'moved.mp4']) await assertObject(fresh, key, bytes)
          await assertRejects(putFile(fresh.store, 'missing', join(folder, 'missing')), 'STORE_BODY_FAILED')
        } finally {
          await rm(folder, { recursive: true, force: true })
        }
      })

      test(`takes a file of ${maxBodyBytes} bytes`, async (fresh) => {
        const folder = await mkdtemp(join(tmpdir(), 'rushes-contract-'))
        try {
          const path = join(folder, 'large.mp4')
          await writeFile(path, patternStream(maxBodyBytes, 2))
          const stored = await putFile(fresh.store, 'large.mp4', path)
          assert.equal(stored.bytes, maxBodyBytes)
          assert.equal(stored.sha256, undefined)
          if (fresh.store.get === undefined) return
          const digest = await digestOf(patternStream(maxBodyBytes, 2))
          assert.equal(await digestOf(await fresh.store.get('large.mp4')), digest)
        } finally {
          await rm(folder, { recursive: true, force: true })
        }
      })
    })

    describe('urlFor', () => {
      test('makes a URL that tells its end, or refuses', async (fresh) => {
        await fresh.store.put('a key/ü+%.mp4', patternBytes(10, 1))
        const before = Date.now()
        try {
          const { url, expiresAtMs } = await fresh.store.urlFor('a key/ü+%.mp4', { expiresIn: 60 })
          assert.ok(URL.canParse(url), url)
          assert.ok(new URL(url).pathname.endsWith('a%20key/%C3%BC%2B%25.mp4'), url)
          if (fresh.store.capabilities.signedUrls) {
            assert.ok(expiresAtMs !== undefined && expiresAtMs > before && expiresAtMs <= Date.now() + 61_000)
          } else assert.equal(expiresAtMs, undefined)
        } catch (error) {
          if (!(error instanceof StoreError)) throw error
          assert.equal(error.code, 'STORE_CANNOT_SIGN')
        }
      })
    })

    describe('probe', () => {
      test('says that the store works, and tidies up', async (fresh) => {
        const report = await fresh.store.probe({ name: 'test-file.json' })
        assert.equal(report.ok, true, report.message)
        if (fresh.store.capabilities.delete) await assertAbsent(fresh, 'test-file.json')
      })

      test('does not reject when it cannot work', async (fresh) => {
        const report = await fresh.store.probe({ name: '../test-file.json' })
        assert.equal(report.ok, false)
        assert.equal(report.cause, 'STORE_KEY_OUTSIDE_BASE')
      })
    })

    describe('capabilities', () => {
      test('are those that were declared, and say which methods are there', async ({ store }) => {
        assert.deepEqual({ ...store.capabilities }, capabilities)
        assert.equal(store.get !== undefined, store.capabilities.get)
        assert.equal(store.list !== undefined, store.capabilities.list)
        assert.equal(store.delete !== undefined, store.capabilities.delete)
      })
    })

    describe('get', () => {
      const getTest = (title: string, body: (fresh: ContractStore) => Promise<void>): void => test(title, body, 'get')

      getTest('knows what is not there', async ({ store }) => {
        await store.put('folder/object', patternBytes(10, 1))
        for (const key of ['nothing', 'folder', 'folder/object/below', 'folder/objec', 'nowhere/at/all']) {
          await assertRejects(store.get?.(key) ?? Promise.resolve(), 'STORE_NOT_FOUND', 'STORE_BAD_KEY')
        }
      })

      getTest('gives a stream that can be left', async ({ store }) => {
        await store.put('object', patternBytes(3_000_000, 1))
        const stream = await store.get?.('object')
        for await (const _ of stream ?? []) break
        assert.equal(stream?.destroyed, true)
      })

      getTest('bounds what it gives as a whole', async ({ store }) => {
        await store.put('object', patternBytes(3_000, 1))
        await assertRejects(getWhole(store, 'object', { maxBytes: 2_999 }), 'STORE_TOO_LARGE')
        assert.equal((await getWhole(store, 'object', { maxBytes: 3_000 })).byteLength, 3_000)
      })

      getTest('can be aborted', async ({ store }) => {
        await store.put('object', patternBytes(10, 1))
        const aborted = { signal: AbortSignal.abort() }
        await assertRejects(store.get?.('object', aborted) ?? Promise.resolve(), 'STORE_ABORTED')
      })
    })

    describe('list', () => {
      test(
        'gives the keys with a prefix in the order of their bytes',
        async ({ store }) => {
          assert.deepEqual(await keysOf(store), [])
          const keys = ['a', 'a-b', 'a/b', 'a/b/c', 'a0', 'b/1', 'b/10', 'b/2', 'z', 'é', '\u{10400}', '\uffee']
          const stored = keys.filter((key) => key !== 'a' && key !== 'a/b')
          for (const key of stored.toReversed()) await store.put(key, patternBytes(key.length, 1))
          const sorted = stored.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
          assert.deepEqual(await keysOf(store), sorted)
          for (const prefix of ['a', 'a/', 'b/1', 'b/10', 'é', 'nothing', 'z/']) {
            assert.deepEqual(
              await keysOf(store, prefix),
              sorted.filter((key) => key.startsWith(prefix)),
              prefix,
            )
          }
          for await (const entry of store.list?.('b/') ?? []) assert.equal(entry.bytes, entry.key.length)
        },
        'list',
      )
    })

    describe('delete', () => {
      test(
        'removes an object, and only that',
        async (fresh) => {
          const { store } = fresh
          await store.put('a/b', patternBytes(10, 1))
          await store.put('a/c', patternBytes(10, 2))
          await store.delete?.('a/b')
          await store.delete?.('a/b')
          await store.delete?.('a')
          await store.delete?.('nowhere/at/all')
          await assertAbsent(fresh, 'a/b')
          await assertObject(fresh, 'a/c', patternBytes(10, 2))
        },
        'delete',
      )
    })
  })
}

async function digestOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of body) hash.update(chunk)
  return hash.digest('hex')
}

function shapesOf(bytes: Uint8Array): readonly (readonly [string, StoreBody])[] {
  const pieces = inChunks(bytes, Math.max(1, Math.ceil(bytes.byteLength / 2500)))
  return [
    ['bytes', bytes],
    ['pieces', pieces],
    ['readable', Readable.from(inChunks(bytes, 70_000))],
    [
      'iterable',
      (async function* () {
        for (const chunk of inChunks(bytes, 300_000)) yield chunk
      })(),
    ],
  ]
}

function inChunks(bytes: Uint8Array, size: number): Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let offset = 0; offset < bytes.byteLength; offset += size) chunks.push(bytes.subarray(offset, offset + size))
  return chunks
}

async function* failingBody(failure: Error): AsyncGenerator<Uint8Array> {
  yield patternBytes(2_000_000, 1)
  throw failure
}

function hangingBody(
  kind: 'readable' | 'iterable',
  bytes: number,
): { readonly body: StoreBody; readonly reached: Promise<void> } {
  let reach: () => void = () => {}
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  const produce = async function* (): AsyncGenerator<Uint8Array> {
    yield patternBytes(bytes, 1)
    reach()
    await new Promise(() => {})
  }
  return { body: kind === 'readable' ? Readable.from(produce()) : produce(), reached }
}

async function readObject(fresh: ContractStore, key: string): Promise<Uint8Array | undefined> {
  if (fresh.read !== undefined) return fresh.read(key)
  assert.ok(fresh.store.get !== undefined, 'a store that cannot get needs `read` for its contract')
  try {
    return await getWhole(fresh.store, key)
  } catch (error) {
    if (error instanceof StoreError && error.code === 'STORE_NOT_FOUND') return undefined
    throw error
  }
}

async function assertObject(fresh: ContractStore, key: string, expected: Uint8Array): Promise<void> {
  const found = await readObject(fresh, key)
  assert.ok(found !== undefined, `${key} is not there`)
  assert.equal(found.byteLength, expected.byteLength, key)
  assert.equal(Buffer.compare(found, expected), 0, `${key} has other bytes`)
}

async function assertAbsent(fresh: ContractStore, key: string): Promise<void> {
  assert.equal(await readObject(fresh, key), undefined, `${key} is there`)
}

async function keysOf(store: Store, prefix?: string): Promise<string[]> {
  const keys: string[] = []
  for await (const entry of store.list?.(prefix) ?? []) keys.push(entry.key)
  return keys
}

async function assertRejects(promise: Promise<unknown>, ...codes: readonly StoreErrorCode[]): Promise<StoreError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof StoreError, `expected a StoreError, got ${String(error)}`)
  assert.ok(codes.includes(error.code), `expected ${codes.join(' or ')}, got ${error.code}: ${error.message}`)
  return error
}
