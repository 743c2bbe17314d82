import type { Frame, SoftwareScaleContext } from 'node-av/lib'
import { checkOpened, type NodeAv } from './node-av.js'
import type { PictureFit } from './picture-fit.js'

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
    const format = this.#formatOf(picture)
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

  /**
   * The format, with full range as the scaler knows it. H264 and H265 say it by the format, VP9 and AV1 beside it.
   */
  #formatOf(picture: Frame): Frame['format'] {
    const { constants } = this.#nodeAv
    const { format } = picture
    if (picture.colorRange !== constants.AVCOL_RANGE_JPEG) return format
    if (format === constants.AV_PIX_FMT_YUV420P) return constants.AV_PIX_FMT_YUVJ420P
    if (format === constants.AV_PIX_FMT_YUV422P) return constants.AV_PIX_FMT_YUVJ422P
    if (format === constants.AV_PIX_FMT_YUV444P) return constants.AV_PIX_FMT_YUVJ444P
    return format
  }
}
