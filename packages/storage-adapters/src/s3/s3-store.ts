import { rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { StoreError } from '../errors.js'
import { FileBuffers } from '../file-buffers.js'
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
import { checkStoreKey, encodeStoreKey, joinStoreKey, MAX_KEY_BYTES } from '../store-key.js'
import { type Uploaded, uploadBody } from './body-upload.js'
import { uploadFile } from './file-upload.js'
import { probeS3 } from './probe.js'
import { S3Access } from './s3-client.js'
import type { S3StoreOptions } from './s3-options.js'
import { S3Requests } from './s3-requests.js'
import { resolveS3Settings, type S3Settings } from './s3-settings.js'
import { signedUrl } from './signed-url.js'
import { parseCheckpoint } from './upload-checkpoint.js'

/** A store in a bucket. */
export type S3Store = Store & Required<Pick<Store, 'putFile' | 'abandon' | 'close'>>

/**
 * A store in a bucket of Amazon S3, or of another service that speaks S3. It needs no right but `s3:PutObject`; `get`,
 * `list` and `delete` say which others the credentials have.
 * @throws ConfigurationError
 */
export function createS3Store(options: S3StoreOptions): S3Store {
  return new BucketStore(resolveS3Settings(options))
}

class BucketStore implements S3Store {
  readonly name: string
  readonly capabilities: StoreCapabilities
  readonly get?: NonNullable<Store['get']>
  readonly list?: NonNullable<Store['list']>
  readonly delete?: NonNullable<Store['delete']>
  readonly #settings: S3Settings
  readonly #access: S3Access
  readonly #signer: S3Access | undefined
  readonly #requests: S3Requests
  readonly #buffers: FileBuffers
  #closed = false

  constructor(settings: S3Settings) {
    this.#settings = settings
    this.#access = new S3Access(settings, settings)
    if (settings.signing !== undefined) this.#signer = new S3Access(settings, settings.signing)
    else if (settings.get) this.#signer = this.#access
    this.#requests = new S3Requests(settings, this.#access)
    this.#buffers = new FileBuffers(settings.fileBufferBytes)
    this.name = `s3 ${joinStoreKey(settings.bucket, settings.basePath).replace(/\/$/, '')}`
    const { get, list, delete: remove } = settings
    this.capabilities = {
      get,
      list,
      delete: remove,
      signedUrls: this.#signer !== undefined,
      resume: true,
      progress: true,
    }
    if (get) this.get = (key, given = {}) => this.#get(key, given.signal)
    if (list) this.list = (prefix = '', given = {}) => this.#list(prefix, given.signal)
    if (remove) this.delete = (key, given = {}) => this.#delete(key, given.signal)
  }

  locationOf(key: string): string {
    return `s3://${this.#settings.bucket}/${encodeStoreKey(this.#objectKey(key))}`
  }

  async put(key: string, body: StoreBody, options: PutOptions = {}): Promise<Stored> {
    const objectKey = this.#open(key)
    return this.#stored(key, await uploadBody(this.#requests, this.#settings, objectKey, body, options))
  }

  async putFile(key: string, path: string, options: PutFileOptions = {}): Promise<Stored> {
    const objectKey = this.#open(key)
    const stored = this.#stored(
      key,
      await uploadFile(this.#requests, this.#settings, objectKey, path, options, this.#buffers),
    )
    if (options.move === true) await rm(path, { force: true })
    return stored
  }

  async abandon(key: string, checkpoint: TransferCheckpoint): Promise<void> {
    const objectKey = this.#open(key)
    const kept = parseCheckpoint(checkpoint)
    // Another key's transfer is not this one's to end, and may lie outside the base path.
    if (kept === undefined || kept.bucket !== this.#settings.bucket || kept.objectKey !== objectKey) return
    await this.#requests.abortUpload(kept)
  }

  async urlFor(key: string, options: { readonly expiresIn?: number } = {}): Promise<StoreUrl> {
    return signedUrl(this.#signer, this.#settings, { key, objectKey: this.#open(key) }, options.expiresIn)
  }

  async probe(options: { readonly name: string; readonly signal?: AbortSignal }): Promise<ProbeReport> {
    return probeS3(this, this.#settings, this.#access, this.#requests, options)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#access.close()
    this.#signer?.close()
  }

  async #get(key: string, signal: AbortSignal | undefined): Promise<Readable> {
    const objectKey = this.#open(key)
    throwIfAborted(signal)
    return this.#requests.getObject(objectKey, signal)
  }

  async *#list(prefix: string, signal: AbortSignal | undefined): AsyncGenerator<StoreEntry, void, undefined> {
    this.#throwIfClosed()
    const base = this.#settings.basePath === '' ? '' : `${this.#settings.basePath}/`
    let token: string | undefined
    do {
      throwIfAborted(signal)
      const page = await this.#requests.listPage(base + prefix, token, signal)
      for (const { Key: encoded, Size: bytes = 0, LastModified: modified } of page.Contents ?? []) {
        const key = decodeListed(encoded ?? '').slice(base.length)
        // Objects of others that no key of ours can name, such as the empty ones that stand for folders.
        if (!isKey(key)) continue
        yield { key, bytes, ...(modified === undefined ? {} : { modifiedAtMs: modified.getTime() }) }
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (token !== undefined)
  }

  async #delete(key: string, signal: AbortSignal | undefined): Promise<void> {
    const objectKey = this.#open(key)
    throwIfAborted(signal)
    await this.#requests.deleteObject(objectKey, signal)
  }

  #open(key: string): string {
    const objectKey = this.#objectKey(key)
    this.#throwIfClosed()
    return objectKey
  }

  #objectKey(key: string): string {
    checkStoreKey(key)
    const objectKey = joinStoreKey(this.#settings.basePath, key)
    if (Buffer.byteLength(objectKey) > MAX_KEY_BYTES) {
      const message = `the key must have at most ${MAX_KEY_BYTES} bytes together with the base path`
      throw new StoreError('STORE_BAD_KEY', message, { key })
    }
    return objectKey
  }

  #throwIfClosed(): void {
    if (this.#closed) throw new StoreError('STORE_CLOSED', `the store ${this.name} was closed`)
  }

  #stored(key: string, uploaded: Uploaded): Stored {
    return { ...uploaded, location: this.locationOf(key) }
  }
}

/** A key of a list in the encoding `url`: S3 writes a blank as a plus sign. */
function decodeListed(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', '%20'))
  } catch {
    return encoded
  }
}

function isKey(key: string): boolean {
  try {
    checkStoreKey(key)
    return true
  } catch {
    return false
  }
}
