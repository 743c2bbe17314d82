import { JpegEncoder, type PictureCanvas } from '@rushes/codecs'
import type { CompositeObject } from './composite-object.js'
import type { KeptStills, TakenThumbnail } from './kept-stills.js'
import { Poster } from './poster.js'
import type { ResolvedPoster, ResolvedThumbnails } from './still-settings.js'
import { ThumbnailSheets } from './thumbnail-sheets.js'
import type { Thumbnail } from './thumbnail-track.js'

/** What stills of a composite are made from. */
export interface CompositeStillsOptions {
  readonly poster: ResolvedPoster | undefined
  readonly thumbnails: ResolvedThumbnails | undefined
  /** Recording time of the first frame, microseconds. */
  readonly startUs: number
  readonly emit: (object: CompositeObject) => void
  /** Takes each thumbnail by itself as well, before the sheet that it is on. */
  readonly onThumbnail?: ((taken: TakenThumbnail) => void) | undefined
  /** What was taken before. @defaultValue nothing */
  readonly kept?: KeptStills | undefined
}

/** Pictures of a composite beside it: a poster and thumbnails. */
export class CompositeStills {
  readonly #emit: (object: CompositeObject) => void
  readonly #onThumbnail: ((taken: TakenThumbnail) => void) | undefined
  readonly #poster: Poster | undefined
  readonly #sheets: ThumbnailSheets | undefined
  #hasFrames = false

  /** `undefined` where none are wanted. */
  static async create(options: CompositeStillsOptions): Promise<CompositeStills | undefined> {
    const { poster, thumbnails, startUs, kept } = options
    if (poster === undefined && thumbnails === undefined) return undefined
    const jpeg = await JpegEncoder.create()
    const stills = new CompositeStills(
      options,
      poster === undefined ? undefined : await Poster.create(poster, startUs, jpeg),
      thumbnails === undefined ? undefined : await ThumbnailSheets.create(thumbnails, startUs, jpeg),
    )
    if (kept?.hasPoster === true) stills.#poster?.goOn()
    if (kept !== undefined) stills.#sheets?.goOn(kept)
    return stills
  }

  private constructor(
    { emit, onThumbnail }: Pick<CompositeStillsOptions, 'emit' | 'onThumbnail'>,
    poster: Poster | undefined,
    sheets: ThumbnailSheets | undefined,
  ) {
    this.#emit = emit
    this.#onThumbnail = onThumbnail
    this.#poster = poster
    this.#sheets = sheets
  }

  /** The frame at `timeUs`. `isTelling`: somebody's picture is in it, and nothing moves. */
  see(canvas: PictureCanvas, timeUs: number, isTelling: boolean): void {
    this.#hasFrames = true
    this.#poster?.see(canvas, timeUs, isTelling, this.#emit)
    this.#sheets?.see(canvas, timeUs, this.#emit, this.#onThumbnail)
  }

  /** The end; the canvas has the last frame. */
  flush(canvas: PictureCanvas): void {
    if (this.#hasFrames) this.#poster?.flush(canvas, this.#emit)
    this.#sheets?.flush(this.#emit)
  }

  close(): void {
    this.#poster?.close()
    this.#sheets?.close()
  }

  get thumbnails(): readonly Thumbnail[] {
    return this.#sheets?.thumbnails ?? []
  }
}
