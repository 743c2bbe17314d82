import { type JpegEncoder, PictureCanvas, PictureScaler } from '@rushes/codecs'
import { readArea, writeArea } from '../picture/canvas-area.js'
import type { CompositeObject } from './composite-object.js'
import type { KeptStills, TakenThumbnail } from './kept-stills.js'
import type { ResolvedThumbnails } from './still-settings.js'
import { sheetSuffix, type Thumbnail } from './thumbnail-track.js'

/** Times of frames are rounded to microseconds. */
const ROUNDING_US = 1

/**
 * Takes a picture every so often of all that are shown to it, and puts it in its place on a sheet: from left to right, row
 * by row. A sheet goes out when it is full; the last one is as large as what is on it.
 */
export class ThumbnailSheets {
  /** What has been taken, in order: one entry of some 50 bytes for each. */
  readonly thumbnails: Thumbnail[] = []
  readonly #settings: ResolvedThumbnails
  readonly #startUs: number
  readonly #jpeg: JpegEncoder
  readonly #scaler: PictureScaler
  readonly #sheet: PictureCanvas
  #sheets = 1
  #onSheet = 0
  #nextUs: number

  /** @param startUs time of the first frame */
  static async create(settings: ResolvedThumbnails, startUs: number, jpeg: JpegEncoder): Promise<ThumbnailSheets> {
    const { width, height, columns, rows } = settings
    const sheet = await PictureCanvas.create({ width: width * columns, height: height * rows })
    return new ThumbnailSheets(settings, startUs, jpeg, await PictureScaler.create(), sheet)
  }

  private constructor(
    settings: ResolvedThumbnails,
    startUs: number,
    jpeg: JpegEncoder,
    scaler: PictureScaler,
    sheet: PictureCanvas,
  ) {
    this.#settings = settings
    this.#startUs = startUs
    this.#nextUs = startUs
    this.#jpeg = jpeg
    this.#scaler = scaler
    this.#sheet = sheet
  }

  /** Goes on behind what was taken before, as if it had been taken here. Before the first frame. */
  goOn({ thumbnails, openSheet }: Pick<KeptStills, 'thumbnails' | 'openSheet'>): void {
    const last = thumbnails.at(-1)
    if (last === undefined) return
    this.thumbnails.push(...thumbnails)
    this.#nextUs = this.#nextAfter(last.atUs)
    this.#onSheet = openSheet.length
    this.#sheets = this.#onSheet > 0 ? last.sheet : last.sheet + 1
    const open = thumbnails.slice(thumbnails.length - openSheet.length)
    for (const [index, place] of open.entries()) writeArea(this.#sheet, place, openSheet[index] as Uint8Array)
  }

  /** The frame at `timeUs`. `onTaken` is told of a thumbnail before the sheet that it is on goes out. */
  see(
    canvas: PictureCanvas,
    timeUs: number,
    emit: (object: CompositeObject) => void,
    onTaken?: (taken: TakenThumbnail) => void,
  ): void {
    if (timeUs + ROUNDING_US < this.#nextUs) return
    const { width, height, columns, rows } = this.#settings
    this.#nextUs = this.#nextAfter(timeUs)
    const x = (this.#onSheet % columns) * width
    const y = Math.floor(this.#onSheet / columns) * height
    this.#scaler.drawCanvas(canvas, this.#sheet, { x, y, width, height })
    const thumbnail = { atUs: timeUs, sheet: this.#sheets, x, y, width, height }
    this.thumbnails.push(thumbnail)
    onTaken?.({ type: 'thumbnail', thumbnail, samples: readArea(this.#sheet, thumbnail) })
    this.#onSheet++
    if (this.#onSheet === columns * rows) this.#giveOut(emit)
  }

  flush(emit: (object: CompositeObject) => void): void {
    if (this.#onSheet > 0) this.#giveOut(emit)
  }

  close(): void {
    this.#scaler.close()
    this.#sheet.close()
  }

  /** Under load frames may be further apart than thumbnails: then some are left out. */
  #nextAfter(timeUs: number): number {
    const { everyUs } = this.#settings
    const passed = Math.floor((timeUs + ROUNDING_US - this.#startUs) / everyUs)
    return this.#startUs + (passed + 1) * everyUs
  }

  #giveOut(emit: (object: CompositeObject) => void): void {
    const { width, height, columns } = this.#settings
    const used = {
      width: Math.min(this.#onSheet, columns) * width,
      height: Math.ceil(this.#onSheet / columns) * height,
    }
    const suffix = sheetSuffix(this.#sheets)
    const atUs = this.thumbnails.at(-1)?.atUs ?? this.#startUs
    emit({ type: 'object', atUs, suffix, contentType: 'image/jpeg', body: this.#jpeg.encode(this.#sheet, used) })
    const { width: all, height: whole } = this.#sheet
    this.#sheet.fillArea({ x: 0, y: 0, width: all, height: whole }, [16, 128, 128])
    this.#onSheet = 0
    this.#sheets++
  }
}
