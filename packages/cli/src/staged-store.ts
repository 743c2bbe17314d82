import { join } from 'node:path'
import type {
  ProbeReport,
  PutFileOptions,
  PutOptions,
  Store,
  StoreBody,
  StoreCapabilities,
  Stored,
  StoreUrl,
} from '@rushes/storage-adapters'
import { putFile } from '@rushes/storage-adapters'
import { createLocalStore, type LocalStore } from '@rushes/storage-adapters/local'

/**
 * A store whose objects stand aside in `stageDir` until all of them are whole: a render that fails or is interrupted
 * leaves whatever an earlier one has made as it was. For a folder `stageDir` should be on the same disk.
 */
export class StagedStore implements Store {
  readonly name: string
  readonly capabilities: StoreCapabilities = { get: false, list: false, delete: true, signedUrls: false }
  readonly #stageDir: string
  readonly #final: Store
  readonly #stage: LocalStore
  /** In the order of their last put, so that no playlist gets its place before what it names. */
  readonly #keys = new Map<string, Pick<PutOptions, 'contentType' | 'cacheControl'>>()

  constructor(final: Store, stageDir: string) {
    this.#stageDir = stageDir
    this.#final = final
    this.#stage = createLocalStore({ root: stageDir })
    this.name = final.name
  }

  locationOf(key: string): string {
    return this.#final.locationOf(key)
  }

  async put(key: string, body: StoreBody, options?: PutOptions): Promise<Stored> {
    return this.#remember(key, await this.#stage.put(key, body, options), options)
  }

  async putFile(key: string, path: string, options?: PutFileOptions): Promise<Stored> {
    return this.#remember(key, await this.#stage.putFile(key, path, options), options)
  }

  async delete(key: string, options?: { readonly signal?: AbortSignal }): Promise<void> {
    this.#keys.delete(key)
    await this.#stage.delete(key, options)
  }

  urlFor(key: string): Promise<StoreUrl> {
    return this.#final.urlFor(key)
  }

  probe(options: { readonly name: string; readonly signal?: AbortSignal }): Promise<ProbeReport> {
    return this.#final.probe(options)
  }

  /** Brings everything to its place. */
  async commit(signal?: AbortSignal): Promise<void> {
    for (const [key, options] of this.#keys) {
      await putFile(this.#final, key, join(this.#stageDir, ...key.split('/')), {
        ...options,
        ...(signal === undefined ? {} : { signal }),
        move: true,
      })
    }
    this.#keys.clear()
  }

  #remember(key: string, stored: Stored, { contentType, cacheControl }: PutOptions = {}): Stored {
    this.#keys.delete(key)
    this.#keys.set(key, {
      ...(contentType === undefined ? {} : { contentType }),
      ...(cacheControl === undefined ? {} : { cacheControl }),
    })
    return { ...stored, location: this.locationOf(key) }
  }
}
