import { createHash } from 'node:crypto'
import { rm, stat } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { addAbortSignal, Readable } from 'node:stream'
import { StoreError } from '../errors.js'
import { FileBuffers } from '../file-buffers.js'
import { probeStore } from '../probe-store.js'
import type {
  ProbeReport,
  PutFileOptions,
  PutOptions,
  Store,
  StoreBody,
  StoreCapabilities,
  Stored,
  StoreEntry,
  StoreUrl,
  TransferCheckpoint,
} from '../store.js'
import { throwIfAborted } from '../store-body.js'
import { checkStoreKey, encodeStoreKey, joinStoreKey } from '../store-key.js'
import type { BodyPart } from './body-part.js'
import { Crc64 } from './crc64.js'
import { OssClient } from './oss-client.js'
import { OssFault } from './oss-error.js'
import { abandonCheckpoint, readFilePart, unreadable, uploadFile } from './oss-file-upload.js'
import { MAX_V4_URL_SECONDS, type OssSettings, type OssStoreOptions, ossSettings } from './oss-options.js'
import { ossAdvice } from './oss-probe.js'
import { uploadStream } from './oss-stream-upload.js'
import { checkCrc64, type UploadTarget } from './oss-upload.js'

/** The longest key that OSS takes, with the base path, in bytes of UTF-8. */
const MAX_NAME_BYTES = 1023

/** A store in a bucket of Alibaba Cloud OSS. `get`, `list` and `delete` are there where the options say so. */
export type OssStore = Store & Required<Pick<Store, 'putFile' | 'abandon' | 'close'>>

/**
 * A store in a bucket of Alibaba Cloud OSS, by ali-oss. Needs no more than the right `oss:PutObject` on what is below the
 * base path.
 * @throws ConfigurationError
 */
export function createOssStore(options: OssStoreOptions): OssStore {
  return new BucketStore(ossSettings(options))
}

class BucketStore implements OssStore {
  readonly name: string
  readonly capabilities: StoreCapabilities
  readonly get?: NonNullable<Store['get']>
  readonly list?: NonNullable<Store['list']>
  readonly delete?: NonNullable<Store['delete']>
  readonly #settings: OssSettings
  readonly #client: OssClient
  readonly #buffers: FileBuffers
  readonly #running = new Set<Promise<unknown>>()
  #closed = false

  constructor(settings: OssSettings) {
    this.#settings = settings
    this.#client = new OssClient(settings)
    this.#buffers = new FileBuffers(settings.fileBufferBytes)
    const { rights } = settings
    this.name = `oss ${joinStoreKey(settings.bucket, settings.basePath)}`
    this.capabilities = {
      ...rights,
      signedUrls: rights.get || settings.signing !== undefined,
      resume: true,
      progress: true,
    }
    if (rights.get) this.get = (key, options) => this.#get(key, options?.signal)
    if (rights.list) this.list = (prefix, options) => this.#list(prefix ?? '', options?.signal)
    if (rights.delete) this.delete = (key, options) => this.#run(() => this.#delete(key, options?.signal))
  }

  locationOf(key: string): string {
    return `oss://${this.#settings.bucket}/${encodeStoreKey(this.#nameOf(key))}`
  }

  async put(key: string, body: StoreBody, options: PutOptions = {}): Promise<Stored> {
    return this.#run(() => this.#put(this.#target(key, options), body, options))
  }

  async putFile(key: string, path: string, options: PutFileOptions = {}): Promise<Stored> {
    return this.#run(async () => {
      const target = this.#target(key, options)
      throwIfAborted(options.signal)
      const info = await stat(path).catch((cause: unknown) => unreadable(path, key, cause))
      if (!info.isFile()) unreadable(path, key, new Error('it is no file'))
      const stored = await (info.size <= this.#settings.partSize
        ? this.#putSmallFile(target, path, info.size, options)
        : this.#putLargeFile(target, path, options))
      if (options.move === true) await rm(path, { force: true })
      return stored
    })
  }

  async abandon(key: string, checkpoint: TransferCheckpoint): Promise<void> {
    return this.#run(() => abandonCheckpoint(this.#target(key, {}), this.#settings.bucket, checkpoint))
  }

  async urlFor(key: string, options: { readonly expiresIn?: number } = {}): Promise<StoreUrl> {
    return this.#run(async () => {
      const name = this.#nameOf(key)
      const { urlExpiresIn, v4 } = this.#settings
      const expiresIn = options.expiresIn ?? urlExpiresIn
      if (!Number.isInteger(expiresIn) || expiresIn < 1) {
        throw new StoreError('STORE_CANNOT_SIGN', `expiresIn must be whole seconds from 1, got ${expiresIn}`, { key })
      }
      if (!this.capabilities.signedUrls) {
        const message = 'these credentials may not read: set `get` if they may, or `signing` to some that may'
        throw new StoreError('STORE_CANNOT_SIGN', message, { key })
      }
      return this.#client.signedUrl(key, name, v4 ? Math.min(expiresIn, MAX_V4_URL_SECONDS) : expiresIn)
    })
  }

  async probe(options: { readonly name: string; readonly signal?: AbortSignal }): Promise<ProbeReport> {
    let failure: unknown
    const report = await probeStore(this, options, (error) => {
      failure = error
      return {}
    })
    if (!(failure instanceof StoreError)) return report
    const fault = failure.cause instanceof OssFault ? failure.cause : undefined
    const denied = fault?.code === 'AccessDenied'
    const mayAskLocation = denied && (await this.#client.mayAskLocation(options.signal))
    const requestId = fault?.requestId
    return {
      ...report,
      ...ossAdvice(failure, this.#settings, mayAskLocation),
      ...(requestId === undefined ? {} : { requestId }),
    }
  }

  /** Waits for what is under way, and closes all connections, those of streams that are being read too. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#running)
    this.#client.close()
  }

  async #put(target: UploadTarget, body: StoreBody, options: PutOptions): Promise<Stored> {
    const headers = this.#objectHeaders(options)
    const hash = options.sha256 === true ? createHash('sha256') : undefined
    const seen = (chunk: Uint8Array): void => {
      hash?.update(chunk)
    }
    const { partSize } = this.#settings
    const read = await uploadStream(target, body, { ...headers, partSize, seen })
    const { etag, bytes } = 'single' in read ? await this.#putPart(target, read.single, headers) : read
    return this.#stored(target.key, bytes, etag, hash?.digest('hex'))
  }

  async #putSmallFile(target: UploadTarget, path: string, size: number, options: PutFileOptions): Promise<Stored> {
    const { resumeFrom, signal, onProgress } = options
    // The file was larger, or the parts smaller, when that began.
    if (resumeFrom !== undefined) await abandonCheckpoint(target, this.#settings.bucket, resumeFrom).catch(() => {})
    const hash = options.sha256 === true ? createHash('sha256') : undefined
    const buffer = await this.#buffers.take(size, signal, () => onProgress?.(0))
    try {
      const part = await readFilePart(target, path, buffer, hash)
      const { etag, bytes } = await this.#putPart(target, part, this.#objectHeaders(options))
      return this.#stored(target.key, bytes, etag, hash?.digest('hex'))
    } finally {
      this.#buffers.give(buffer)
    }
  }

  async #putLargeFile(target: UploadTarget, path: string, options: PutFileOptions): Promise<Stored> {
    const { bucket, partSize } = this.#settings
    const { onCheckpoint, resumeFrom, sha256 = false } = options
    const headers = this.#objectHeaders(options)
    const done = await uploadFile(target, path, {
      ...headers,
      bucket,
      partSize,
      sha256,
      buffers: this.#buffers,
      onCheckpoint,
      resumeFrom,
    })
    return this.#stored(target.key, done.bytes, done.etag, done.sha256)
  }

  /** Puts bytes that are all there in one request. */
  async #putPart(
    { key, name, signal, onProgress }: UploadTarget,
    part: BodyPart,
    options: { readonly headers: Readonly<Record<string, string>>; readonly mime?: string },
  ): Promise<{ readonly etag: string | undefined; readonly bytes: number }> {
    const { bytes } = part
    const crc64 = part.crc64()
    const headers = { ...options.headers, 'Content-MD5': part.md5() }
    const answer = await this.#client.call(key, signal, (api) =>
      bytes === 0
        ? api.put(name, Buffer.alloc(0), { ...options, headers })
        : api.putStream(name, part.stream(onProgress), { ...options, headers, contentLength: bytes }),
    )
    checkCrc64(key, crc64, answer.res.headers)
    return { etag: answer.res.headers['etag'], bytes }
  }

  async #get(key: string, signal: AbortSignal | undefined): Promise<Readable> {
    return this.#run(async () => {
      const name = this.#nameOf(key)
      const answer = await this.#client.call(key, signal, (api) => api.getStream(name))
      const stream = Readable.from(checkedBody(key, answer.stream), { objectMode: false, highWaterMark: 262_144 })
      return signal === undefined ? stream : addAbortSignal(signal, stream)
    })
  }

  async *#list(prefix: string, signal: AbortSignal | undefined): AsyncGenerator<StoreEntry, void, undefined> {
    const { basePath } = this.#settings
    const base = basePath === '' ? '' : `${basePath}/`
    const query = { prefix: base + prefix, 'max-keys': '1000', 'encoding-type': 'url' }
    let token: string | null = null
    do {
      const page: Record<string, string> = token === null ? { ...query } : { ...query, 'continuation-token': token }
      const answer = await this.#run(() => this.#client.call(undefined, signal, (api) => api.listV2({ ...page })))
      for (const object of answer.objects) {
        throwIfAborted(signal)
        const key = decodeURIComponent(object.name.replaceAll('+', '%20')).slice(base.length)
        if (isStoreKey(key)) yield { key, bytes: object.size, modifiedAtMs: Date.parse(object.lastModified) }
      }
      token = answer.nextContinuationToken
    } while (token !== null)
  }

  async #delete(key: string, signal: AbortSignal | undefined): Promise<void> {
    const name = this.#nameOf(key)
    await this.#client.call(key, signal, (api) => api.delete(name))
  }

  #target(key: string, { signal, onProgress }: Pick<PutOptions, 'signal' | 'onProgress'>): UploadTarget {
    const { concurrency } = this.#settings
    const progress = onProgress === undefined ? {} : { onProgress }
    return { client: this.#client, key, name: this.#nameOf(key), concurrency, signal, ...progress }
  }

  #objectHeaders({ contentType, cacheControl }: PutOptions): { headers: Record<string, string>; mime?: string } {
    const headers: Record<string, string> = { ...this.#settings.objectHeaders }
    if (cacheControl !== undefined) headers['Cache-Control'] = cacheControl
    return { headers, ...(contentType === undefined ? {} : { mime: contentType }) }
  }

  #stored(key: string, bytes: number, etag: string | undefined, sha256: string | undefined): Stored {
    return {
      bytes,
      location: this.locationOf(key),
      ...(etag === undefined ? {} : { etag: etag.replace(/^"|"$/g, '') }),
      ...(sha256 === undefined ? {} : { sha256 }),
    }
  }

  /** The key in the bucket. It always lies below the base path: what would lead out of it is no key. */
  #nameOf(key: string): string {
    checkStoreKey(key)
    const name = joinStoreKey(this.#settings.basePath, key)
    if (Buffer.byteLength(name) > MAX_NAME_BYTES) {
      throw new StoreError('STORE_BAD_KEY', `the key has more than ${MAX_NAME_BYTES} bytes with its base path`, { key })
    }
    if (name.startsWith('\\'))
      throw new StoreError('STORE_BAD_KEY', 'OSS has no keys that start with a backslash', { key })
    return name
  }

  async #run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#closed) throw new StoreError('STORE_CLOSED', `the store ${this.name} was closed`)
    const running = work()
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }
}

/** The bytes of an object, compared with the CRC-64 that OSS keeps of it. */
async function* checkedBody(key: string, message: IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> {
  const crc64 = new Crc64()
  try {
    for await (const chunk of message) {
      crc64.update(chunk as Uint8Array)
      yield chunk as Uint8Array
    }
  } catch (cause) {
    throw new StoreError('STORE_UNAVAILABLE', `the object ${key} broke off while it was read`, { cause, key })
  }
  checkCrc64(key, crc64.digest(), message.headers as Readonly<Record<string, string | undefined>>)
}

/** Others may have put what is no key here, such as the folders that the console makes. */
function isStoreKey(key: string): boolean {
  try {
    checkStoreKey(key)
    return true
  } catch {
    return false
  }
}
