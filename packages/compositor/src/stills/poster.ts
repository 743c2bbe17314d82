import { type JpegEncoder, PictureCanvas, PictureScaler } from '@rushes/codecs'
import type { CompositeObject } from './composite-object.js'
import type { ResolvedPoster } from './still-settings.js'

/** Behind the name of a composite. */
export const POSTER_SUFFIX = '/poster.jpg'
/** If nobody has a picture by then, one without is taken. */
const PATIENCE_US = 3_000_000

/** Takes one picture of all that are shown to it. */
export class Poster {
  readonly #settings: ResolvedPoster
  readonly #startUs: number
  readonly #jpeg: JpegEncoder
  readonly #scaler: PictureScaler
  readonly #small: PictureCanvas
  #isTaken = false
  #seenUs: number

  /** @param startUs time of the first frame */
  static async create(settings: ResolvedPoster, startUs: number, jpeg: JpegEncoder): Promise<Poster> {
    return new Poster(settings, startUs, jpeg, await PictureScaler.create(), await PictureCanvas.create(settings))
  }

  private constructor(
    settings: ResolvedPoster,
    startUs: number,
    jpeg: JpegEncoder,
    scaler: PictureScaler,
    small: PictureCanvas,
  ) {
    this.#settings = settings
    this.#startUs = startUs
    this.#seenUs = startUs
    this.#jpeg = jpeg
    this.#scaler = scaler
    this.#small = small
  }

  /** One has been taken before. */
  goOn(): void {
    this.#isTaken = true
  }

  /** The frame at `timeUs`. `isTelling`: somebody's picture is in it, and nothing moves. */
  see(canvas: PictureCanvas, timeUs: number, isTelling: boolean, emit: (object: CompositeObject) => void): void {
    if (this.#isTaken) return
    this.#seenUs = timeUs
    const { atUs } = this.#settings
    const sinceUs = timeUs - this.#startUs
    if (atUs === undefined ? isTelling || sinceUs >= PATIENCE_US : sinceUs >= atUs) this.#take(canvas, emit)
  }

  /** The end: the last picture, where none has been taken. */
  flush(canvas: PictureCanvas, emit: (object: CompositeObject) => void): void {
    if (!this.#isTaken) this.#take(canvas, emit)
  }

  close(): void {
    this.#scaler.close()
    this.#small.close()
  }

  #take(canvas: PictureCanvas, emit: (object: CompositeObject) => void): void {
    this.#isTaken = true
    const { width, height } = this.#settings
    this.#scaler.drawCanvas(canvas, this.#small, { x: 0, y: 0, width, height })
    const body = this.#jpeg.encode(this.#small)
    emit({ type: 'object', atUs: this.#seenUs, suffix: POSTER_SUFFIX, contentType: 'image/jpeg', body })
  }
}
