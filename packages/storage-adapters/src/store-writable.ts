import { addAbortSignal, Writable } from 'node:stream'
import type { OutputObject } from '@rushes/media'
import { StoreError } from './errors.js'
import type { Store, Stored } from './store.js'
import { joinStoreKey } from './store-key.js'

/** How objects go into a store. */
export interface StoreWritableOptions {
  /** Stands before every name, with a slash between. @defaultValue none */
  readonly prefix?: string
  /** Destroys the stream and stops the transfer under way. */
  readonly signal?: AbortSignal
  /** Told of each object once it is stored. */
  readonly onStored?: (stored: Stored & { readonly name: string; readonly key: string }) => void
  /** Objects that wait before the writer is asked to. A segment may have megabytes. @defaultValue 2 */
  readonly highWaterMark?: number
}

class ObjectWritable extends Writable {
  readonly #store: Store
  readonly #options: StoreWritableOptions
  readonly #transfer = new AbortController()
  #running: Promise<void> = Promise.resolve()

  constructor(store: Store, options: StoreWritableOptions) {
    super({ objectMode: true, highWaterMark: options.highWaterMark ?? 2 })
    this.#store = store
    this.#options = options
  }

  // One after the other: a playlist is only sent when the segments before it are stored.
  override _write(object: OutputObject, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#running = this.#put(object).then(
      // A store may finish what was to be stopped; the stream still must not end as if everything had been stored.
      () => callback(this.destroyed ? (this.errored ?? stopped()) : null),
      (error: unknown) => callback(error as Error),
    )
  }

  // 'close' comes when the store has tidied up behind a transfer that was stopped.
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#transfer.abort(error ?? undefined)
    const done = (): void => callback(error)
    this.#running.then(done, done)
  }

  async #put(object: OutputObject): Promise<void> {
    const { name, contentType, cacheControl, body } = object
    const key = joinStoreKey(this.#options.prefix, name)
    const stored = await this.#store.put(key, body, {
      contentType,
      signal: this.#transfer.signal,
      ...(cacheControl === undefined ? {} : { cacheControl }),
    })
    this.#options.onStored?.({ ...stored, name, key })
  }
}

function stopped(): StoreError {
  return new StoreError('STORE_ABORTED', 'the stream was destroyed before everything was stored')
}

/**
 * A Writable that puts what it is given into `store`, one object after the other in their order, so that a playlist
 * never names what is not stored. A failed put destroys it with the store's error; it does not try again.
 */
export function createStoreWritable(store: Store, options: StoreWritableOptions = {}): Writable {
  const writable = new ObjectWritable(store, options)
  if (options.signal !== undefined) addAbortSignal(options.signal, writable)
  return writable
}
