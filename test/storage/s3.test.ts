import { createHash } from 'node:crypto'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TransferCheckpoint } from '@rushes/storage-adapters'
import { storeContract } from '@rushes/storage-adapters/contract'
import { createS3Store, type S3Store, type S3StoreOptions, storagePolicy } from '@rushes/storage-adapters/s3'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { hasRadosgw, type Radosgw, startRadosgw } from '../servers/radosgw.js'
import { signedRequest } from '../servers/radosgw-request.js'
import { type StsGate, startStsGate } from '../servers/sts-gate.js'

const MIB = 1024 * 1024
const EXTERNAL_ID = 'tenant-42'

describe.skipIf(!hasRadosgw && !process.env['CI'])('a bucket with least rights', () => {
  let server: Radosgw
  let gate: StsGate
  /** May do what `storagePolicy` grants, below one prefix. */
  let roleArn: string
  /** May do what the consoles of recording services ask for, and nothing else. */
  let bareArn: string
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rushes-s3-'))
    server = await startRadosgw()
    await server.createBucket('recordings')
    const acl = 'bucket-owner-full-control'
    const { permissions } = storagePolicy({ bucket: 'recordings', basePath: 'calls', acl })
    roleArn = await server.createRole('recorder', permissions)
    bareArn = await server.createRole('bare', {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: ['s3:PutObject'], Resource: ['arn:aws:s3:::recordings/*'] },
        { Effect: 'Allow', Action: ['s3:GetBucketLocation'], Resource: ['arn:aws:s3:::recordings'] },
      ],
    })
    gate = await startStsGate(server.port, new Map([[roleArn, EXTERNAL_ID]]))
  })
  afterAll(async () => {
    await gate?.close()
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const settings = (changes: Partial<S3StoreOptions> = {}): S3StoreOptions => ({
    bucket: 'recordings',
    endpoint: server.endpoint,
    forcePathStyle: true,
    basePath: 'calls',
    acl: 'bucket-owner-full-control',
    credentials: server.recorder,
    role: { arn: roleArn, externalId: EXTERNAL_ID, endpoint: gate.url },
    ...changes,
  })
  const storeOf = (changes: Partial<S3StoreOptions> = {}): S3Store => createS3Store(settings(changes))
  /** By the keys themselves. */
  const storeByKeys = (changes: Partial<S3StoreOptions>): S3Store => {
    const { role: _, ...rest } = settings(changes)
    return createS3Store(rest)
  }
  const ownersStore = (changes: Partial<S3StoreOptions> = {}): S3Store =>
    storeByKeys({ credentials: server.owner, get: true, delete: true, ...changes })

  let count = 0
  storeContract({
    name: 'S3 by a role that may only put',
    describe,
    it,
    capabilities: { get: false, list: false, delete: false, resume: true, progress: true },
    create: async () => {
      count += 1
      const basePath = `calls/${count}`
      const store = storeOf({ basePath })
      return {
        store,
        read: (key) => server.read('recordings', `${basePath}/${key}`),
        dispose: async () => {
          expect(await server.openUploads('recordings')).toEqual([])
          await store.close()
        },
      }
    },
  })

  it('exactly s3:PutObject and s3:GetBucketLocation do, for requests of every size', async () => {
    const role = { arn: bareArn, endpoint: server.endpoint }
    const store = storeOf({ role, partSize: 5 * MIB, multipartThreshold: 6 * MIB })
    const bytes = randomLike(13 * MIB, 1)
    const path = join(folder, 'bare.mp4')
    await writeFile(path, bytes)
    expect(await store.probe({ name: 'test-file.json' })).toMatchObject({ ok: true })
    expect(await store.put('bare/small', bytes.subarray(0, 1000))).toMatchObject({ bytes: 1000 })
    expect(await store.put('bare/large', bytes)).toMatchObject({ bytes: bytes.length })
    expect(await store.put('bare/stream', inChunks(bytes, 700_001))).toMatchObject({ bytes: bytes.length })
    expect(await store.putFile('bare/file', path, { sha256: true })).toMatchObject({ sha256: sha256(bytes) })
    for (const key of ['large', 'stream', 'file']) {
      expect(sha256((await server.read('recordings', `calls/bare/${key}`)) ?? new Uint8Array(0))).toBe(sha256(bytes))
    }
    await expect(store.urlFor('bare/small')).rejects.toMatchObject({ code: 'STORE_CANNOT_SIGN' })
  })

  it('the policy grants nothing outside the base path', async () => {
    const store = storeOf({ basePath: 'others' })
    await expect(store.put('a', new Uint8Array(1))).rejects.toMatchObject({ code: 'STORE_ACCESS_DENIED', key: 'a' })
    const reader = storeOf({ get: true, list: true, delete: true })
    await expect(reader.get?.('a')).rejects.toMatchObject({ code: 'STORE_ACCESS_DENIED' })
    await expect(reader.delete?.('a')).rejects.toMatchObject({ code: 'STORE_ACCESS_DENIED' })
    const listing = async (): Promise<void> => {
      for await (const _ of reader.list?.() ?? []) break
    }
    await expect(listing()).rejects.toMatchObject({ code: 'STORE_ACCESS_DENIED' })
  })

  it('the role is assumed again in the middle of an upload, once for all parts under way', async () => {
    let now = Date.now()
    const store = storeOf({ now: () => now, partSize: 5 * MIB, concurrency: 4 })
    const bytes = randomLike(41 * MIB, 2)
    const before = gate.assumed()
    async function* body(): AsyncGenerator<Uint8Array> {
      for (let offset = 0; offset < bytes.length; offset += MIB) {
        // Each time there are parts under way, and more to come.
        if (offset === 12 * MIB) now += 56 * 60_000
        if (offset === 25 * MIB) {
          await vi.waitUntil(() => gate.assumed() - before === 2, { timeout: 60_000 })
          now += 56 * 60_000
        }
        yield bytes.subarray(offset, offset + MIB)
      }
    }
    await store.put('long', body())
    expect(gate.assumed() - before).toBe(3)
    expect(sha256((await server.read('recordings', 'calls/long')) ?? new Uint8Array(0))).toBe(sha256(bytes))
  })

  it('URLs of a separate signer work, tell their end, and stop working when they are tampered with', async () => {
    const store = storeOf({ signing: { credentials: server.owner } })
    await store.put('a key/ü+%.mp4', new Uint8Array([1, 2, 3]), { contentType: 'video/mp4', cacheControl: 'max-age=5' })
    const { url, expiresAtMs } = await store.urlFor('a key/ü+%.mp4')
    expect(Math.abs((expiresAtMs ?? 0) - Date.now() - 43_200_000)).toBeLessThan(5000)
    const answer = await fetch(url, { headers: { range: 'bytes=1-2' } })
    expect(answer.status).toBe(206)
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(new Uint8Array([2, 3]))
    expect(answer.headers.get('content-type')).toBe('video/mp4')
    expect(answer.headers.get('cache-control')).toBe('max-age=5')
    expect((await fetch(url.replace('%C3%BC', 'u'))).status).toBe(403)
    expect((await fetch(url.replace('X-Amz-Expires=43200', 'X-Amz-Expires=99999'))).status).toBe(403)
    const old = storeOf({ signing: { credentials: server.owner }, now: () => Date.now() - 7_200_000 })
    expect((await fetch((await old.urlFor('a key/ü+%.mp4', { expiresIn: 3600 })).url)).status).toBe(403)
  })

  it('a URL that a role signs ends with its session, whatever is asked for', async () => {
    const { permissions } = storagePolicy({ bucket: 'recordings', basePath: 'calls', get: true })
    const readerArn = await server.createRole('reader', permissions)
    const role = { arn: readerArn, endpoint: gate.url, durationSeconds: 900 }
    let now = Date.now()
    const store = storeOf({ role, get: true, now: () => now })
    await store.put('by-role', new Uint8Array(5))
    const first = await store.urlFor('by-role')
    expect(first.expiresAtMs).toBeLessThanOrEqual(Date.now() + 901_000)
    expect(first.expiresAtMs).toBeGreaterThan(Date.now() + 880_000)
    expect((await fetch(first.url)).status).toBe(200)
    // A session with little left is not signed with.
    now += 500_000
    const assumed = gate.assumed()
    const second = await store.urlFor('by-role')
    expect(gate.assumed()).toBe(assumed + 1)
    expect((second.expiresAtMs ?? 0) - now).toBeGreaterThan(880_000)
  })

  it('a session token without a known end cannot sign', async () => {
    const credentials = { ...server.owner, sessionToken: 'token' }
    const store = storeByKeys({ credentials, get: true })
    await expect(store.urlFor('a')).rejects.toMatchObject({ code: 'STORE_CANNOT_SIGN' })
    const known = storeByKeys({ credentials: { ...credentials, expiresAtMs: Date.now() + 60_000 }, get: true })
    expect((await known.urlFor('a')).expiresAtMs).toBeLessThanOrEqual(Date.now() + 60_000)
  })

  it('objects have the class, the tags and the metadata of the settings', async () => {
    const tags = { purpose: 'call recording', room: 'a+b=c' }
    const options = { tags, metadata: { recorder: 'rushes' }, storageClass: 'STANDARD' }
    const store = ownersStore({ ...options, partSize: 5 * MIB, multipartThreshold: 5 * MIB })
    for (const [key, size] of [['small', 10] as const, ['large', 6 * MIB] as const]) {
      await store.put(key, randomLike(size, 3), { contentType: 'video/mp4' })
      const answer = await fetch((await store.urlFor(key)).url)
      expect(answer.headers.get('x-amz-meta-recorder')).toBe('rushes')
      expect((await answer.arrayBuffer()).byteLength).toBe(size)
    }
    // Of the small one: this server forgets the tags of objects in parts.
    const request = { method: 'GET', path: '/recordings/calls/small', query: { tagging: '' } }
    const tagging = await (await signedRequest(server.endpoint, server.owner, request)).text()
    const found = [...tagging.matchAll(/<Key>(.*?)<\/Key><Value>(.*?)<\/Value>/g)].map(([, name, value]) => [
      name,
      value,
    ])
    expect(Object.fromEntries(found)).toEqual(tags)
  })

  describe('a large file', () => {
    const bytes = randomLike(32 * MIB + 17, 4)
    let path: string
    beforeAll(async () => {
      path = join(folder, 'large.mp4')
      await writeFile(path, bytes)
    })
    const resuming = { partSize: 5 * MIB, multipartThreshold: 6 * MIB, concurrency: 2 } as const

    /** Stops after some parts, and gives what was told last, as it comes back from a disk. */
    async function interrupted(store: S3Store, key: string, parts: number): Promise<TransferCheckpoint> {
      let last: TransferCheckpoint | undefined
      const stop = new AbortController()
      const putting = store.putFile(key, path, {
        signal: stop.signal,
        onCheckpoint: (checkpoint) => {
          last = checkpoint
          if ((checkpoint['parts'] as unknown[]).length === parts) stop.abort(new Error('the process ends'))
        },
      })
      await expect(putting).rejects.toMatchObject({ code: 'STORE_ABORTED', cause: new Error('the process ends') })
      return JSON.parse(JSON.stringify(last)) as TransferCheckpoint
    }

    it('goes on where it stood, in another process, with the rights to put alone', async () => {
      const resumeFrom = await interrupted(storeOf(resuming), 'resumed', 3)
      expect(await server.openUploads('recordings')).toEqual(['calls/resumed'])
      let told = 0
      const stored = await storeOf(resuming).putFile('resumed', path, {
        resumeFrom,
        sha256: true,
        onCheckpoint: () => {
          told += 1
        },
      })
      const kept = (resumeFrom['parts'] as unknown[]).length
      expect(told).toBe(7 - kept)
      expect(stored).toMatchObject({ bytes: bytes.length, sha256: sha256(bytes) })
      expect(sha256((await server.read('recordings', 'calls/resumed')) ?? new Uint8Array(0))).toBe(sha256(bytes))
      expect(await server.openUploads('recordings')).toEqual([])
    })

    it('begins anew where the store has forgotten the transfer', async () => {
      const store = storeOf(resuming)
      const resumeFrom = await interrupted(store, 'forgotten', 2)
      await store.abandon('forgotten', resumeFrom)
      expect(await server.openUploads('recordings')).toEqual([])
      await store.abandon('forgotten', resumeFrom)
      expect(await store.putFile('forgotten', path, { resumeFrom })).toMatchObject({ bytes: bytes.length })
      expect(sha256((await server.read('recordings', 'calls/forgotten')) ?? new Uint8Array(0))).toBe(sha256(bytes))
    })

    it('begins anew when the file is another one, and leaves nothing of the old transfer', async () => {
      const store = storeOf(resuming)
      const resumeFrom = await interrupted(store, 'changed', 2)
      await utimes(path, new Date(), new Date(Date.now() - 60_000))
      await store.putFile('changed', path, { resumeFrom })
      expect(sha256((await server.read('recordings', 'calls/changed')) ?? new Uint8Array(0))).toBe(sha256(bytes))
      expect(await server.openUploads('recordings')).toEqual([])
    })

    it('leaves nothing when nobody keeps a checkpoint', async () => {
      const stop = new AbortController()
      const putting = storeOf(resuming).putFile('aborted', path, { signal: stop.signal })
      setTimeout(() => stop.abort(), 40)
      await expect(putting).rejects.toMatchObject({ code: 'STORE_ABORTED' })
      expect(await server.openUploads('recordings')).toEqual([])
    })
  })
})

function randomLike(size: number, seed: number): Uint8Array {
  const bytes = new Uint32Array(Math.ceil(size / 4))
  let state = seed * 2_654_435_761
  for (let index = 0; index < bytes.length; index += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[index] = state
  }
  return new Uint8Array(bytes.buffer, 0, size)
}

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size)
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
