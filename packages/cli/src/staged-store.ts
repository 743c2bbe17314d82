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
import { createLocalStore, type LocalStore } from '@rushes/storage-adapters/local'

/**
 * A local store whose objects stand aside in `stageDir` until all of them are whole: a render that fails or is
 * interrupted leaves whatever an earlier one has made as it was. Both folders should be on one disk.
 */
export class StagedStore implements Store {
  readonly name: string
  readonly capabilities: StoreCapabilities = { get: false, list: false, delete: true, signedUrls: false }
  readonly #stageDir: string
  readonly #final: LocalStore
  readonly #stage: LocalStore
  /** In the order of their last put, so that no playlist gets its place before what it names. */
  readonly #keys = new Set<string>()

  constructor(root: string, stageDir: string) {
    this.#stageDir = stageDir
    this.#final = createLocalStore({ root })
    this.#stage = createLocalStore({ root: stageDir })
    this.name = this.#final.name
  }

  locationOf(key: string): string {
    return this.#final.locationOf(key)
  }

  async put(key: string, body: StoreBody, options?: PutOptions): Promise<Stored> {
    return this.#remember(key, await this.#stage.put(key, body, options))
  }

  async putFile(key: string, path: string, options?: PutFileOptions): Promise<Stored> {
    return this.#remember(key, await this.#stage.putFile(key, path, options))
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

  /** Moves everything to its place. */
  async commit(): Promise<void> {
    for (const key of this.#keys) {
      await this.#final.putFile(key, join(this.#stageDir, ...key.split('/')), { move: true })
    }
    this.#keys.clear()
  }

  #remember(key: string, stored: Stored): Stored {
    this.#keys.delete(key)
    this.#keys.add(key)
    return { ...stored, location: this.locationOf(key) }
  }
}
