import type { Frame, SoftwareScaleContext } from 'node-av/lib'
import { checkOpened, type NodeAv } from './node-av.js'
import type { PictureFit } from './picture-fit.js'
import { formatOfRange } from './picture-format.js'
import { SPILL_SAMPLES } from './scaler-spill.js'

/** Black in limited range. */
const BLACK = [16, 128, 128] as const

/**
 * Decoded pictures as an encoder of 8-bit 4:2:0 in limited range takes them, at the size that is wanted. What is so
 * already passes untouched.
 */
export class PictureConverter {
  readonly #nodeAv: NodeAv
  #scaler: SoftwareScaleContext | undefined
  #canvas: Frame | undefined
  #key = ''

  constructor(nodeAv: NodeAv) {
    this.#nodeAv = nodeAv
  }

  /** The picture itself, or a canvas that holds until the next call. */
  convert(picture: Frame, fit: PictureFit): Frame {
    const { constants } = this.#nodeAv
    const format = formatOfRange(this.#nodeAv, picture)
    const { canvas, x, y, width, height } = fit
    if (
      format === constants.AV_PIX_FMT_YUV420P &&
      picture.width === canvas.width &&
      picture.height === canvas.height &&
      width === canvas.width &&
      height === canvas.height
    ) {
      return picture
    }
    const key = [format, picture.width, picture.height, canvas.width, canvas.height, x, y, width, height].join()
    if (key !== this.#key) this.#prepare(picture, format, fit)
    this.#key = key
    const target = this.#canvas
    // The encoder may still refer to the canvas of the picture before: then it gets one of its own.
    target?.makeWritable()
    const planes = target?.data
    const source = picture.data
    if (this.#scaler === undefined || target === undefined || !planes || !source) return picture
    const strides = target.linesize.slice(0, 3)
    const parts = planes.slice(0, 3).map((plane, index) => {
      const half = index === 0 ? 1 : 2
      return plane.subarray((y / half) * strides[index]! + x / half)
    })
    checkOpened('swscale', this.#scaler.scaleSync(source, picture.linesize, 0, picture.height, parts, strides))
    // It writes whole vectors, over the edge of the picture: what was black is so again.
    if (width % 16 !== 0 && x + width < canvas.width) {
      for (let index = 0; index < 3; index++) {
        const shift = index === 0 ? 0 : 1
        const right = (x + width) >> shift
        const end = Math.min(right + SPILL_SAMPLES, canvas.width >> shift)
        for (let row = y >> shift; row < (y + height) >> shift; row++) {
          planes[index]!.fill(BLACK[index]!, row * strides[index]! + right, row * strides[index]! + end)
        }
      }
    }
    return target
  }

  close(): void {
    this.#scaler?.freeContext()
    this.#canvas?.free()
    this.#scaler = undefined
    this.#canvas = undefined
    this.#key = ''
  }

  #prepare(picture: Frame, format: Frame['format'], { canvas, width, height }: PictureFit): void {
    const { lib, constants } = this.#nodeAv
    this.close()
    this.#scaler = new lib.SoftwareScaleContext()
    const from = format as Parameters<SoftwareScaleContext['getContext']>[2]
    const { AV_PIX_FMT_YUV420P: to, SWS_BICUBIC } = constants
    this.#scaler.getContext(picture.width, picture.height, from, width, height, to, SWS_BICUBIC)
    const target = new lib.Frame()
    target.alloc()
    target.format = to
    target.width = canvas.width
    target.height = canvas.height
    checkOpened('a picture', target.getBuffer(0))
    for (const [index, value] of BLACK.entries()) target.data?.[index]?.fill(value)
    this.#canvas = target
  }
}
