import type * as Canvas from '@napi-rs/canvas'
import { CompositorError } from '../errors.js'
import type { FontSettings } from './painter-settings.js'
import type { RgbaImage } from './sprite.js'

/** What text and icons are drawn with. */
export type DrawingContext = Canvas.SKRSContext2D

/** Something drawn beforehand. */
export type DrawingLayer = Canvas.Canvas

/** An image file, decoded. */
export type DrawingImage = Canvas.Image

/**
 * Tried in this order for each letter: the fonts of Noto and DejaVu write all scripts that they know in one style. Each is
 * named, since the fallback of the library alone leaves boxes for some scripts.
 */
const FAMILIES: readonly string[] = [
  'Noto Sans',
  'Inter',
  'Roboto',
  'Helvetica Neue',
  'Segoe UI',
  'Liberation Sans',
  'Arial',
  'DejaVu Sans',
  'Noto Sans Arabic',
  'Noto Sans Hebrew',
  'Noto Sans Devanagari',
  'Noto Sans Bengali',
  'Noto Sans Tamil',
  'Noto Sans Telugu',
  'Noto Sans Thai',
  'Noto Sans Georgian',
  'Noto Sans Armenian',
  'Noto Sans Ethiopic',
  'Noto Sans CJK SC',
  'Noto Sans CJK JP',
  'Noto Sans CJK KR',
  'Noto Sans SC',
  'Noto Sans JP',
  'Noto Sans KR',
  'PingFang SC',
  'Microsoft YaHei',
  'WenQuanYi Zen Hei',
  'Noto Color Emoji',
  'Apple Color Emoji',
  'Segoe UI Emoji',
]

/** Draws text, icons and images by way of the optional package @napi-rs/canvas, which is loaded on first use. */
export class DrawingLibrary {
  readonly #canvas: typeof Canvas
  /** For `font` of a context. */
  readonly families: string
  #ruler: DrawingContext | undefined

  private constructor(canvas: typeof Canvas, families: string) {
    this.#canvas = canvas
    this.families = families
  }

  /** Rejects with `COMPOSITOR_CANVAS_MISSING`, or `COMPOSITOR_IMAGE_UNREADABLE` for a font file. `need`: what for. */
  static async load(need: string, fonts: FontSettings = {}): Promise<DrawingLibrary> {
    let canvas: typeof Canvas
    try {
      canvas = await import('@napi-rs/canvas')
    } catch (cause) {
      throw new CompositorError(
        'COMPOSITOR_CANVAS_MISSING',
        `drawing ${need} needs the optional package @napi-rs/canvas: install @napi-rs/canvas@1.1.1 ` +
          'with its platform package, or turn text off',
        { cause },
      )
    }
    const own: string[] = []
    for (const file of fonts.files ?? []) {
      const alias = `Rushes ${file.replaceAll(/["\\,]/g, ' ')}`
      if (!canvas.GlobalFonts.has(alias) && canvas.GlobalFonts.registerFromPath(file, alias) === null) {
        throw new CompositorError('COMPOSITOR_IMAGE_UNREADABLE', `the font ${file} cannot be read`)
      }
      own.push(alias)
    }
    const installed = new Set(canvas.GlobalFonts.families.map(({ family }) => family))
    const known = FAMILIES.filter((family) => installed.has(family))
    const families = [...own, ...known].map((family) => `"${family}"`)
    return new DrawingLibrary(canvas, [...families, 'sans-serif'].join(', '))
  }

  /** Rejects with `COMPOSITOR_IMAGE_UNREADABLE`. */
  async loadImage(image: string | Uint8Array): Promise<DrawingImage> {
    try {
      return await this.#canvas.loadImage(image)
    } catch (cause) {
      const what = typeof image === 'string' ? `the image ${image}` : 'an image'
      throw new CompositorError('COMPOSITOR_IMAGE_UNREADABLE', `${what} cannot be read`, { cause })
    }
  }

  /** What `draw` draws on a transparent ground of whole pixels. */
  draw(width: number, height: number, draw: (context: DrawingContext) => void): RgbaImage {
    const canvas = this.#canvas.createCanvas(Math.max(1, Math.ceil(width)), Math.max(1, Math.ceil(height)))
    const context = canvas.getContext('2d')
    draw(context)
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height)
    return { width: canvas.width, height: canvas.height, data }
  }

  /** The same as something that can be drawn into another context. */
  layer(width: number, height: number, draw: (context: DrawingContext) => void): DrawingLayer {
    const canvas = this.#canvas.createCanvas(Math.max(1, Math.ceil(width)), Math.max(1, Math.ceil(height)))
    draw(canvas.getContext('2d'))
    return canvas
  }

  /** Width in pixels of one line in `font`. */
  measure(text: string, font: string): number {
    this.#ruler ??= this.#canvas.createCanvas(1, 1).getContext('2d')
    this.#ruler.font = font
    return this.#ruler.measureText(text).width
  }
}
