import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PublishedPlaylist } from '@rushes/render'
import type { PutOptions, Store, StoreBody, Stored } from '@rushes/storage-adapters'

const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl'

/**
 * A copy of every playlist that was published, beside the journal: after a crash a growing playlist goes on where it
 * stood, also in stores that cannot be read. The copy is written first, so that it never lacks a public line.
 */
export class PlaylistMemory {
  readonly #dir: string
  #made: Promise<unknown> | undefined
  /** Bytes stored so far, by the folder that they went to. */
  readonly #bytes = new Map<string, number>()

  constructor(dir: string) {
    this.#dir = dir
  }

  /** The playlist as it was last published under `key`, if it was. */
  async recall(key: string): Promise<PublishedPlaylist | undefined> {
    try {
      const published = JSON.parse(await readFile(this.#path(key), 'utf8')) as PublishedPlaylist
      this.#bytes.set(folderOf(key), published.bytes)
      return published
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  /** The same store, remembered. */
  watch(store: Store): Store {
    const put = async (key: string, body: StoreBody, options?: PutOptions): Promise<Stored> => {
      if (options?.contentType === PLAYLIST_TYPE) await this.#remember(key, body)
      const stored = await store.put(key, body, options)
      if (options?.contentType !== PLAYLIST_TYPE) {
        this.#bytes.set(folderOf(key), (this.#bytes.get(folderOf(key)) ?? 0) + stored.bytes)
      }
      return stored
    }
    return new Proxy(store, {
      get(target, property) {
        if (property === 'put') return put
        const value: unknown = Reflect.get(target, property, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  async #remember(key: string, body: StoreBody): Promise<void> {
    // Playlists are put in pieces; a stream could be read only once.
    if (!(body instanceof Uint8Array) && !Array.isArray(body)) return
    const text = Buffer.concat(body instanceof Uint8Array ? [body] : (body as readonly Uint8Array[])).toString('utf8')
    const published: PublishedPlaylist = { text, bytes: this.#bytes.get(folderOf(key)) ?? 0 }
    this.#made ??= mkdir(this.#dir, { recursive: true })
    await this.#made
    const path = this.#path(key)
    await writeFile(`${path}.new`, JSON.stringify(published))
    await rename(`${path}.new`, path)
  }

  #path(key: string): string {
    return join(this.#dir, `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`)
  }
}

function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1)
}
