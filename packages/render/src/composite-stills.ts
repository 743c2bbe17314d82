import { mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type CompositeObject,
  POSTER_SUFFIX,
  THUMBNAIL_TRACK_SUFFIX,
  type Thumbnail,
  thumbnailTrack,
} from '@rushes/compositor'
import type { Track } from '@rushes/media'
import type { OutputNames } from '@rushes/naming-rules'
import { putFile } from '@rushes/storage-adapters'
import type { ManifestOutput, ManifestStill } from './manifest.js'
import type { OutputContext } from './output.js'

/** What a composite's entries in the manifest say of its stills. */
export type StillEntries = Pick<ManifestOutput, 'poster' | 'thumbnails'>

/**
 * Poster and thumbnails on their way to the store: on the scratch disk until the composite ends, since a name may be of its
 * end, and nothing half-written is to stand in the store. Then the poster, the sheets, and what names them.
 */
export class CompositeStillFiles {
  readonly #context: OutputContext
  #dir: string | undefined
  readonly #waiting: CompositeObject[] = []
  readonly #files: { readonly suffix: string; readonly contentType: string; readonly path: string }[] = []

  constructor(context: OutputContext) {
    this.#context = context
  }

  push(object: CompositeObject): void {
    this.#waiting.push(object)
  }

  /** Waits until what was pushed is on the scratch disk, which whoever made that folder removes. */
  async drain(): Promise<void> {
    for (const { suffix, contentType, body } of this.#waiting.splice(0)) {
      this.#dir ??= await mkdtemp(join(this.#context.scratchDir, 'stills-'))
      const path = join(this.#dir, suffix.slice(1))
      await writeFile(path, body)
      this.#files.push({ suffix, contentType, path })
    }
  }

  /**
   * Stores them, beside the outputs that they are of.
   * @param outputs those of the composite, the first part first: what the times of thumbnails count from and go to
   */
  async finish(
    outputs: readonly ManifestOutput[],
    tracks: readonly Track[],
    thumbnails: readonly Thumbnail[],
  ): Promise<StillEntries> {
    await this.drain()
    const [first] = outputs
    if (first === undefined || this.#files.length === 0) return {}
    const { container, startUs } = first
    const endUs = Math.max(...outputs.map((output) => output.startUs + output.durationUs))
    const names = this.#context.naming.ofWhole({ container, tracks, startUs, endUs })
    let poster: ManifestStill | undefined
    const sheets: string[] = []
    for (const { suffix, contentType, path } of this.#files) {
      const stored = await this.#store(names, suffix, contentType, path)
      if (suffix === POSTER_SUFFIX) poster = stored
      else sheets.push(stored.key)
    }
    if (sheets.length === 0) return poster === undefined ? {} : { poster }
    const path = join(this.#dir as string, 'thumbnails.vtt')
    await writeFile(path, thumbnailTrack(thumbnails, startUs, endUs))
    const track = await this.#store(names, THUMBNAIL_TRACK_SUFFIX, 'text/vtt', path)
    return { ...(poster === undefined ? {} : { poster }), thumbnails: { ...track, sheets } }
  }

  async #store(names: OutputNames, suffix: string, contentType: string, path: string): Promise<ManifestStill> {
    const { store, signal, emit } = this.#context
    const key = names.key(suffix)
    const options = { contentType, move: true, ...(signal === undefined ? undefined : { signal }) }
    const { bytes, location } = await putFile(store, key, path, options)
    emit({ type: 'stored', key, bytes })
    return { key, location }
  }
}
