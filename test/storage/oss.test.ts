import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { utimesSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { inspect } from 'node:util'
import { getWhole, StoreError, type TransferCheckpoint } from '@rushes/storage-adapters'
import { storeContract } from '@rushes/storage-adapters/contract'
import { createOssStore, type OssKeys, type OssStore, type OssStoreOptions } from '@rushes/storage-adapters/oss'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { freeTcpPort } from '../servers/free-tcp-port.js'
import { type OssInterference, type OssServer, type OssServerOptions, startOssServer } from '../servers/oss-server.js'

const SECRET = 'SecretOfTheTestsThatNobodyMaySee'
const TOKEN = 'TokenOfTheTestsThatNobodyMaySee'
const keys = { 'LTAI-test': { secret: SECRET }, 'STS.test': { secret: SECRET, token: TOKEN } }
const credentials = { accessKeyId: 'LTAI-test', accessKeySecret: SECRET }
const session = { accessKeyId: 'STS.test', accessKeySecret: SECRET, stsToken: TOKEN }
const all = { get: true, list: true, delete: true }
const none = { get: false, list: false, delete: false }
const openssl = 'openssl'
const hasOpenssl = canRun(openssl, ['version'])
const maxBodyBytes = Number(process.env['RUSHES_CONTRACT_BYTES'] ?? 32 * 1024 * 1024)

const open: { close(): Promise<void> | undefined }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

async function start(more: Partial<OssServerOptions> = {}): Promise<OssServer> {
  const server = await startOssServer({ keys, buckets: { recordings: 'cn-hangzhou' }, ...more })
  open.push(server)
  return server
}

function optionsFor(port: number, more: Partial<OssStoreOptions> = {}): OssStoreOptions {
  const endpoint = `http://localhost:${port}`
  return {
    bucket: 'recordings',
    region: 'cn-hangzhou',
    endpoint,
    pathStyle: true,
    credentials,
    timeoutMs: 10_000,
    ...more,
  }
}

function storeAt({ port }: { readonly port: number }, more: Partial<OssStoreOptions> = {}): OssStore {
  const store = createOssStore(optionsFor(port, more))
  open.push(store)
  return store
}

function bytesOf(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size)
  for (let index = 0; index < size; index += 1) bytes[index] = (index * 31 + (index >> 9) * seed) & 255
  return bytes
}

async function rejection(promise: Promise<unknown>): Promise<StoreError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(StoreError)
  expectNoSecret(error)
  return error as StoreError
}

function expectNoSecret(value: unknown): void {
  const text = `${inspect(value, { depth: 20, showHidden: true, maxStringLength: null })} ${JSON.stringify(value)}`
  expect(text).not.toContain(SECRET)
  expect(text).not.toContain(TOKEN)
}

async function fileOf(bytes: Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rushes-oss-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'file.mp4')
  await writeFile(path, bytes)
  return path
}

function canRun(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push({ close: () => new Promise((resolve) => server.close(() => resolve())) })
  return (server.address() as AddressInfo).port
}

for (const signatureVersion of ['v4', 'v1'] as const) {
  storeContract({
    name: `oss, signed by ${signatureVersion}`,
    describe,
    it,
    capabilities: { signedUrls: true, resume: true, progress: true },
    maxBodyBytes: signatureVersion === 'v4' ? maxBodyBytes : 4 * 1024 * 1024,
    create: async () => {
      const server = await start()
      // The server is in this process, and silent while it reckons the CRC of a large object.
      const more = { signatureVersion, basePath: 'tenant 1/ü+', partSize: 1024 * 1024, timeoutMs: 120_000, ...all }
      const store = storeAt(server, more)
      return {
        store,
        dispose: async () => {
          // What is aborted or fails leaves no parts, and nothing is ever outside of the base path.
          expect(server.uploads.size).toBe(0)
          for (const name of server.objects.keys()) expect(name.startsWith('recordings/tenant 1/ü+/')).toBe(true)
        },
      }
    },
  })
}

describe('an OSS store', () => {
  it('needs no right but oss:PutObject', async () => {
    const rights = new Set<string>()
    const may = (right: string, key: string): boolean => {
      rights.add(right)
      return right === 'oss:PutObject' && key.startsWith('base/')
    }
    const server = await start({ keys: { 'LTAI-test': { secret: SECRET, may } } })
    const store = storeAt(server, { basePath: 'base', partSize: 102_400 })
    await store.put('small', bytesOf(10))
    await store.put('large', Readable.from([bytesOf(300_000)]))
    await store.putFile('file', await fileOf(bytesOf(300_000)))
    expect((await store.probe({ name: 'test.json' })).ok).toBe(true)
    expect([...rights]).toEqual(['oss:PutObject'])
    expect(store.capabilities).toEqual({ ...none, signedUrls: false, resume: true, progress: true })
    expect([store.get, store.list, store.delete]).toEqual([undefined, undefined, undefined])
    expect((await rejection(store.urlFor('small'))).code).toBe('STORE_CANNOT_SIGN')
  })

  it('says of every object what the options say, also of those in parts', async () => {
    const server = await start()
    const store = storeAt(server, {
      partSize: 102_400,
      storageClass: 'IA',
      serverSideEncryption: { kmsKeyId: 'key-1' },
      tags: { kind: 'call', 'a b': 'x/y' },
      metadata: { Room: 'room-1' },
    })
    const put = { contentType: 'video/mp4', cacheControl: 'no-cache' }
    await store.put('small', bytesOf(10), put)
    await store.put('large', Readable.from([bytesOf(300_000)]), put)
    for (const key of ['small', 'large']) {
      expect(server.objects.get(`recordings/${key}`)?.headers).toMatchObject({
        'content-type': 'video/mp4',
        'cache-control': 'no-cache',
        'x-oss-storage-class': 'IA',
        'x-oss-server-side-encryption': 'KMS',
        'x-oss-server-side-encryption-key-id': 'key-1',
        'x-oss-tagging': 'kind=call&a%20b=x%2Fy',
        'x-oss-meta-room': 'room-1',
      })
    }
    const md5 = createHash('md5').update(bytesOf(10)).digest('base64')
    expect(server.objects.get('recordings/small')?.headers['content-md5']).toBe(md5)
  })

  it('sends a body of many pieces without joining them, and tells the tag of the object', async () => {
    const server = await start()
    const pieces = Array.from({ length: 3000 }, (_, index) =>
      bytesOf(1 + (index % 400) * (index % 100 === 0 ? 900 : 1), index),
    )
    const stored = await storeAt(server).put('pieces', pieces)
    const found = server.objects.get('recordings/pieces')
    expect(found?.bytes.equals(Buffer.concat(pieces))).toBe(true)
    expect(stored.etag).toBe(found?.etag)
    expect(server.log).toEqual(['oss:PutObject pieces'])
  })

  it('lists what is below its base, page by page, and passes over what is no key', async () => {
    const server = await start()
    const store = storeAt(server, { basePath: 'base', ...all })
    for (let index = 0; index < 2500; index += 1) {
      const object = { bytes: Buffer.alloc(index % 3), headers: {}, modifiedAtMs: index * 1000, etag: 'E' }
      server.objects.set(`recordings/base/a+b c/${String(index).padStart(4, '0')}`, object)
    }
    const other = { bytes: Buffer.alloc(1), headers: {}, modifiedAtMs: 0, etag: 'E' }
    for (const name of ['base', 'base/', 'base/a+b c/', 'base2/x', 'base/x//y'])
      server.objects.set(`recordings/${name}`, other)
    const found: string[] = []
    for await (const entry of store.list?.('a+b') ?? []) found.push(entry.key)
    expect(found).toEqual(Array.from({ length: 2500 }, (_, index) => `a+b c/${String(index).padStart(4, '0')}`))
    expect(server.log.filter((line) => line.startsWith('oss:ListObjects'))).toHaveLength(3)
  })

  it.each([
    ['a reset', 'reset'],
    ['a lost answer', 'reset-after'],
    ['an internal error', { status: 500, code: 'InternalError' }],
    ['a throttle', { status: 503, code: 'QpsLimitExceeded' }],
    ['a digest that does not fit', { status: 400, code: 'InvalidDigest' }],
  ] satisfies [string, OssInterference][])('tries again after %s', async (_name, interference) => {
    const failed = new Set<string>()
    const server = await start()
    server.options.interfere = ({ action }) => {
      // A completion whose answer was lost cannot be made again.
      if (failed.has(action) || (interference === 'reset-after' && action === 'oss:CompleteMultipartUpload'))
        return undefined
      failed.add(action)
      return interference
    }
    const store = storeAt(server, { partSize: 102_400, ...all })
    await store.put('small', bytesOf(100))
    await store.put('large', Readable.from([bytesOf(300_000)]))
    expect(Buffer.from(await getWhole(store, 'small')).equals(bytesOf(100))).toBe(true)
    expect(Buffer.from(await getWhole(store, 'large')).equals(bytesOf(300_000))).toBe(true)
    expect(failed.size).toBeGreaterThanOrEqual(4)
  })

  it.each([
    ['AccessDenied', 403, 'STORE_ACCESS_DENIED', false],
    ['SecurityTokenExpired', 403, 'STORE_CREDENTIALS_EXPIRED', true],
    ['NoSuchBucket', 404, 'STORE_NO_BUCKET', false],
    ['InvalidDigest', 400, 'STORE_CORRUPTED', true],
    ['QpsLimitExceeded', 503, 'STORE_THROTTLED', true],
    ['TooManyRequests', 429, 'STORE_THROTTLED', true],
    ['Whatever', 408, 'STORE_UNAVAILABLE', true],
    ['ServiceUnavailable', 503, 'STORE_UNAVAILABLE', true],
    ['InternalError', 500, 'STORE_UNAVAILABLE', true],
    ['RequestTimeout', 400, 'STORE_UNAVAILABLE', true],
    ['EntityTooLarge', 400, 'STORE_TOO_LARGE', false],
    ['BucketStorageQuotaExceeded', 403, 'STORE_NO_SPACE', true],
    ['InvalidArgument', 400, 'STORE_BAD_SETTINGS', false],
    ['SomethingNew', 418, 'STORE_BAD_SETTINGS', false],
  ] as const)('calls %s by its class', async (code, status, expected, retryable) => {
    const server = await start()
    server.options.interfere = () => ({ status, code })
    const error = await rejection(storeAt(server, { maxAttempts: 1 }).put('key', bytesOf(10)))
    expect(error).toMatchObject({ code: expected, retryable, key: 'key' })
    expect(error.message).toMatch(new RegExp(`${code}.*request [0-9A-F]{24}`))
  })

  it('notices when OSS has other bytes than were sent, before and after they are an object', async () => {
    const server = await start()
    const store = storeAt(server, { partSize: 102_400, maxAttempts: 1, ...all })
    for (const action of ['oss:PutObject', 'oss:UploadPart', 'oss:CompleteMultipartUpload', 'oss:GetObject']) {
      server.options.interfere = (request) => (request.action === action ? { crc64: '123' } : undefined)
      const work = async (): Promise<void> => {
        await store.put('small', bytesOf(10))
        await store.put('large', [bytesOf(300_000)])
        await getWhole(store, 'large')
      }
      expect((await rejection(work())).code, action).toBe('STORE_CORRUPTED')
    }
    expect(server.uploads.size).toBe(0)
  })

  it('waits for a slow reader, and not for a silent service', async () => {
    const server = await start()
    await storeAt(server).put('object', bytesOf(6_000_000))
    const store = storeAt(server, { timeoutMs: 1500, maxAttempts: 1, ...all })
    const stream = await (store.get?.('object') ?? Promise.reject(new Error('no get')))
    let bytes = 0
    for await (const chunk of stream) {
      if (bytes === 0) await new Promise((resolve) => setTimeout(resolve, 3500))
      bytes += (chunk as Uint8Array).byteLength
    }
    expect(bytes).toBe(6_000_000)
    const hole = createTcpServer((socket) => void socket.on('error', () => {}).resume())
    const port = await listen(hole)
    const error = await rejection(storeAt({ port }, { timeoutMs: 500, maxAttempts: 1 }).put('key', bytesOf(10)))
    expect(error.code).toBe('STORE_UNAVAILABLE')
    // And 10 for the bytes of the body, on a slow line.
    expect(error.message).toContain('not a byte for 510 ms')
  })

  it('is done with everything when it is closed', async () => {
    const server = await start()
    const store = storeAt(server)
    const putting = store.put('key', Readable.from([bytesOf(1_000_000)]))
    await store.close()
    expect((await putting).bytes).toBe(1_000_000)
    expect((await rejection(store.put('later', bytesOf(1)))).code).toBe('STORE_CLOSED')
  })

  it('reaches a bucket by a domain of its own', async () => {
    const server = await start({ cnameBucket: 'recordings' })
    const store = storeAt(server, { cname: true, pathStyle: false, basePath: 'base', ...all })
    await store.put('a key', bytesOf(10))
    expect([...server.objects.keys()]).toEqual(['recordings/base/a key'])
    const { url } = await store.urlFor('a key')
    expect(new URL(url).pathname).toBe('/base/a%20key')
    expect((await fetch(url)).status).toBe(200)
  })
})

describe('files put into an OSS store', () => {
  const size = 1_050_000
  const partSize = 102_400

  /** A transfer that fails at its fifth part. */
  async function interrupted(server: OssServer, store: OssStore, path: string): Promise<TransferCheckpoint> {
    let checkpoint: TransferCheckpoint | undefined
    let sent = 0
    server.options.interfere = ({ action }) => {
      if (action === 'oss:UploadPart') sent += 1
      return action === 'oss:UploadPart' && sent > 4 ? { status: 403, code: 'AccessDenied' } : undefined
    }
    const onCheckpoint = (told: TransferCheckpoint): void => {
      checkpoint = JSON.parse(JSON.stringify(told)) as TransferCheckpoint
      expectNoSecret(told)
    }
    expect((await rejection(store.putFile('file', path, { onCheckpoint }))).code).toBe('STORE_ACCESS_DENIED')
    delete server.options.interfere
    if (checkpoint === undefined) throw new Error('no checkpoint')
    return checkpoint
  }

  function uploadedParts({ log }: OssServer): number {
    return log.filter((line) => line.startsWith('oss:UploadPart')).length
  }

  it('go on where they stood', async () => {
    const server = await start()
    const bytes = bytesOf(size)
    const path = await fileOf(bytes)
    const checkpoint = await interrupted(server, storeAt(server, { partSize, concurrency: 1 }), path)
    expect(server.uploads.size).toBe(1)
    const arrived = (checkpoint['parts'] as unknown[]).length
    expect(arrived).toBeGreaterThanOrEqual(2)
    server.log.length = 0
    // Another process, which cuts files otherwise now.
    const stored = await storeAt(server, { partSize: 2 * partSize }).putFile('file', path, {
      resumeFrom: checkpoint,
      sha256: true,
      move: true,
    })
    expect(stored).toMatchObject({ bytes: size, sha256: createHash('sha256').update(bytes).digest('hex') })
    expect(uploadedParts(server)).toBe(Math.ceil(size / partSize) - arrived)
    expect(server.objects.get('recordings/file')?.bytes.equals(bytes)).toBe(true)
    expect(server.uploads.size).toBe(0)
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('begin anew when the upload is gone', async () => {
    const server = await start()
    const path = await fileOf(bytesOf(size))
    const store = storeAt(server, { partSize })
    const checkpoint = await interrupted(server, store, path)
    await store.abandon('file', checkpoint)
    expect(server.uploads.size).toBe(0)
    await store.abandon('file', checkpoint)
    await store.putFile('file', path, { resumeFrom: checkpoint })
    expect(server.objects.get('recordings/file')?.bytes.equals(bytesOf(size))).toBe(true)
    expect(server.uploads.size).toBe(0)
  })

  it('begin anew when the file is another one, and remove what was there of the old one', async () => {
    const server = await start()
    const path = await fileOf(bytesOf(size))
    const store = storeAt(server, { partSize })
    for (const other of [bytesOf(size, 2), bytesOf(size + 5, 3), bytesOf(1000)]) {
      const checkpoint = await interrupted(server, store, path)
      await writeFile(path, other)
      await utimes(path, 1000, 1000)
      await store.putFile('file', path, { resumeFrom: checkpoint })
      expect(server.objects.get('recordings/file')?.bytes.equals(other)).toBe(true)
      expect(server.uploads.size).toBe(0)
      await writeFile(path, bytesOf(size))
    }
  })

  it('begin anew with a checkpoint that is none', async () => {
    const server = await start()
    const path = await fileOf(bytesOf(size))
    const store = storeAt(server, { partSize })
    const checkpoint = await interrupted(server, store, path)
    const broken: TransferCheckpoint[] = [
      {},
      { ...checkpoint, parts: [{ number: 1 }] },
      { ...checkpoint, partSize: 0 },
      { ...checkpoint, store: 's3' },
      { ...checkpoint, bucket: 'other' },
    ]
    for (const resumeFrom of broken) {
      await store.putFile('file', path, { resumeFrom })
      expect(server.objects.get('recordings/file')?.bytes.length).toBe(size)
      expect((await rejection(store.abandon('file', resumeFrom))).code).toBe('STORE_BAD_SETTINGS')
    }
    expect(server.uploads.size).toBe(1)
  })

  it('leave nothing when nobody asked for checkpoints, and their parts when somebody did', async () => {
    const server = await start()
    const path = await fileOf(bytesOf(size))
    const store = storeAt(server, { partSize, concurrency: 1 })
    for (const onCheckpoint of [undefined, () => {}]) {
      const controller = new AbortController()
      server.options.interfere = ({ action }) => {
        if (action === 'oss:UploadPart') controller.abort(new Error('shut down'))
        return undefined
      }
      const { signal } = controller
      const error = await rejection(store.putFile('file', path, { signal, ...(onCheckpoint && { onCheckpoint }) }))
      expect(error).toMatchObject({ code: 'STORE_ABORTED', cause: new Error('shut down') })
      expect(server.uploads.size).toBe(onCheckpoint === undefined ? 0 : 1)
    }
    expect(await readFile(path)).toHaveLength(size)
  })

  it('are refused when they change under way', async () => {
    const server = await start()
    const path = await fileOf(bytesOf(size))
    server.options.interfere = ({ action }) => {
      if (action === 'oss:InitiateMultipartUpload') utimesSync(path, 1000, 1000)
      return undefined
    }
    const error = await rejection(storeAt(server, { partSize }).putFile('file', path, { onCheckpoint: () => {} }))
    expect(error.code).toBe('STORE_BODY_FAILED')
    expect(server.uploads.size).toBe(0)
    expect(server.objects.size).toBe(0)
  })
})

describe('credentials of an OSS store', () => {
  /** Sessions of 1,000 s that the server knows; the clock of both sides is `clock`. */
  function sessions(): {
    readonly clock: { nowMs: number }
    readonly known: Record<string, { secret: string; token: string; expiresAtMs: number }>
    readonly refresh: () => Promise<OssKeys & { expiresAtMs: number }>
  } {
    const clock = { nowMs: Date.now() }
    const known: Record<string, { secret: string; token: string; expiresAtMs: number }> = {}
    const refresh = async (): Promise<OssKeys & { expiresAtMs: number }> => {
      const accessKeyId = `STS.${Object.keys(known).length}`
      const expiresAtMs = clock.nowMs + 1_000_000
      await new Promise((resolve) => setTimeout(resolve, 10))
      known[accessKeyId] = { secret: SECRET, token: TOKEN, expiresAtMs }
      return { accessKeyId, accessKeySecret: SECRET, stsToken: TOKEN, expiresAtMs }
    }
    return { clock, known, refresh }
  }

  it('are renewed before they end, once for all who wait, also in the middle of an upload', async () => {
    const { clock, known, refresh } = sessions()
    const now = (): number => clock.nowMs
    const server = await start({ keys: known, now })
    const store = storeAt(server, { credentials: { refresh }, now, partSize: 102_400, concurrency: 1 })
    await Promise.all(Array.from({ length: 10 }, (_, index) => store.put(`object-${index}`, bytesOf(10))))
    expect(Object.keys(known)).toHaveLength(1)
    await store.put(
      'long',
      (async function* () {
        // Two steps while a part is under way are less than the service bears.
        for (let part = 0; part < 12; part += 1) {
          yield bytesOf(102_400, part)
          clock.nowMs += 300_000
        }
      })(),
    )
    expect(server.objects.get('recordings/long')?.bytes.length).toBe(1_228_800)
    expect(Object.keys(known).length).toBeGreaterThanOrEqual(4)
  })

  it('are renewed when the service says that they are over, whatever the clock says', async () => {
    const { known, refresh } = sessions()
    const server = await start({ keys: known })
    const store = storeAt(server, { credentials: { refresh }, maxAttempts: 1 })
    await store.put('one', bytesOf(10))
    const first = known['STS.0']
    if (first !== undefined) first.expiresAtMs = 0
    await store.put('two', bytesOf(10))
    expect(Object.keys(known)).toEqual(['STS.0', 'STS.1'])
  })

  it('do without a renewal that fails while they are good, and tell of it afterwards', async () => {
    const { clock, known, refresh } = sessions()
    const now = (): number => clock.nowMs
    const server = await start({ keys: known, now })
    let fails = false
    const failing = async (): Promise<OssKeys & { expiresAtMs: number }> => {
      if (fails) throw new Error('the token service is down')
      return refresh()
    }
    const store = storeAt(server, { credentials: { refresh: failing }, now, maxAttempts: 1 })
    await store.put('one', bytesOf(10))
    fails = true
    clock.nowMs += 900_000
    await store.put('two', bytesOf(10))
    clock.nowMs += 200_000
    expect(await rejection(store.put('three', bytesOf(10)))).toMatchObject({
      code: 'STORE_CREDENTIALS_EXPIRED',
      retryable: true,
      cause: new Error('the token service is down'),
    })
  })

  it('do not hold up a caller who stops', async () => {
    const server = await start()
    const store = storeAt(server, { credentials: { refresh: () => new Promise(() => {}) } })
    const error = await rejection(store.put('key', bytesOf(10), { signal: AbortSignal.timeout(50) }))
    expect(error.code).toBe('STORE_ABORTED')
  })
})

describe('URLs of an OSS store', () => {
  it.each(['v4', 'v1'] as const)('let anybody read until they end, signed by %s', async (signatureVersion) => {
    const clock = { nowMs: Date.now() }
    const server = await start({ now: () => clock.nowMs })
    const store = storeAt(server, { signatureVersion, basePath: 'base', ...all })
    await store.put('a key/ü+%.mp4', bytesOf(100_000))
    const { url, expiresAtMs } = await store.urlFor('a key/ü+%.mp4')
    expect(Math.abs((expiresAtMs ?? 0) - Date.now() - 43_200_000)).toBeLessThan(2_000)
    const whole = await fetch(url)
    expect(Buffer.from(await whole.arrayBuffer()).equals(bytesOf(100_000))).toBe(true)
    const range = await fetch(url, { headers: { range: 'bytes=10-19' } })
    expect([range.status, (await range.arrayBuffer()).byteLength]).toEqual([206, 10])
    expect((await fetch(url.replace('.mp4', '.mp5'))).status).toBe(403)
    clock.nowMs = (expiresAtMs ?? 0) + 1
    expect((await fetch(url)).status).toBe(403)
    expectNoSecret({ url })
  })

  it('end with the session that signed them, or are refused when nobody knows when that is', async () => {
    const server = await start()
    const expiresAtMs = Date.now() + 600_000
    const known = storeAt(server, { credentials: { ...session, expiresAtMs }, ...all })
    await known.put('key', bytesOf(10))
    const url = await known.urlFor('key', { expiresIn: 86_400 })
    expect(url.expiresAtMs).toBe(expiresAtMs)
    expect((await fetch(url.url)).status).toBe(200)
    expect((await rejection(storeAt(server, { credentials: session, ...all }).urlFor('key'))).code).toBe(
      'STORE_CANNOT_SIGN',
    )
    const over = storeAt(server, { credentials: { ...session, expiresAtMs: Date.now() - 1 }, ...all })
    expect((await rejection(over.urlFor('key'))).code).toBe('STORE_CANNOT_SIGN')
  })

  it('can be signed by others than those that put', async () => {
    const may = (right: string): boolean => right === 'oss:PutObject'
    const server = await start({ keys: { writer: { secret: 'w', may }, 'LTAI-test': { secret: SECRET } } })
    const writer = { accessKeyId: 'writer', accessKeySecret: 'w' }
    const store = storeAt(server, { credentials: writer, signing: { credentials } })
    expect(store.capabilities.signedUrls).toBe(true)
    await store.put('key', bytesOf(10))
    expect((await fetch((await store.urlFor('key')).url)).status).toBe(200)
  })

  it('live seven days at most when they are signed by V4', async () => {
    const store = storeAt(await start(), all)
    const { url, expiresAtMs } = await store.urlFor('key', { expiresIn: 30 * 86_400 })
    expect(new URL(url).searchParams.get('x-oss-expires')).toBe('604800')
    expect(Math.abs((expiresAtMs ?? 0) - Date.now() - 604_800_000)).toBeLessThan(2_000)
    for (const expiresIn of [0, -1, 1.5, Number.NaN]) {
      expect((await rejection(store.urlFor('key', { expiresIn }))).code).toBe('STORE_CANNOT_SIGN')
    }
  })
})

interface Mistake {
  readonly what: string
  readonly server?: Partial<OssServerOptions>
  readonly options: (port: number) => Partial<OssStoreOptions>
  readonly field: string
  readonly cause: string
  readonly hint?: RegExp
  /** What stands in place of the server. */
  readonly instead?: () => Promise<number>
}

const onlyUnderOther = (right: string, key: string): boolean =>
  right === 'oss:GetBucketLocation' || (right === 'oss:PutObject' && key.startsWith('other/'))
const mayNothing = { keys: { 'LTAI-test': { secret: SECRET, may: () => false } } }

const mistakes: readonly Mistake[] = [
  { what: 'wrong bucket', options: () => ({ bucket: 'recordingz' }), field: 'bucket', cause: 'STORE_NO_BUCKET' },
  {
    what: 'bucket in another region, at an endpoint',
    server: { buckets: { recordings: 'cn-beijing' } },
    options: () => ({}),
    field: 'endpoint',
    cause: 'STORE_NO_BUCKET',
    hint: /oss-cn-beijing\.aliyuncs\.com/,
  },
  {
    what: 'region that is not the one of the endpoint',
    options: () => ({ region: 'cn-beijing' }),
    field: 'region',
    cause: 'STORE_BAD_SETTINGS',
  },
  {
    what: 'unknown access key id',
    options: () => ({ credentials: { ...credentials, accessKeyId: 'LTAI-other' } }),
    field: 'credentials.accessKeyId',
    cause: 'STORE_ACCESS_DENIED',
  },
  {
    what: 'wrong access key secret',
    options: () => ({ credentials: { ...credentials, accessKeySecret: `${SECRET}x` } }),
    field: 'credentials.accessKeySecret',
    cause: 'STORE_ACCESS_DENIED',
  },
  {
    what: 'wrong access key secret, V1',
    options: () => ({ credentials: { ...credentials, accessKeySecret: `${SECRET}x` }, signatureVersion: 'v1' }),
    field: 'credentials.accessKeySecret',
    cause: 'STORE_ACCESS_DENIED',
  },
  {
    what: 'wrong token',
    options: () => ({ credentials: { ...session, stsToken: `${TOKEN}x` } }),
    field: 'credentials.stsToken',
    cause: 'STORE_ACCESS_DENIED',
  },
  {
    what: 'token that is over',
    server: { keys: { 'STS.test': { secret: SECRET, token: TOKEN, expiresAtMs: 1 } } },
    options: () => ({ credentials: session }),
    field: 'credentials.stsToken',
    cause: 'STORE_CREDENTIALS_EXPIRED',
  },
  {
    what: 'renewal that fails',
    options: () => ({ credentials: { refresh: () => Promise.reject(new Error('down')) } }),
    field: 'credentials.refresh',
    cause: 'STORE_CREDENTIALS_EXPIRED',
  },
  {
    what: 'renewal that gives no secret',
    options: () => ({
      credentials: { refresh: async () => ({ accessKeyId: 'STS.test', accessKeySecret: '', expiresAtMs: 2e12 }) },
    }),
    field: 'credentials.refresh',
    cause: 'STORE_BAD_SETTINGS',
  },
  { what: 'no rights', server: mayNothing, options: () => ({}), field: 'credentials', cause: 'STORE_ACCESS_DENIED' },
  {
    what: 'base path outside of the policy',
    server: { keys: { 'LTAI-test': { secret: SECRET, may: onlyUnderOther } } },
    options: () => ({ basePath: 'calls' }),
    field: 'basePath',
    cause: 'STORE_ACCESS_DENIED',
    hint: /recordings\/calls\/\*/,
  },
  {
    what: 'clock an hour behind',
    options: () => ({ now: () => Date.now() - 3_600_000 }),
    field: 'now',
    cause: 'STORE_BAD_SETTINGS',
    hint: /by 3(600|599|601) s/,
  },
  {
    what: 'port where nothing listens',
    instead: freeTcpPort,
    options: () => ({}),
    field: 'endpoint',
    cause: 'STORE_UNAVAILABLE',
  },
  {
    what: 'host that does not exist',
    options: () => ({ endpoint: 'https://nowhere.invalid' }),
    field: 'endpoint',
    cause: 'STORE_UNAVAILABLE',
    hint: /nowhere\.invalid/,
  },
  {
    what: 'web server that takes everything',
    instead: () =>
      listen(createHttpServer((request, response) => void request.resume().on('end', () => response.end('hello')))),
    options: () => ({}),
    field: 'endpoint',
    cause: 'STORE_BAD_SETTINGS',
  },
  {
    what: 'web server that takes nothing',
    instead: () =>
      listen(
        createHttpServer((request, response) => {
          request.resume().on('end', () => response.writeHead(405).end('<html>no'))
        }),
      ),
    options: () => ({}),
    field: 'endpoint',
    cause: 'STORE_BAD_SETTINGS',
  },
  {
    what: 'TLS to a plain port',
    options: (port) => ({ endpoint: `https://localhost:${port}` }),
    field: 'secure',
    cause: 'STORE_UNAVAILABLE',
  },
  {
    what: 'KMS that is not enabled',
    server: { interfere: () => ({ status: 403, code: 'KmsServiceNotEnabled' }) },
    options: () => ({ serverSideEncryption: {} }),
    field: 'serverSideEncryption',
    cause: 'STORE_ACCESS_DENIED',
  },
]

describe('the probe of an OSS store', () => {
  it.each(mistakes)('names the setting: $what', async ({ server, options, instead, field, cause, hint }) => {
    const port = instead === undefined ? (await start(server)).port : await instead()
    const store = storeAt({ port }, { maxAttempts: 1, ...options(port) })
    const report = await store.probe({ name: 'test-file.json' })
    expect(report).toMatchObject({ ok: false, field, cause })
    expect(report.message).not.toBe('')
    expect(report.hint).toMatch(hint ?? /./)
    expectNoSecret(report)
    if (process.env['RUSHES_PRINT_PROBES'] !== undefined) process.stdout.write(`| ${field} | ${report.hint} |\n`)
  })

  it('tells what the service calls the request', async () => {
    const report = await storeAt(await start(), { bucket: 'recordingz' }).probe({ name: 'test-file.json' })
    expect(report.requestId).toMatch(/^[0-9A-F]{24}$/)
  })

  describe.skipIf(!hasOpenssl && process.env['CI'] === undefined)('with TLS', () => {
    it('names a certificate that nobody trusts, and takes it when it is told to', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'rushes-tls-'))
      onTestFinished(() => rm(folder, { recursive: true, force: true }))
      const [keyPath, certPath] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
      const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', keyPath, '-out', certPath]
      execFileSync(openssl, [...args, ...subject], { stdio: 'ignore' })
      const [key, cert] = await Promise.all([readFile(keyPath, 'utf8'), readFile(certPath, 'utf8')])
      const { port } = await start({ tls: { key, cert } })
      const endpoint = `https://localhost:${port}`
      const report = await storeAt({ port }, { endpoint, maxAttempts: 1 }).probe({ name: 'test.json' })
      expect(report).toMatchObject({ ok: false, field: 'endpoint', cause: 'STORE_UNAVAILABLE' })
      expect(report.hint).toContain('ca')
      const trusting = storeAt({ port }, { endpoint, ca: cert })
      expect(await trusting.probe({ name: 'test.json' })).toMatchObject({ ok: true })
      const plain = await storeAt({ port }, { maxAttempts: 1 }).probe({ name: 'test.json' })
      expect(plain).toMatchObject({ ok: false, field: 'secure' })
    })
  })
})
