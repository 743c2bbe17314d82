import type { Frame, SoftwareScaleContext } from 'node-av/lib'
import { convertBt601 } from './colour-matrix.js'
import { frameOf } from './native-frames.js'
import { checkOpened, loadNodeAv, type NodeAv } from './node-av.js'
import type { Picture } from './picture.js'
import { type CanvasPlanes, canvasPlanes, type PictureArea, type PictureCanvas } from './picture-canvas.js'
import type { PictureSize } from './picture-fit.js'
import { formatOfRange, type PixelFormat } from './picture-format.js'
import { ScalerSpill } from './scaler-spill.js'
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

/** A native picture whose planes have been asked for: they stay where they are. */
interface NativePicture {
  readonly key: string
  readonly frame: Frame
  readonly planes: readonly Buffer[]
  readonly strides: number[]
}

/** Of planar formats: bytes a sample, and by how many bits the sides of chroma are smaller. */
interface Planar {
  readonly bytes: number
  readonly shiftX: number
  readonly shiftY: number
}

/**
 * Parts of pictures straight into a rectangle of a canvas: scaled, turned upright, in the canvas's colours.
 * Any pixel format; full range becomes limited; the matrix of BT.601 becomes that of BT.709. Other matrices (BT.2020) and
 * transfer curves (HDR) are taken as they are. Only turned pictures and BT.601 cost a second pass.
 */
export class PictureScaler {
  readonly #nodeAv: NodeAv
  readonly #flags: number
  readonly #planar: ReadonlyMap<number, Planar>
  readonly #contexts = new Map<string, SoftwareScaleContext>()
  /** Where whole pictures are scaled to, before they go to their place, by size. */
  readonly #staged = new Map<string, NativePicture>()
  /** A copy of a picture of which only a part is wanted. */
  #whole: NativePicture | undefined
  /** Where pictures wait to be turned. */
  #scratch: CanvasPlanes | undefined
  readonly #spill = new ScalerSpill()
  readonly #source: Buffer[] = []
  readonly #target: Buffer[] = []
  readonly #targetStrides: [number, number, number] = [0, 0, 0]

  private constructor(nodeAv: NodeAv, algorithm: ScalingAlgorithm) {
    const { constants } = nodeAv
    this.#nodeAv = nodeAv
    this.#flags = {
      'fast-bilinear': constants.SWS_FAST_BILINEAR,
      bilinear: constants.SWS_BILINEAR,
      area: constants.SWS_AREA,
      bicubic: constants.SWS_BICUBIC,
    }[algorithm]
    const whole = { bytes: 1, shiftX: 1, shiftY: 1 }
    this.#planar = new Map<number, Planar>([
      [constants.AV_PIX_FMT_YUV420P, whole],
      [constants.AV_PIX_FMT_YUVJ420P, whole],
      [constants.AV_PIX_FMT_YUV422P, { ...whole, shiftY: 0 }],
      [constants.AV_PIX_FMT_YUVJ422P, { ...whole, shiftY: 0 }],
      [constants.AV_PIX_FMT_YUV444P, { ...whole, shiftX: 0, shiftY: 0 }],
      [constants.AV_PIX_FMT_YUVJ444P, { ...whole, shiftX: 0, shiftY: 0 }],
      [constants.AV_PIX_FMT_YUV420P10LE, { ...whole, bytes: 2 }],
    ])
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
    const { constants } = this.#nodeAv
    const { rotation } = picture
    const isTurned = rotation === 90 || rotation === 270
    const size = isTurned ? { width: target.height, height: target.width } : target
    const coded = codedCrop(crop, picture, frame)
    if (rotation === 0) this.#scale(frame, coded, canvas, target)
    else {
      const scratch = this.#scratchOf(canvas, size)
      this.#scale(frame, coded, scratch, { x: 0, y: 0, width: size.width, height: size.height })
      for (let index = 0; index < 3; index++) {
        const shift = index === 0 ? 0 : 1
        const stride = canvas.width >> shift
        turnPlane(
          { plane: scratch.planes[index]!, stride: scratch.width >> shift, offset: 0 },
          size.width >> shift,
          size.height >> shift,
          rotation,
          { plane: canvas.planes[index]!, stride, offset: (target.y >> shift) * stride + (target.x >> shift) },
        )
      }
    }
    const { colorSpace } = frame
    if (colorSpace === constants.AVCOL_SPC_BT470BG || colorSpace === constants.AVCOL_SPC_SMPTE170M) {
      convertBt601(canvas, target)
    }
  }

  /** All of one canvas into a part of another: renditions, posters, thumbnails. */
  drawCanvas(source: PictureCanvas, canvas: PictureCanvas, target: PictureArea): void {
    const whole = { x: 0, y: 0, width: source.width, height: source.height }
    this.#scale(frameOf(source), whole, canvas, target)
  }

  /** Idempotent. */
  close(): void {
    for (const context of this.#contexts.values()) context.freeContext()
    for (const { frame } of this.#staged.values()) frame.free()
    this.#staged.clear()
    this.#contexts.clear()
    this.#whole?.frame.free()
    this.#whole = undefined
    this.#scratch = undefined
  }

  /**
   * The planes of a native picture are never asked for here: each time makes objects as large as the picture for the
   * garbage collector, which then runs all the time.
   */
  #scale(frame: Frame, crop: PictureArea, canvas: CanvasPlanes, target: PictureArea): void {
    const format = formatOfRange(this.#nodeAv, frame)
    const planar = this.#planar.get(format)
    const { width, height } = frame
    // What is no planar YUV comes whole: none of the codecs of a call makes such.
    const isWhole = planar === undefined || (crop.width === width && crop.height === height)
    if (isWhole) this.#scaleWhole(this.#contextOf(width, height, format, target), frame, canvas, target)
    else this.#scalePart(frame, format, planar, crop, canvas, target)
  }

  #scaleWhole(context: SoftwareScaleContext, picture: Frame, canvas: CanvasPlanes, target: PictureArea): void {
    const { frame, planes, strides } = this.#stagedOf(target)
    checkOpened('swscale', context.scaleFrameSync(frame, picture))
    for (let index = 0; index < 3; index++) {
      const shift = index === 0 ? 0 : 1
      const width = target.width >> shift
      const stride = canvas.width >> shift
      const from = planes[index]!
      const into = canvas.planes[index]!
      let read = 0
      let write = (target.y >> shift) * stride + (target.x >> shift)
      for (let row = target.height >> shift; row > 0; row--, read += strides[index]!, write += stride) {
        into.set(from.subarray(read, read + width), write)
      }
    }
  }

  #stagedOf({ width, height }: PictureSize): NativePicture {
    const key = `${width}x${height}`
    const known = this.#staged.get(key)
    if (known !== undefined) return known
    if (this.#staged.size >= MAX_STAGED) {
      for (const [oldest, { frame }] of this.#staged) {
        frame.free()
        this.#staged.delete(oldest)
        break
      }
    }
    const staged = this.#allocate(this.#nodeAv.constants.AV_PIX_FMT_YUV420P, { width, height }, key)
    this.#staged.set(key, staged)
    return staged
  }

  #allocate(format: Frame['format'], { width, height }: PictureSize, key: string): NativePicture {
    const frame = new this.#nodeAv.lib.Frame()
    frame.alloc()
    frame.format = format
    frame.width = width
    frame.height = height
    checkOpened('a picture', frame.getBuffer(0))
    return { key, frame, planes: (frame.data ?? []).slice(0, 3), strides: frame.linesize.slice(0, 3) }
  }

  #scalePart(
    frame: Frame,
    format: PixelFormat,
    planar: Planar,
    crop: PictureArea,
    canvas: CanvasPlanes,
    target: PictureArea,
  ): void {
    const { planes, strides } = this.#copyOf(frame)
    for (let index = 0; index < 3; index++) {
      const shiftX = index === 0 ? 0 : planar.shiftX
      const shiftY = index === 0 ? 0 : planar.shiftY
      const start = (crop.y >> shiftY) * strides[index]! + (crop.x >> shiftX) * planar.bytes
      this.#source[index] = planes[index]!.subarray(start)
    }
    for (let index = 0; index < 3; index++) {
      const shift = index === 0 ? 0 : 1
      const stride = canvas.width >> shift
      const offset = (target.y >> shift) * stride + (target.x >> shift)
      this.#target[index] = canvas.padded[index]!.subarray(offset) as Buffer
      this.#targetStrides[index] = stride
    }
    const context = this.#contextOf(crop.width, crop.height, format, target)
    const isSpilling = this.#spill.keep(canvas, target)
    const scaled = context.scaleSync(this.#source, strides, 0, crop.height, this.#target, this.#targetStrides)
    checkOpened('swscale', scaled)
    if (isSpilling) this.#spill.restore(canvas, target)
  }

  /** The picture in memory whose planes are known. */
  #copyOf(picture: Frame): NativePicture {
    const key = `${picture.format} ${picture.width}x${picture.height}`
    if (this.#whole?.key !== key) {
      this.#whole?.frame.free()
      this.#whole = this.#allocate(picture.format, picture, key)
    }
    checkOpened('a picture', this.#whole.frame.copy(picture))
    return this.#whole
  }

  #contextOf(width: number, height: number, format: PixelFormat, target: PictureSize): SoftwareScaleContext {
    const key = `${format} ${width}x${height} ${target.width}x${target.height}`
    const known = this.#contexts.get(key)
    if (known !== undefined) {
      // The one that was not used for the longest time stands first.
      if (this.#contexts.size === MAX_CONTEXTS) {
        this.#contexts.delete(key)
        this.#contexts.set(key, known)
      }
      return known
    }
    if (this.#contexts.size >= MAX_CONTEXTS) {
      for (const [oldest, context] of this.#contexts) {
        context.freeContext()
        this.#contexts.delete(oldest)
        break
      }
    }
    const { lib, constants } = this.#nodeAv
    const context = new lib.SoftwareScaleContext()
    const to = constants.AV_PIX_FMT_YUV420P
    context.getContext(width, height, format, target.width, target.height, to, this.#flags as never)
    this.#contexts.set(key, context)
    return context
  }

  /** At least `size`; a square, so that both ways of a telephone fit. */
  #scratchOf(canvas: PictureCanvas, size: PictureSize): CanvasPlanes {
    const side = Math.max(canvas.width, canvas.height, size.width, size.height)
    if (this.#scratch === undefined || this.#scratch.width < side) {
      this.#scratch = canvasPlanes({ width: side, height: side })
    }
    return this.#scratch
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
