import type { Frame } from 'node-av/lib'
import { setFrame } from './native-frames.js'
import { loadNodeAv, type NodeAv } from './node-av.js'
import type { PictureSize } from './picture-fit.js'

/** A part of a picture, in pixels. */
export interface PictureArea extends PictureSize {
  readonly x: number
  readonly y: number
}

/** A colour as the planes have it: BT.709 in limited range. */
export type YuvColor = readonly [y: number, u: number, v: number]

/** Memory in the shape of a canvas. */
export interface CanvasPlanes extends PictureSize {
  readonly planes: readonly [Uint8Array, Uint8Array, Uint8Array]
}

/** The planes of 8-bit 4:2:0 in one piece of memory, without space between them. */
export function canvasPlanes(
  { width, height }: PictureSize,
  memory: Buffer = Buffer.alloc((width * height * 3) / 2),
): CanvasPlanes & { readonly memory: Buffer } {
  const luma = width * height
  const [blue, red] = [luma, (luma / 4) * 5]
  const planes = [memory.subarray(0, blue), memory.subarray(blue, red), memory.subarray(red)] as const
  return { width, height, planes, memory }
}

/** Black in limited range. */
const BLACK: YuvColor = [16, 128, 128]

/**
 * A picture to paint on and to encode: 8-bit 4:2:0, BT.709 in limited range, square pixels. The planes lie in one piece of
 * memory, and an encoder reads them where they are.
 */
export class PictureCanvas {
  readonly width: number
  readonly height: number
  /** Luma and the two chroma planes, without padding: strides are `width`, `width / 2`, `width / 2`. */
  readonly planes: readonly [Uint8Array, Uint8Array, Uint8Array]
  readonly #frame: Frame
  #closed = false

  private constructor({ lib, constants }: NodeAv, { width, height }: PictureSize, given?: Buffer) {
    this.width = width
    this.height = height
    const { planes, memory } = canvasPlanes({ width, height }, given)
    this.planes = planes
    const format = constants.AV_PIX_FMT_YUV420P
    // A view, not a copy: what is painted later is in the frame.
    this.#frame = lib.Frame.fromVideoBuffer(memory, { width, height, format })
    this.#frame.colorRange = constants.AVCOL_RANGE_MPEG
    this.#frame.colorSpace = constants.AVCOL_SPC_BT709
    this.#frame.colorPrimaries = constants.AVCOL_PRI_BT709
    this.#frame.colorTrc = constants.AVCOL_TRC_BT709
    setFrame(this, this.#frame)
    if (given === undefined) this.fillArea({ x: 0, y: 0, width, height }, BLACK)
  }

  /** A black one; sides are even. Rejects with `CODECS_NODE_AV_MISSING`. */
  static async create(size: PictureSize): Promise<PictureCanvas> {
    return new PictureCanvas(await loadNodeAv(), size)
  }

  /** One to encode from, whose memory somebody else paints: 4:2:0 in one piece. */
  static async over(memory: SharedArrayBuffer, size: PictureSize): Promise<PictureCanvas> {
    return new PictureCanvas(await loadNodeAv(), size, Buffer.from(memory))
  }

  /** All of `area` in one colour; it is even and within the canvas. */
  fillArea({ x, y, width, height }: PictureArea, color: YuvColor): void {
    for (let index = 0; index < 3; index++) {
      const plane = this.planes[index]!
      const shift = index === 0 ? 0 : 1
      const stride = this.width >> shift
      const from = x >> shift
      const count = width >> shift
      const end = (y + height) >> shift
      for (let row = y >> shift; row < end; row++) {
        plane.fill(color[index]!, row * stride + from, row * stride + from + count)
      }
    }
  }

  /** Gives the native view back; the planes stay. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    setFrame(this, undefined)
    this.#frame.free()
  }
}
