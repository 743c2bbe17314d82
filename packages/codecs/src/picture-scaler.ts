import type { Frame, SoftwareScaleContext } from 'node-av/lib'
import { convertMatrix } from './colour-matrix.js'
import { FrameParts } from './frame-parts.js'
import { frameOf } from './native-frames.js'
import { allocatePicture, type NativePicture } from './native-picture.js'
import { checkOpened, loadNodeAv, type NodeAv } from './node-av.js'
import { openScaler } from './open-scaler.js'
import type { Picture } from './picture.js'
import type { PictureArea, PictureCanvas } from './picture-canvas.js'
import type { PictureSize } from './picture-fit.js'
import { formatOfRange } from './picture-format.js'
import { RecentlyUsed } from './recently-used.js'
import { turnPlane } from './turn-plane.js'

/**
 * How sizes are changed (libswscale). `area` averages what falls together, and takes nearly half of the time of `bilinear`
 * for most sizes; where it makes larger it is the same.
 */
export type ScalingAlgorithm = 'fast-bilinear' | 'bilinear' | 'area' | 'bicubic'

/** Prepared scalers kept: more than the tiles of one picture (49), few enough when an animation needs new ones each time. */
const MAX_CONTEXTS = 64

/** Sizes of tiles that pictures are scaled to in turn: those of one layout, and some of an animation. */
const MAX_STAGED = 16

/**
 * Parts of pictures into a rectangle of a canvas: scaled, turned upright, in the canvas's colours. Any pixel format; full
 * range becomes limited; the matrices of BT.601 and BT.2020 become that of BT.709. Transfer curves (HDR) are taken as they
 * are. Only pictures that are turned, or of another matrix, are touched sample by sample.
 */
export class PictureScaler {
  readonly #nodeAv: NodeAv
  readonly #flags: number
  readonly #parts: FrameParts
  readonly #contexts = new RecentlyUsed<SoftwareScaleContext>(MAX_CONTEXTS, (context) => context.freeContext())
  /** Where pictures are scaled to, by size, before they go to their place: nothing is written beside that. */
  readonly #staged = new RecentlyUsed<NativePicture>(MAX_STAGED, ({ frame }) => frame.free())

  private constructor(nodeAv: NodeAv, algorithm: ScalingAlgorithm) {
    const { constants } = nodeAv
    this.#nodeAv = nodeAv
    this.#parts = new FrameParts(nodeAv)
    this.#flags = {
      'fast-bilinear': constants.SWS_FAST_BILINEAR,
      bilinear: constants.SWS_BILINEAR,
      area: constants.SWS_AREA,
      bicubic: constants.SWS_BICUBIC,
    }[algorithm]
  }

  /** @param algorithm 'area' by default. Rejects with `CODECS_NODE_AV_MISSING`. */
  static async create(algorithm: ScalingAlgorithm = 'area'): Promise<PictureScaler> {
    return new PictureScaler(await loadNodeAv(), algorithm)
  }

  /**
   * The part `crop` of `picture` (in pixels as shown: upright, square) fills `target`, which is even and within the canvas.
   * Chroma has half the size: the crop is moved to even pixels of the coded picture.
   */
  draw(picture: Picture, crop: PictureArea, canvas: PictureCanvas, target: PictureArea): void {
    const frame = frameOf(picture)
    const { rotation } = picture
    const isTurned = rotation === 90 || rotation === 270
    const size = isTurned ? { width: target.height, height: target.width } : target
    const staged = this.#scale(frame, codedCrop(crop, picture, frame), size)
    if (rotation === 0) this.#put(staged, canvas, target)
    else {
      for (let index = 0; index < 3; index++) {
        const shift = index === 0 ? 0 : 1
        const stride = canvas.width >> shift
        turnPlane(
          { plane: staged.planes[index]!, stride: staged.strides[index]!, offset: 0 },
          size.width >> shift,
          size.height >> shift,
          rotation,
          { plane: canvas.planes[index]!, stride, offset: (target.y >> shift) * stride + (target.x >> shift) },
        )
      }
    }
    convertMatrix(this.#nodeAv, frame.colorSpace, canvas, target)
  }

  /** All of one canvas into a part of another: renditions, posters, thumbnails. */
  drawCanvas(source: PictureCanvas, canvas: PictureCanvas, target: PictureArea): void {
    const whole = { x: 0, y: 0, width: source.width, height: source.height }
    this.#put(this.#scale(frameOf(source), whole, target), canvas, target)
  }

  /** Idempotent. */
  close(): void {
    this.#contexts.clear()
    this.#staged.clear()
    this.#parts.close()
  }

  #scale(frame: Frame, crop: PictureArea, { width, height }: PictureSize): NativePicture {
    const staged = this.#staged.of(`${width}x${height}`, () => allocatePicture(this.#nodeAv, { width, height }))
    const context = this.#contextOf(frame, crop, { width, height })
    this.#parts.with(frame, crop, (part) => checkOpened('swscale', context.scaleFrameSync(staged.frame, part)))
    return staged
  }

  #put({ frame }: NativePicture, canvas: PictureCanvas, target: PictureArea): void {
    this.#parts.with(frameOf(canvas), target, (part) => checkOpened('a canvas', part.copy(frame)))
  }

  #contextOf(frame: Frame, from: PictureSize, to: PictureSize): SoftwareScaleContext {
    const format = formatOfRange(this.#nodeAv, frame)
    return this.#contexts.of(`${format} ${from.width}x${from.height} ${to.width}x${to.height}`, () =>
      openScaler(this.#nodeAv, format, from, to, this.#flags),
    )
  }
}

/** From pixels as shown to those of the coded picture, which may be turned and not square. */
function codedCrop(crop: PictureArea, picture: Picture, frame: PictureSize): PictureArea {
  const { width, height } = frame
  const left = crop.x / picture.width
  const top = crop.y / picture.height
  const right = Math.max(0, 1 - (crop.x + crop.width) / picture.width)
  const bottom = Math.max(0, 1 - (crop.y + crop.height) / picture.height)
  const { rotation } = picture
  const [fromLeft, fromTop, fromRight, fromBottom] =
    rotation === 90
      ? [top, right, bottom, left]
      : rotation === 180
        ? [right, bottom, left, top]
        : rotation === 270
          ? [bottom, left, top, right]
          : [left, top, right, bottom]
  const x = evenNear(fromLeft * width)
  const y = evenNear(fromTop * height)
  const cutRight = evenNear(fromRight * width)
  const cutBottom = evenNear(fromBottom * height)
  return {
    x: Math.min(x, width - 1),
    y: Math.min(y, height - 1),
    width: Math.max(1, width - x - cutRight),
    height: Math.max(1, height - y - cutBottom),
  }
}

function evenNear(value: number): number {
  return Math.round(value / 2) * 2
}
