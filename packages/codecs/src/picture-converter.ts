import type { Frame, SoftwareScaleContext } from 'node-av/lib'
import { FrameParts } from './frame-parts.js'
import { allocatePicture } from './native-picture.js'
import { checkOpened, type NodeAv } from './node-av.js'
import { openScaler } from './open-scaler.js'
import type { PictureFit } from './picture-fit.js'
import { formatOfRange, type PixelFormat } from './picture-format.js'

/** Black in limited range. */
const BLACK = [16, 128, 128] as const

/**
 * Decoded pictures as an encoder of 8-bit 4:2:0 in limited range takes them, at the size that is wanted. What is so
 * already passes untouched.
 */
export class PictureConverter {
  readonly #nodeAv: NodeAv
  readonly #parts: FrameParts
  #scaler: SoftwareScaleContext | undefined
  #scaled: Frame | undefined
  /** With black around what was scaled, where it does not fill everything. */
  #canvas: Frame | undefined
  #key = ''

  constructor(nodeAv: NodeAv) {
    this.#nodeAv = nodeAv
    this.#parts = new FrameParts(nodeAv)
  }

  /** The picture itself, or one that holds until the next call. Throws `CODECS_OPEN_FAILED`. */
  convert(picture: Frame, fit: PictureFit): Frame {
    const { constants } = this.#nodeAv
    const format = formatOfRange(this.#nodeAv, picture)
    const { canvas, x, y, width, height } = fit
    const isFilled = width === canvas.width && height === canvas.height
    if (
      format === constants.AV_PIX_FMT_YUV420P &&
      picture.width === canvas.width &&
      picture.height === canvas.height &&
      isFilled
    ) {
      return picture
    }
    const key = [format, picture.width, picture.height, canvas.width, canvas.height, x, y, width, height].join()
    if (key !== this.#key) this.#prepare(picture, format, fit)
    this.#key = key
    const scaled = this.#scaled
    if (this.#scaler === undefined || scaled === undefined) return picture
    const target = this.#canvas ?? scaled
    // The encoder may still refer to the picture before: then this one gets memory of its own.
    target.makeWritable()
    checkOpened('swscale', this.#scaler.scaleFrameSync(scaled, picture))
    if (target !== scaled) this.#parts.with(target, { x, y, width, height }, (part) => part.copy(scaled))
    return target
  }

  /** Idempotent. */
  close(): void {
    this.#clear()
    this.#parts.close()
  }

  #clear(): void {
    this.#scaler?.freeContext()
    this.#scaled?.free()
    this.#canvas?.free()
    this.#scaler = undefined
    this.#scaled = undefined
    this.#canvas = undefined
    this.#key = ''
  }

  #prepare(picture: Frame, format: PixelFormat, { canvas, width, height }: PictureFit): void {
    this.#clear()
    const { SWS_BICUBIC } = this.#nodeAv.constants
    this.#scaler = openScaler(this.#nodeAv, format, picture, { width, height }, SWS_BICUBIC)
    this.#scaled = allocatePicture(this.#nodeAv, { width, height }).frame
    if (width === canvas.width && height === canvas.height) return
    const { frame, planes } = allocatePicture(this.#nodeAv, canvas)
    for (const [index, value] of BLACK.entries()) planes[index]?.fill(value)
    this.#canvas = frame
  }
}
