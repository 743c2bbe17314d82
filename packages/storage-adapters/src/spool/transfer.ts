import type { Readable } from 'node:stream'
import { StoreError } from '../errors.js'
import type { PutOptions, Store, Stored, TransferCheckpoint } from '../store.js'
import { withFileStream } from '../with-file-stream.js'
import { asStoreError } from './error-class.js'
import type { QueuedEntry } from './queued-entry.js'
import type { SpoolFiles } from './spool-files.js'
import type { SpoolTime } from './spool-time.js'
import { StallWatch } from './stall-watch.js'
import { TokenBucket } from './token-bucket.js'

/** Bytes that may go out at once before the rate holds them back: a fifth of a second, but a block of the disk at least. */
const MIN_BURST_BYTES = 65_536

/** How entries get into the store. */
export class Transfers {
  /** Transfers that were stopped because nothing moved. */
  stalled = 0
  readonly #store: Store
  readonly #files: SpoolFiles
  readonly #time: SpoolTime
  readonly #stallMs: number
  readonly #bucket: TokenBucket | undefined

  constructor(
    store: Store,
    files: SpoolFiles,
    time: SpoolTime,
    { bytesPerSecond, stallMs }: { readonly bytesPerSecond: number; readonly stallMs: number },
  ) {
    this.#store = store
    this.#files = files
    this.#time = time
    // Of a store that says nothing nobody knows whether it is slow or dead.
    this.#stallMs = store.capabilities.progress === true ? stallMs : Infinity
    if (bytesPerSecond < Infinity) {
      this.#bucket = new TokenBucket(bytesPerSecond, Math.max(MIN_BURST_BYTES, bytesPerSecond / 5))
    }
  }

  /**
   * Does what the entry says. `onCheckpoint` is told how far a large file has got.
   * @throws StoreError
   */
  async run(
    entry: QueuedEntry,
    signal: AbortSignal,
    onCheckpoint: (checkpoint: TransferCheckpoint) => Promise<void>,
  ): Promise<Stored | undefined> {
    const { key } = entry
    if (this.#stallMs === Infinity) return this.#run(entry, signal, onCheckpoint, undefined)
    const stall = new AbortController()
    const watch = new StallWatch(this.#time, this.#stallMs, (stillMs) => {
      this.stalled += 1
      const message = `${key}: nothing moved for ${stillMs} ms`
      stall.abort(new StoreError('STORE_UNAVAILABLE', message, { key }))
    })
    try {
      return await this.#run(entry, AbortSignal.any([signal, stall.signal]), onCheckpoint, watch)
    } catch (error) {
      throw stall.signal.aborted && !signal.aborted ? stall.signal.reason : error
    } finally {
      watch.stop()
    }
  }

  async #run(
    entry: QueuedEntry,
    signal: AbortSignal,
    onCheckpoint: (checkpoint: TransferCheckpoint) => Promise<void>,
    watch: StallWatch | undefined,
  ): Promise<Stored | undefined> {
    const { key } = entry
    try {
      if (entry.kind === 'delete') {
        await this.#store.delete?.(key, { signal })
        return undefined
      }
      const found = await this.#files.bytesOf(entry.id)
      if (found !== entry.bytes) {
        const what = found === undefined ? 'is gone' : `has ${found} bytes instead of ${entry.bytes}`
        throw new StoreError('STORE_BODY_FAILED', `${key}: the local copy ${what}`, { key })
      }
      const stored = await this.#send(entry, signal, onCheckpoint, watch)
      if (stored.bytes !== entry.bytes) {
        const message = `${key}: the store took ${stored.bytes} bytes of ${entry.bytes}`
        throw new StoreError('STORE_CORRUPTED', message, { key })
      }
      return stored
    } catch (error) {
      throw asStoreError(error, key)
    }
  }

  #send(
    entry: QueuedEntry,
    signal: AbortSignal,
    onCheckpoint: (checkpoint: TransferCheckpoint) => Promise<void>,
    watch: StallWatch | undefined,
  ): Promise<Stored> {
    const { id, key, contentType, cacheControl, checkpoint } = entry
    const options: PutOptions = {
      signal,
      ...(watch === undefined ? {} : { onProgress: watch.moved }),
      ...(contentType === undefined ? {} : { contentType }),
      ...(cacheControl === undefined ? {} : { cacheControl }),
    }
    if (this.#bucket === undefined && this.#store.putFile !== undefined) {
      const resume = checkpoint === undefined ? {} : { resumeFrom: checkpoint }
      return this.#store.putFile(key, this.#files.pathOf(id), { ...options, ...resume, onCheckpoint })
    }
    return withFileStream(this.#files.read(id), (file) => {
      const body = this.#bucket === undefined ? file : this.#paced(file, this.#bucket, signal, watch)
      return this.#store.put(key, body, options)
    })
  }

  async *#paced(
    file: Readable,
    bucket: TokenBucket,
    signal: AbortSignal,
    watch: StallWatch | undefined,
  ): AsyncGenerator<Uint8Array> {
    for await (const chunk of file as AsyncIterable<Uint8Array>) {
      const waitMs = bucket.take(chunk.byteLength, this.#time.nowMs())
      if (waitMs > 0) {
        const waiting = this.#time.wait(waitMs, signal)
        await (watch === undefined ? waiting : watch.pause(waiting))
      }
      yield chunk
    }
  }
}
