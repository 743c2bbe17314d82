import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { boxHeader, joinBoxes, largeBoxHeader, sizeOf } from './box.js'
import { Mp4Error } from './errors.js'
import { copyRanges, type FileRange, syncFolder, temporaryPath, writeAll, writePieces } from './file.js'
import type { Mp4Metadata } from './file-tags.js'
import { fileType, finishedMovie, fragmentedMovie, fragmentShift, type MovieTrack } from './movie.js'

/** Room at the start of the file for the movie box, which is written again when a track begins late: about 40 tracks. */
const HEADER_BYTES = 32 * 1024
const FREE_HEADER_BYTES = 8
const MAX_UINT32 = 0xffffffff

/** Where a fragment stands. */
export interface FragmentPlace {
  /** Of its media data, in the file. */
  readonly dataPosition: number
  /** Of its media data among all media data, headers left out. */
  readonly dataOffset: number
}

/**
 * The file while it grows, with a hidden name, and how it becomes the finished one:
 * `ftyp`, `moov`, `free` up to 32 KiB, then `moof` and `mdat` again and again.
 */
export class FragmentedFile {
  readonly path: string
  readonly #finishedPath: string
  readonly #copyPath: string
  readonly #options: Mp4Metadata
  readonly #mediaRanges: FileRange[] = []
  #file: FileHandle | undefined
  #position = HEADER_BYTES
  #mediaBytes = 0
  #tracksInHeader = 0

  constructor(finishedPath: string, options: Mp4Metadata) {
    this.path = temporaryPath(finishedPath, '.part')
    this.#finishedPath = finishedPath
    this.#copyPath = temporaryPath(finishedPath, '.finish.part')
    this.#options = options
  }

  async open(): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true })
    this.#file = await open(this.path, 'w+')
    await writeAll(this.#file, joinBoxes(fileType()), 0)
  }

  /** Takes the place of the next fragment: `headerLength` bytes, then `dataLength` of media data. */
  place(headerLength: number, dataLength: number): FragmentPlace {
    const place = { dataPosition: this.#position + headerLength, dataOffset: this.#mediaBytes }
    this.#mediaRanges.push({ position: place.dataPosition, length: dataLength })
    this.#position += headerLength + dataLength
    this.#mediaBytes += dataLength
    return place
  }

  /** Writes a fragment at its place, behind a movie box that has these tracks. */
  async write(fragment: readonly Uint8Array[], position: number, tracks: readonly MovieTrack[]): Promise<void> {
    const file = this.#handle()
    if (tracks.length !== this.#tracksInHeader) {
      this.#tracksInHeader = tracks.length
      await this.#writeHeader(file, tracks)
    }
    await writePieces(file, fragment, position)
  }

  /** The movie box goes first and the media data is copied behind it. Gives the finished file's size. */
  async finishByCopy(tracks: readonly MovieTrack[]): Promise<number> {
    const source = this.#handle()
    const type = joinBoxes(fileType())
    // 64 bit offsets where the file may pass 4 GiB; its movie box is far below 1 % of it.
    const is64Bit = this.#mediaBytes * 1.01 + (1 << 24) > MAX_UINT32
    const dataHeader = is64Bit ? largeBoxHeader('mdat', this.#mediaBytes + 16) : boxHeader('mdat', this.#mediaBytes + 8)
    const movieAt = (base: number): Uint8Array =>
      joinBoxes(finishedMovie(tracks, { chunks: 'offsets', base, is64Bit }, this.#options))
    const base = type.byteLength + movieAt(0).byteLength + dataHeader.byteLength
    const target = await open(this.#copyPath, 'w')
    try {
      await writeAll(target, joinBoxes([type, movieAt(base), dataHeader]), 0)
      await copyRanges(source, this.#mediaRanges, target, base)
      await target.sync()
    } finally {
      await target.close()
    }
    await rename(this.#copyPath, this.#finishedPath)
    await syncFolder(this.#finishedPath)
    await this.remove()
    return base + this.#mediaBytes
  }

  /**
   * The movie box goes to the end, and everything between the file type and it becomes media data, the fragments'
   * headers included: nothing points at them. Gives the finished file's size.
   */
  async finishInPlace(tracks: readonly MovieTrack[]): Promise<number> {
    const file = this.#handle()
    const is64Bit = this.#position > MAX_UINT32
    const movie = joinBoxes(finishedMovie(tracks, { chunks: 'positions', base: 0, is64Bit }, this.#options))
    await writeAll(file, movie, this.#position)
    const start = sizeOf(fileType())
    await writeAll(file, largeBoxHeader('mdat', this.#position - start), start)
    await file.sync()
    await file.close()
    this.#file = undefined
    await rename(this.path, this.#finishedPath)
    await syncFolder(this.#finishedPath)
    return this.#position + movie.byteLength
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
    await rm(this.#copyPath, { force: true }).catch(() => {})
  }

  /** The movie box with the tracks so far, and free space up to the first fragment. */
  async #writeHeader(file: FileHandle, tracks: readonly MovieTrack[]): Promise<void> {
    const start = sizeOf(fileType())
    const movie = joinBoxes(
      fragmentedMovie(
        tracks.map((track) => ({ ...track, shift: fragmentShift(track.index) })),
        this.#options,
      ),
    )
    const free = HEADER_BYTES - start - movie.byteLength
    // With too many tracks the latest are missing from the unfinished file, and in the finished one nevertheless.
    if (free < FREE_HEADER_BYTES) return
    const header = new Uint8Array(movie.byteLength + FREE_HEADER_BYTES)
    header.set(movie)
    header.set(boxHeader('free', free), movie.byteLength)
    await writeAll(file, header, start)
  }

  #handle(): FileHandle {
    if (this.#file === undefined) throw new Mp4Error('MP4_CLOSED', `${this.path} is not open`)
    return this.#file
  }
}
