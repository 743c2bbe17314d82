import { ConfigurationError } from '@rushes/media'

/** One picture of a composite, as JPEG. */
export interface PosterSettings {
  /**
   * Seconds from the beginning of the composite, 0 or more; of a shorter one it is the last picture.
   * @defaultValue the first picture in which there is somebody's, at latest that of 3 s
   */
  readonly atSeconds?: number
  /** Pixels, even, from 64 to the width of the canvas. @defaultValue the width of the canvas */
  readonly width?: number
}

/** Small pictures of a composite, many on one sheet, with a WebVTT file that says which is of when. */
export interface ThumbnailSettings {
  /** One picture every so many seconds, 1 to 3600. @defaultValue 10 */
  readonly everySeconds?: number
  /** Of each, in pixels, even, from 32 to the width of the canvas. @defaultValue 160, or all of a smaller canvas */
  readonly width?: number
  /** Of a sheet, 1 to 20. @defaultValue 10 */
  readonly columns?: number
  /** Of a sheet, 1 to 20. @defaultValue 10 */
  readonly rows?: number
}

/** Pixels; even. */
export interface StillSize {
  readonly width: number
  readonly height: number
}

/** A poster with everything decided. */
export interface ResolvedPoster extends StillSize {
  /** From the beginning of the composite, microseconds; undefined: the first with somebody's picture. */
  readonly atUs: number | undefined
}

/** Thumbnails with everything decided. */
export interface ResolvedThumbnails extends StillSize {
  readonly everyUs: number
  readonly columns: number
  readonly rows: number
}

/** Browsers of telephones show no larger picture: 16 Mi pixels. */
const MAX_SHEET_PIXELS = 16_777_216
const DEFAULT_WIDTH = 160

/** @throws ConfigurationError naming the field */
export function resolvePoster(
  poster: boolean | PosterSettings | undefined,
  canvas: StillSize,
  field: string,
): ResolvedPoster | undefined {
  const settings = settingsOf(poster, field)
  if (settings === undefined) return undefined
  const { atSeconds, width = canvas.width } = settings
  if (atSeconds !== undefined && !(Number.isFinite(atSeconds) && atSeconds >= 0)) {
    throw new ConfigurationError(`${field}.atSeconds`, 'must be seconds, 0 or more', atSeconds)
  }
  return {
    atUs: atSeconds === undefined ? undefined : Math.round(atSeconds * 1_000_000),
    ...sizeOf(width, 64, canvas, `${field}.width`),
  }
}

/** @throws ConfigurationError naming the field */
export function resolveThumbnails(
  thumbnails: boolean | ThumbnailSettings | undefined,
  canvas: StillSize,
  field: string,
): ResolvedThumbnails | undefined {
  const settings = settingsOf(thumbnails, field)
  if (settings === undefined) return undefined
  const { everySeconds = 10, width = Math.min(DEFAULT_WIDTH, canvas.width), columns = 10, rows = 10 } = settings
  if (!(Number.isFinite(everySeconds) && everySeconds >= 1 && everySeconds <= 3600)) {
    throw new ConfigurationError(`${field}.everySeconds`, 'must be a number from 1 to 3600', everySeconds)
  }
  for (const [name, count] of Object.entries({ columns, rows })) {
    if (!(Number.isInteger(count) && count >= 1 && count <= 20)) {
      throw new ConfigurationError(`${field}.${name}`, 'must be an integer from 1 to 20', count)
    }
  }
  const size = sizeOf(width, 32, canvas, `${field}.width`)
  const pixels = size.width * columns * size.height * rows
  if (pixels > MAX_SHEET_PIXELS) {
    const rule = `must leave a sheet of columns times rows no more than ${MAX_SHEET_PIXELS} pixels, it has ${pixels}`
    throw new ConfigurationError(`${field}.width`, rule, width)
  }
  return { everyUs: Math.round(everySeconds * 1_000_000), columns, rows, ...size }
}

function settingsOf<T extends object>(given: boolean | T | undefined, field: string): Partial<T> | undefined {
  if (given === undefined || given === false) return undefined
  if (given === true) return {}
  if (typeof given === 'object' && given !== null) return given
  throw new ConfigurationError(field, 'must be true, false or an object', given)
}

/** As high as the canvas makes it. */
function sizeOf(width: number, least: number, canvas: StillSize, field: string): StillSize {
  if (!(Number.isInteger(width) && width % 2 === 0 && width >= least && width <= canvas.width)) {
    throw new ConfigurationError(field, `must be an even number from ${least} to ${canvas.width}`, width)
  }
  return { width, height: Math.max(2, Math.round((width * canvas.height) / canvas.width / 2) * 2) }
}
