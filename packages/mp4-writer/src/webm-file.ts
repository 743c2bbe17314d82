import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncFolder, temporaryPath, writeAll } from './file.js'
import type { Mp4Metadata } from './file-tags.js'
import { WebmError } from './webm-errors.js'
import { type CuePoint, cuesElement, HEADER_BYTES, type WebmTrack, webmHeader } from './webm-header.js'

/** The file while it grows, with a hidden name: a header of fixed size, then clusters; the cues come last. */
export class WebmFile {
  readonly path: string
  readonly #finishedPath: string
  readonly #metadata: Mp4Metadata
  #file: FileHandle | undefined
  #position = HEADER_BYTES
  #tracksInHeader = 0

  constructor(finishedPath: string, metadata: Mp4Metadata) {
    this.path = temporaryPath(finishedPath, '.part')
    this.#finishedPath = finishedPath
    this.#metadata = metadata
  }

  async open(): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true })
    this.#file = await open(this.path, 'w')
    await writeAll(this.#file, webmHeader([], this.#metadata, undefined), 0)
  }

  /** Takes the place of the next cluster. */
  place(length: number): number {
    const position = this.#position
    this.#position += length
    return position
  }

  /** Writes a cluster at its place, behind a header that has these tracks. */
  async write(cluster: Uint8Array, position: number, tracks: readonly WebmTrack[]): Promise<void> {
    const file = this.#handle()
    if (tracks.length !== this.#tracksInHeader) {
      this.#tracksInHeader = tracks.length
      await writeAll(file, webmHeader(tracks, this.#metadata, undefined), 0)
    }
    await writeAll(file, cluster, position)
  }

  /** Appends the cues, completes the header and gives the file its name. Gives its size. */
  async finish(tracks: readonly WebmTrack[], cues: readonly CuePoint[], durationMs: number): Promise<number> {
    const file = this.#handle()
    const cuesPosition = this.#position
    const bytes = cuesElement(cues)
    await writeAll(file, bytes, cuesPosition)
    const fileBytes = cuesPosition + bytes.byteLength
    await writeAll(file, webmHeader(tracks, this.#metadata, { durationMs, fileBytes, cuesPosition }), 0)
    await file.sync()
    await file.close()
    this.#file = undefined
    await rename(this.path, this.#finishedPath)
    await syncFolder(this.#finishedPath)
    return fileBytes
  }

  /** Removes what is not finished. Never rejects. */
  async remove(): Promise<void> {
    try {
      await this.#file?.close()
    } catch {
      // What cannot be closed is removed all the same.
    }
    this.#file = undefined
    await rm(this.path, { force: true }).catch(() => {})
  }

  #handle(): FileHandle {
    if (this.#file === undefined) throw new WebmError('WEBM_CLOSED', `${this.path} is not open`)
    return this.#file
  }
}
