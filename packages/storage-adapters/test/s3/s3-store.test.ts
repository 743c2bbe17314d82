import { createHash } from 'node:crypto'
import { mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { TransferCheckpoint } from '../../src/index.js'
import { createS3Store, type S3Store, type S3StoreOptions } from '../../src/s3/index.js'
import { type Answer, type S3LikeServer, s3Error, startS3LikeServer } from './s3-like-server.js'

const MIB = 1024 * 1024
const keys = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'the-secret-of-the-test' }

let server: S3LikeServer
let folder: string
const open: S3Store[] = []

beforeEach(async () => {
  server = await startS3LikeServer()
  folder = await mkdtemp(join(tmpdir(), 'rushes-s3-'))
})
afterEach(async () => {
  for (const store of open.splice(0)) await store.close()
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

function storeOf(options: Partial<S3StoreOptions> = {}): S3Store {
  const endpoint = server.endpoint
  const store = createS3Store({
    bucket: 'calls',
    endpoint,
    forcePathStyle: true,
    credentials: keys,
    maxAttempts: 1,
    ...options,
  })
  open.push(store)
  return store
}

const inParts = { partSize: 5 * MIB, multipartThreshold: 5 * MIB } as const
const large = Buffer.alloc(12 * MIB, 'recording')

describe('requests', () => {
  it('of a body in pieces are one, with its length, its hash and its MD5', async () => {
    const pieces = [Buffer.alloc(100_000, 1), Buffer.alloc(10, 2), Buffer.alloc(300_000, 3)]
    await storeOf().put('a', pieces, { contentType: 'video/mp2t', cacheControl: 'no-cache' })
    expect(server.objects.get('calls/a')?.equals(Buffer.concat(pieces))).toBe(true)
    expect(server.seen).toHaveLength(1)
    expect(server.seen[0]?.headers).toMatchObject({
      'content-length': '400010',
      'content-type': 'video/mp2t',
      'cache-control': 'no-cache',
      'content-md5': expect.stringMatching(/^.{22}==$/),
      'x-amz-content-sha256': expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect(server.seen[0]?.headers).not.toHaveProperty('transfer-encoding')
    expect(server.seen[0]?.headers).not.toHaveProperty('content-encoding')
  })

  it('sign their checksum and not their body where that is asked for', async () => {
    const store = storeOf({ ...inParts, signBodies: 'never' })
    await store.put('small', [Buffer.alloc(10, 1), Buffer.alloc(10, 2)])
    await store.put('large', large)
    const bodies = server.seen.filter(({ method }) => method === 'PUT')
    expect(bodies).toHaveLength(4)
    for (const { headers, body } of bodies) {
      expect(headers).toMatchObject({
        'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
        'content-md5': createHash('md5').update(body).digest('base64'),
        authorization: expect.stringContaining('content-md5;'),
      })
    }
  })

  it('tell what goes out', async () => {
    const told: number[] = []
    const onProgress = (bytes: number): void => void told.push(bytes)
    await storeOf().put('small', new Uint8Array(100), { onProgress })
    expect(told).toEqual([100])
    told.length = 0
    await storeOf(inParts).put('large', large, { onProgress })
    expect(told.reduce((sum, bytes) => sum + bytes, 0)).toBe(large.byteLength)
    // An answer to the beginning and to each of the three parts, and blocks of a mebibyte.
    expect(told.filter((bytes) => bytes === 0)).toHaveLength(4)
    expect(Math.max(...told)).toBe(MIB)
  })

  it('carry what the settings say', async () => {
    const store = storeOf({
      ...inParts,
      checksums: 'when-supported',
      tags: { a: 'b c', d: 'e&f' },
      metadata: { recorder: 'rushes' },
      storageClass: 'STANDARD_IA',
      acl: 'bucket-owner-full-control',
      serverSideEncryption: { kmsKeyId: 'alias/mine', bucketKey: true },
    })
    await store.put('small', new Uint8Array(3))
    await store.put('large', large)
    const [small, create, part] = server.seen
    for (const request of [small, create]) {
      expect(request?.headers).toMatchObject({
        'x-amz-tagging': 'a=b%20c&d=e%26f',
        'x-amz-meta-recorder': 'rushes',
        'x-amz-storage-class': 'STANDARD_IA',
        'x-amz-acl': 'bucket-owner-full-control',
        'x-amz-server-side-encryption': 'aws:kms',
        'x-amz-server-side-encryption-aws-kms-key-id': 'alias/mine',
        'x-amz-server-side-encryption-bucket-key-enabled': 'true',
      })
    }
    expect(small?.headers['x-amz-checksum-crc32']).toBe('/0HZEg==')
    expect(create?.headers['x-amz-checksum-algorithm']).toBe('CRC32')
    expect(part?.headers['x-amz-checksum-crc32']).toMatch(/^.{6}==$/)
    expect(part?.headers).not.toHaveProperty('content-md5')
    expect(server.seen.at(-1)?.body.toString()).toMatch(/<ChecksumCRC32>.*<\/ChecksumCRC32>/)
  })

  it('that fail in passing are sent again, pieces and all', async () => {
    for (const hiccup of [s3Error(503, 'SlowDown'), 'cut', s3Error(500, 'InternalError')] as const) {
      let failures = 0
      server.answering = () => {
        failures += 1
        return failures <= 2 ? hiccup : undefined
      }
      const pieces = [Buffer.alloc(70_000, 1), Buffer.alloc(70_000, 2)]
      expect(await storeOf({ maxAttempts: 3 }).put('again', pieces)).toMatchObject({ bytes: 140_000 })
      expect(server.objects.get('calls/again')?.equals(Buffer.concat(pieces))).toBe(true)
      server.objects.clear()
    }
  })

  it('are tried once under a spool', async () => {
    server.answering = () => s3Error(503, 'SlowDown')
    await expect(storeOf().put('a', new Uint8Array(1))).rejects.toMatchObject({
      code: 'STORE_THROTTLED',
      retryable: true,
    })
    expect(server.seen).toHaveLength(1)
  })

  it('that hang fail, as a whole and when nothing moves', async () => {
    server.answering = () => 'hang'
    for (const options of [{ requestTimeoutMs: 150 }, { idleTimeoutMs: 150 }]) {
      await expect(storeOf(options).put('a', new Uint8Array(1))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    }
  })

  it('are none after the end', async () => {
    const store = storeOf({ get: true, list: true, delete: true })
    await store.close()
    const closed = { code: 'STORE_CLOSED' }
    await expect(store.put('a', new Uint8Array(1))).rejects.toMatchObject(closed)
    await expect(store.putFile('a', 'nothing')).rejects.toMatchObject(closed)
    await expect(store.urlFor('a')).rejects.toMatchObject(closed)
    await expect(store.get?.('a')).rejects.toMatchObject(closed)
    await expect(store.delete?.('a')).rejects.toMatchObject(closed)
    expect(await store.probe({ name: 'a' })).toMatchObject({ ok: false, cause: 'STORE_CLOSED' })
    expect(server.seen).toEqual([])
  })
})

describe('what the service says of the bytes', () => {
  const said: readonly [string, Answer, Partial<S3StoreOptions>, string | undefined][] = [
    ['another MD5', { status: 200, headers: { etag: `"${'0'.repeat(32)}"` } }, {}, 'STORE_CORRUPTED'],
    [
      'another CRC32',
      { status: 200, headers: { etag: '"x"', 'x-amz-checksum-crc32': 'AAAAAA==' } },
      {},
      'STORE_CORRUPTED',
    ],
    [
      'another SHA-256',
      { status: 200, headers: { etag: '"x"', 'x-amz-checksum-sha256': 'A'.repeat(43) } },
      { checksums: 'when-supported', checksumAlgorithm: 'SHA256' },
      'STORE_CORRUPTED',
    ],
    ['no ETag', { status: 200 }, {}, 'STORE_BAD_SETTINGS'],
    ['an ETag that is no MD5', { status: 200, headers: { etag: '"abc-1"' } }, {}, undefined],
    [
      'an ETag of an encrypted object',
      { status: 200, headers: { etag: `"${'0'.repeat(32)}"`, 'x-amz-server-side-encryption': 'aws:kms' } },
      {},
      undefined,
    ],
  ]
  for (const [name, answer, options, code] of said) {
    it(`${name} is ${code ?? 'no error'}`, async () => {
      server.answering = ({ method }) => (method === 'PUT' ? answer : undefined)
      const putting = storeOf(options).put('a', new Uint8Array(3))
      if (code === undefined) expect(await putting).toMatchObject({ bytes: 3 })
      else await expect(putting).rejects.toMatchObject({ code, key: 'a' })
    })
  }

  it('another ETag for the parts together is STORE_CORRUPTED', async () => {
    server.answering = ({ method, query }) =>
      method === 'POST' && query.has('uploadId')
        ? {
            status: 200,
            headers: { 'content-type': 'application/xml' },
            body: `<CompleteMultipartUploadResult><ETag>"${'0'.repeat(32)}-3"</ETag></CompleteMultipartUploadResult>`,
          }
        : undefined
    await expect(storeOf(inParts).put('a', large)).rejects.toMatchObject({ code: 'STORE_CORRUPTED' })
  })

  it('an error behind a status of 200 is an error', async () => {
    const { body = '' } = s3Error(500, 'InternalError')
    server.answering = ({ method, query }) =>
      method === 'POST' && query.has('uploadId')
        ? { status: 200, headers: { 'content-type': 'application/xml' }, body }
        : undefined
    await expect(storeOf(inParts).put('a', large)).rejects.toMatchObject({ retryable: true })
  })
})

describe('an upload in parts', () => {
  it('that fails is aborted, after what was under way', async () => {
    server.answering = ({ query }) => (query.get('partNumber') === '2' ? s3Error(403, 'AccessDenied') : undefined)
    await expect(storeOf(inParts).put('a', Readable.from([large]))).rejects.toMatchObject({
      code: 'STORE_ACCESS_DENIED',
    })
    expect(server.uploads.size).toBe(0)
    expect(server.seen.at(-1)).toMatchObject({ method: 'DELETE' })
  })

  it('that fails stops a body that hangs', async () => {
    server.answering = ({ query }) => (query.has('partNumber') ? s3Error(403, 'AccessDenied') : undefined)
    async function* body(): AsyncGenerator<Uint8Array> {
      yield large
      await new Promise(() => {})
    }
    await expect(storeOf(inParts).put('a', body())).rejects.toMatchObject({ code: 'STORE_ACCESS_DENIED' })
  })

  it('that must not be aborted fails with what failed first', async () => {
    server.answering = ({ query, method }) =>
      query.get('partNumber') === '2' || method === 'DELETE'
        ? s3Error(403, method === 'DELETE' ? 'AccessDenied' : 'SlowDown')
        : undefined
    await expect(storeOf(inParts).put('a', large)).rejects.toMatchObject({ code: 'STORE_THROTTLED' })
  })

  it('has at most so many parts under way, and reads no further', async () => {
    let running = 0
    let most = 0
    let read = 0
    server.answering = ({ query }) => {
      if (query.has('partNumber')) {
        // What was read and has not arrived before this one: parts overtake each other.
        most = Math.max(most, read - 5 * MIB * running)
        running += 1
      }
      return undefined
    }
    async function* body(): AsyncGenerator<Uint8Array> {
      for (let index = 0; index < 60; index += 1) {
        read += MIB
        yield Buffer.alloc(MIB, index)
      }
    }
    await storeOf({ ...inParts, concurrency: 2 }).put('a', body())
    expect(running).toBe(12)
    expect(most).toBeLessThanOrEqual(4 * 5 * MIB)
    expect(server.objects.get('calls/a')?.byteLength).toBe(60 * MIB)
  })

  it('whose body fails tells that, and not of the parts that were stopped', async () => {
    server.answering = ({ query }) => (query.has('partNumber') ? 'hang' : undefined)
    async function* body(): AsyncGenerator<Uint8Array> {
      yield large
      await vi.waitUntil(() => server.seen.some(({ query }) => query.has('partNumber')))
      throw new Error('the encoder died')
    }
    const putting = storeOf(inParts).put('a', body())
    await expect(putting).rejects.toMatchObject({ code: 'STORE_BODY_FAILED', cause: new Error('the encoder died') })
    expect(server.uploads.size).toBe(0)
  })

  it('that begins just when it is stopped is ended', async () => {
    const stop = new AbortController()
    server.answering = ({ query }) => {
      if (query.has('uploads')) stop.abort('enough')
      return undefined
    }
    const putting = storeOf(inParts).put('a', large, { signal: stop.signal })
    await expect(putting).rejects.toMatchObject({ code: 'STORE_ABORTED', cause: 'enough' })
    expect(server.seen.map(({ method }) => method)).toEqual(['POST', 'DELETE'])
    expect(server.uploads.size).toBe(0)
  })

  it('is one request when a stream ends within a part', async () => {
    await storeOf(inParts).put('a', Readable.from([large.subarray(0, 5 * MIB)]))
    expect(server.seen.map(({ method }) => method)).toEqual(['PUT'])
  })
})

describe('a file', () => {
  async function file(): Promise<string> {
    const path = join(folder, 'file')
    await writeFile(path, large)
    return path
  }

  it('that goes on sends the missing parts and asks for nothing else', async () => {
    const path = await file()
    let last: TransferCheckpoint = {}
    const onCheckpoint = (checkpoint: TransferCheckpoint): void => {
      last = JSON.parse(JSON.stringify(checkpoint)) as TransferCheckpoint
    }
    server.answering = ({ query }) => (query.get('partNumber') === '2' ? 'cut' : undefined)
    const store = storeOf({ ...inParts, concurrency: 1 })
    await expect(store.putFile('a', path, { onCheckpoint })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(last['parts']).toHaveLength(1)
    server.answering = () => undefined
    server.seen.length = 0
    expect(await store.putFile('a', path, { resumeFrom: last })).toMatchObject({ bytes: large.byteLength })
    expect(server.seen.map(({ method, query }) => `${method} ${query.get('partNumber') ?? ''}`)).toEqual([
      'PUT 2',
      'PUT 3',
      'POST ',
    ])
    expect(server.objects.get('calls/a')?.equals(large)).toBe(true)
  })

  it('whose checkpoint is of another place begins anew, and leaves that one alone', async () => {
    const path = await file()
    const { mtimeMs } = await stat(path)
    const resumeFrom = {
      version: 1,
      bucket: 'calls',
      objectKey: 'elsewhere',
      uploadId: 'upload-of-another',
      digest: 'MD5',
      partSize: 5 * MIB,
      size: large.byteLength,
      mtimeMs,
      parts: [],
    }
    const store = storeOf({ ...inParts, basePath: 'base' })
    await store.putFile('a', path, { resumeFrom })
    await store.abandon('a', resumeFrom)
    await store.abandon('a', { nonsense: true })
    expect(server.seen.some(({ query }) => query.get('uploadId') === 'upload-of-another')).toBe(false)
    expect(server.objects.get('calls/base/a')?.equals(large)).toBe(true)
  })

  it('that shrinks meanwhile is not stored, and nothing stays', async () => {
    const path = await file()
    server.answering = ({ query }) => {
      if (query.get('partNumber') === '1') void truncate(path, 6 * MIB)
      return undefined
    }
    const putting = storeOf({ ...inParts, concurrency: 1 }).putFile('a', path, { onCheckpoint: () => {} })
    await expect(putting).rejects.toMatchObject({ code: 'STORE_BODY_FAILED' })
    expect(server.objects.size).toBe(0)
    expect(server.uploads.size).toBe(0)
  })

  it('that is a folder, or not there, is told', async () => {
    for (const path of [folder, join(folder, 'missing')]) {
      await expect(storeOf().putFile('a', path)).rejects.toMatchObject({ code: 'STORE_BODY_FAILED', key: 'a' })
    }
  })
})

describe('a session that the service ends early', () => {
  it('is replaced once for all parts under way', async () => {
    let assumed = 0
    const until = new Date(Date.now() + 3_600_000).toISOString()
    const sts = await startS3LikeServer(() => {
      assumed += 1
      const keysOf = `<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T${assumed}</SessionToken>`
      const body = `<AssumeRoleResponse><AssumeRoleResult><Credentials>${keysOf}<Expiration>${until}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
      return { status: 200, headers: { 'content-type': 'text/xml' }, body }
    })
    try {
      const role = { arn: 'arn:aws:iam::123456789012:role/recorder', endpoint: sts.endpoint }
      const store = storeOf({ ...inParts, credentials: keys, role })
      server.answering = ({ query, headers }) =>
        query.has('partNumber') && headers['x-amz-security-token'] === 'T1' ? s3Error(400, 'ExpiredToken') : undefined
      await store.put('a', large)
      expect(server.objects.get('calls/a')?.equals(large)).toBe(true)
      expect(assumed).toBe(2)
      server.answering = () => s3Error(400, 'ExpiredToken')
      await expect(store.put('b', large)).rejects.toMatchObject({ code: 'STORE_CREDENTIALS_EXPIRED', retryable: true })
    } finally {
      await sts.close()
    }
  })

  it('is not waited for after the signal', async () => {
    const sts = await startS3LikeServer(() => 'hang')
    try {
      const role = { arn: 'arn:aws:iam::123456789012:role/recorder', endpoint: sts.endpoint }
      const store = storeOf({ credentials: keys, role })
      const stop = new AbortController()
      const putting = store.put('a', new Uint8Array(1), { signal: stop.signal })
      putting.catch(() => {})
      await vi.waitUntil(() => sts.seen.length > 0)
      stop.abort('enough')
      await expect(putting).rejects.toMatchObject({ code: 'STORE_ABORTED', cause: 'enough' })
    } finally {
      await sts.close()
    }
  })
})

describe('a list', () => {
  it('goes over pages, knows what S3 encodes, and leaves out what no key can name', async () => {
    const page = (names: readonly string[], next?: string): Answer => ({
      status: 200,
      headers: { 'content-type': 'application/xml' },
      body: `<ListBucketResult><IsTruncated>${next !== undefined}</IsTruncated>${next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`}${names.map((name) => `<Contents><Key>${name}</Key><Size>7</Size><LastModified>2026-11-21T00:00:00.000Z</LastModified></Contents>`).join('')}</ListBucketResult>`,
    })
    server.answering = ({ query }) => {
      if (query.get('list-type') !== '2') return undefined
      return query.get('continuation-token') === null
        ? page(['base/', 'base/a+b', 'base/a%2Bb', 'base/folder/'], 'more')
        : page(['base/%25', 'base/x//y', 'base/z%EF%BF%BF'])
    }
    const entries = []
    for await (const entry of storeOf({ list: true, basePath: 'base' }).list?.('p') ?? []) entries.push(entry)
    expect(entries.map(({ key }) => key)).toEqual(['a b', 'a+b', '%', 'z\uffff'])
    expect(entries[0]).toEqual({ key: 'a b', bytes: 7, modifiedAtMs: Date.UTC(2026, 10, 21) })
    expect(server.seen.map(({ query }) => query.get('prefix'))).toEqual(['base/p', 'base/p'])
  })
})

describe('a base path', () => {
  it('stands before every key that is ever asked for', async () => {
    const path = join(folder, 'file')
    await writeFile(path, 'x')
    const store = storeOf({ basePath: 'tenant/1', get: true, list: true, delete: true })
    const component = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom('..', '.', '', '%2e%2e', '\\..\\', 'a', '../..', '%00', '?', '#'),
    )
    const key = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
    await fc.assert(
      fc.asyncProperty(key, async (name) => {
        server.seen.length = 0
        const url = await store.urlFor(name).catch(() => undefined)
        if (url !== undefined) expect(new URL(url.url).pathname).toMatch(/^\/calls\/tenant\/1\/./)
        await store.put(name, new Uint8Array(1)).catch(() => {})
        await store.putFile(name, path).catch(() => {})
        await store.probe({ name })
        await store.get?.(name).then(
          (stream) => stream.resume(),
          () => {},
        )
        await store.delete?.(name).catch(() => {})
        for await (const _ of store.list?.(name) ?? []) break
        for (const request of server.seen) {
          const reached =
            request.path === 'calls' || request.path === 'calls/'
              ? `calls/${request.query.get('prefix')}`
              : request.path
          expect(reached.startsWith('calls/tenant/1/')).toBe(true)
        }
        for (const stored of server.objects.keys()) expect(stored.startsWith('calls/tenant/1/')).toBe(true)
      }),
      // Each run is up to nine requests.
      { numRuns: Number(process.env['RUSHES_PROPERTY_RUNS'] ?? 100) },
    )
  })
})
