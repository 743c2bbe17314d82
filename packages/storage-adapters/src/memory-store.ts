import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { StoreError } from './errors.js'
import { probeStore } from './probe-store.js'
import type {
  ProbeReport,
  PutOptions,
  Store,
  StoreBody,
  StoreCapabilities,
  Stored,
  StoreEntry,
  StoreUrl,
} from './store.js'
import { readBody, throwIfAborted } from './store-body.js'
import { checkStoreKey, encodeStoreKey } from './store-key.js'

/** An object in memory. */
export interface MemoryObject {
  readonly data: Uint8Array
  readonly contentType?: string
  readonly cacheControl?: string
}

/** A store in memory, for tests and short-lived tools. */
export interface MemoryStore extends Store {
  /** What is stored, by key, in the order in which it was first put. */
  readonly objects: ReadonlyMap<string, MemoryObject>
}

/** How a store in memory behaves. */
export interface MemoryStoreOptions {
  /** Bytes of all objects together; a put beyond is refused with `STORE_NO_SPACE`. @defaultValue 1 GiB */
  readonly maxBytes?: number
}

/** Creates an empty store in memory. */
export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  return new Memory(options.maxBytes ?? 1024 ** 3)
}

class Memory implements MemoryStore {
  readonly name = 'memory'
  readonly capabilities: StoreCapabilities = { get: true, list: true, delete: true, signedUrls: false }
  readonly #maxBytes: number
  readonly #objects = new Map<string, MemoryObject & { readonly modifiedAtMs: number }>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get objects(): ReadonlyMap<string, MemoryObject> {
    return this.#objects
  }

  locationOf(key: string): string {
    checkStoreKey(key)
    return `memory:///${encodeStoreKey(key)}`
  }

  async put(key: string, body: StoreBody, options: PutOptions = {}): Promise<Stored> {
    checkStoreKey(key)
    const chunks: Uint8Array[] = []
    let bytes = 0
    await readBody(body, options.signal, (chunk) => {
      bytes += chunk.byteLength
      if (this.#bytes + bytes > this.#maxBytes) {
        throw new StoreError('STORE_NO_SPACE', `the store in memory is full (${this.#maxBytes} bytes)`, { key })
      }
      // A copy: the caller may use its buffer again.
      chunks.push(chunk.slice())
    })
    const data = new Uint8Array(Buffer.concat(chunks))
    const { contentType, cacheControl } = options
    this.#bytes += bytes - (this.#objects.get(key)?.data.byteLength ?? 0)
    this.#objects.set(key, {
      data,
      modifiedAtMs: Date.now(),
      ...(contentType === undefined ? {} : { contentType }),
      ...(cacheControl === undefined ? {} : { cacheControl }),
    })
    const sha256 = options.sha256 === true ? { sha256: createHash('sha256').update(data).digest('hex') } : {}
    return { bytes, location: this.locationOf(key), ...sha256 }
  }

  async urlFor(key: string): Promise<StoreUrl> {
    return { url: this.locationOf(key) }
  }

  probe(options: { readonly name: string; readonly signal?: AbortSignal }): Promise<ProbeReport> {
    return probeStore(this, options, () => ({}))
  }

  async get(key: string, options: { readonly signal?: AbortSignal } = {}): Promise<Readable> {
    checkStoreKey(key)
    throwIfAborted(options.signal)
    const object = this.#objects.get(key)
    if (object === undefined) throw new StoreError('STORE_NOT_FOUND', `there is no object ${key}`, { key })
    const signal = options.signal === undefined ? {} : { signal: options.signal }
    return Readable.from(object.data.byteLength === 0 ? [] : [Buffer.from(object.data)], {
      objectMode: false,
      ...signal,
    })
  }

  async *list(
    prefix = '',
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<StoreEntry, void, undefined> {
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix))
    for (const key of keys.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))) {
      throwIfAborted(options.signal)
      const object = this.#objects.get(key)
      if (object !== undefined) yield { key, bytes: object.data.byteLength, modifiedAtMs: object.modifiedAtMs }
    }
  }

  async delete(key: string, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    checkStoreKey(key)
    throwIfAborted(options.signal)
    this.#bytes -= this.#objects.get(key)?.data.byteLength ?? 0
    this.#objects.delete(key)
  }
}
