import type { ReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { StoreError } from '../errors.js'
import type { PutOptions, Store, Stored, TransferCheckpoint } from '../store.js'
import { asStoreError } from './error-class.js'
import type { QueuedEntry } from './queued-entry.js'
import type { SpoolFiles } from './spool-files.js'
import type { SpoolTime } from './spool-time.js'
import { TokenBucket } from './token-bucket.js'

/** Bytes that may go out at once before the rate holds them back: a fifth of a second, but a block of the disk at least. */
const MIN_BURST_BYTES = 65_536

/** How entries get into the store. */
export class Transfers {
  readonly #store: Store
  readonly #files: SpoolFiles
  readonly #time: SpoolTime
  readonly #bucket: TokenBucket | undefined

  constructor(store: Store, files: SpoolFiles, time: SpoolTime, bytesPerSecond: number) {
    this.#store = store
    this.#files = files
    this.#time = time
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
    onCheckpoint: (checkpoint: TransferCheckpoint) => void,
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
      const stored = await this.#send(entry, signal, onCheckpoint)
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
    onCheckpoint: (checkpoint: TransferCheckpoint) => void,
  ): Promise<Stored> {
    const { id, key, contentType, cacheControl, checkpoint } = entry
    const options: PutOptions = {
      signal,
      ...(contentType === undefined ? {} : { contentType }),
      ...(cacheControl === undefined ? {} : { cacheControl }),
    }
    if (this.#bucket === undefined && this.#store.putFile !== undefined) {
      const resume = checkpoint === undefined ? {} : { resumeFrom: checkpoint }
      return this.#store.putFile(key, this.#files.pathOf(id), { ...options, ...resume, onCheckpoint })
    }
    return this.#sendStream(this.#files.read(id), key, options, signal)
  }

  async #sendStream(file: ReadStream, key: string, options: PutOptions, signal: AbortSignal): Promise<Stored> {
    // A store may reject without ever having looked at the body.
    file.on('error', () => {})
    const closed = new Promise<void>((resolve) => file.once('close', resolve))
    try {
      const body = this.#bucket === undefined ? file : this.#paced(file, this.#bucket, signal)
      return await this.#store.put(key, body, options)
    } finally {
      file.destroy()
      await closed
    }
  }

  async *#paced(file: Readable, bucket: TokenBucket, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    for await (const chunk of file as AsyncIterable<Uint8Array>) {
      const waitMs = bucket.take(chunk.byteLength, this.#time.nowMs())
      if (waitMs > 0) await this.#time.wait(waitMs, signal)
      yield chunk
    }
  }
}
