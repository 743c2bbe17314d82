import type { PictureArea, PictureCanvas, YuvColor } from '@rushes/codecs'
import { placePicture } from '../layout/fit-picture.js'
import type { DrawingLibrary } from './drawing-library.js'
import type { PainterBackground } from './painter-settings.js'
import { Sprite } from './sprite.js'
import { yuvColor } from './yuv-color.js'

/** An image as large as the canvas, ready to be copied from. */
type BackgroundPlanes = readonly [Uint8Array, Uint8Array, Uint8Array]

/** What lies behind all tiles: one colour, or an image over it. */
export class Background {
  readonly #canvas: PictureCanvas
  /** In place of the layout's. */
  readonly #own: string | undefined
  readonly #image: Sprite | undefined
  #color = ''
  #yuv: YuvColor = [16, 128, 128]
  #planes: BackgroundPlanes | undefined

  private constructor(canvas: PictureCanvas, own: string | undefined, image: Sprite | undefined) {
    this.#canvas = canvas
    this.#own = own
    this.#image = image
  }

  /** Rejects with `COMPOSITOR_IMAGE_UNREADABLE`. `library` is there where the background is an image. */
  static async create(
    canvas: PictureCanvas,
    background: PainterBackground | undefined,
    library: DrawingLibrary | undefined,
  ): Promise<Background> {
    if (background === undefined || typeof background === 'string' || library === undefined) {
      return new Background(canvas, typeof background === 'string' ? background : undefined, undefined)
    }
    const { fit = 'cover' } = background
    const image = await library.loadImage(background.image)
    const whole = { x: 0, y: 0, width: canvas.width, height: canvas.height }
    const { source, target } = placePicture({ width: image.width, height: image.height }, whole, fit)
    const drawn = library.draw(canvas.width, canvas.height, (context) => {
      const { x, y, width, height } = source
      context.drawImage(image, x, y, width, height, target.x, target.y, target.width, target.height)
    })
    return new Background(canvas, undefined, Sprite.fromRgba(drawn))
  }

  /** Covers the canvas; `color` is the layout's. */
  paint(color: string): void {
    const { width, height, planes } = this.#canvas
    const chosen = this.#own ?? color
    if (chosen !== this.#color) {
      this.#color = chosen
      this.#yuv = yuvColor(chosen)
      this.#planes = undefined
    }
    if (this.#planes !== undefined) {
      for (let index = 0; index < 3; index++) planes[index]?.set(this.#planes[index] ?? [])
      return
    }
    this.#canvas.fillArea({ x: 0, y: 0, width, height }, this.#yuv)
    if (this.#image === undefined) return
    this.#image.draw(this.#canvas, 0, 0)
    const [y, u, v] = planes
    this.#planes = [Uint8Array.from(y), Uint8Array.from(u), Uint8Array.from(v)]
  }

  /** Puts it back in one place. `paint` came before. */
  restore(area: PictureArea): void {
    const kept = this.#planes
    if (kept === undefined) {
      this.#canvas.fillArea(area, this.#yuv)
      return
    }
    const { x, y, width, height } = area
    for (let index = 0; index < 3; index++) {
      const shift = index === 0 ? 0 : 1
      const stride = this.#canvas.width >> shift
      for (let line = y >> shift; line < (y + height) >> shift; line++) {
        const from = line * stride + (x >> shift)
        this.#canvas.planes[index]?.set(kept[index]?.subarray(from, from + (width >> shift)) ?? [], from)
      }
    }
  }
}
