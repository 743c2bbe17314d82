import { h264Level } from './h264-level.js'
import { frameOf } from './native-frames.js'
import { loadNodeAv } from './node-av.js'
import { type H264Latency, type H264Preset, type H264Profile, NodeAvH264Encoder } from './node-av-h264-encoder.js'
import { PictureCanvas } from './picture-canvas.js'
import type { PictureSize } from './picture-fit.js'

/** How painted pictures become H264. */
export interface H264PictureEncoderOptions extends PictureSize {
  /** Pictures per second; they come at a constant rate. */
  readonly frameRate: number
  /**
   * The most pictures per second that any encoder of the same stream gets: the level is of this rate, so that it stays
   * when one takes over from another. @defaultValue frameRate
   */
  readonly maxFrameRate?: number
  /** @defaultValue 'veryfast' */
  readonly preset?: H264Preset
  /** @defaultValue 'high' */
  readonly profile?: H264Profile
  /** x264's constant rate factor, 0 (best) to 51. @defaultValue 23, without `bitRate` */
  readonly crf?: number
  /** Bits per second on average; `crf` does not count then. */
  readonly bitRate?: number
  /** @defaultValue 1 */
  readonly threads?: number
  /** `lookahead` codes better and gives pictures out some 15 to 50 later. @defaultValue 'none' */
  readonly latency?: H264Latency
}

/**
 * Takes one coded picture: NAL units without start codes, of memory of their own, and the number that its picture had.
 * Pictures come in order, and none is decoded out of order.
 */
export type CodedPictureSink = (nalUnits: readonly Uint8Array[], frame: number, keyframe: boolean) => void

/** Frame rates may be fractions. */
const TICKS_PER_FRAME = 1000

/**
 * H264 from canvases of one size at a constant rate. Keyframes (IDR, with parameter sets before them) stand where they
 * are asked for, and nowhere else but at the start.
 */
export class H264PictureEncoder {
  readonly #encoder: NodeAvH264Encoder
  #sink: CodedPictureSink = () => {}

  private constructor(encoder: NodeAvH264Encoder) {
    this.#encoder = encoder
  }

  /** Rejects with `CODECS_NODE_AV_MISSING`, `CODECS_NO_SUCH_CODEC` or `CODECS_OPEN_FAILED`. */
  static async open(options: H264PictureEncoderOptions): Promise<H264PictureEncoder> {
    const { frameRate, preset = 'veryfast', crf = 23, bitRate } = options
    const nodeAv = await loadNodeAv()
    const canvas = await PictureCanvas.create({ width: 16, height: 16 })
    const timescale = Math.round(frameRate * TICKS_PER_FRAME)
    const level = h264Level(options, options.maxFrameRate ?? frameRate, bitRate)
    try {
      return new H264PictureEncoder(
        new NodeAvH264Encoder(nodeAv, frameOf(canvas), { ...options, timescale, preset, crf, bitRate, level }),
      )
    } finally {
      canvas.close()
    }
  }

  /** `frame` must increase. The canvas is the caller's again when this returns. Throws `CODECS_ENCODE_FAILED`. */
  encode(canvas: PictureCanvas, frame: number, keyframe: boolean, sink: CodedPictureSink): void {
    this.#sink = sink
    this.#encoder.encode(frameOf(canvas), frame * TICKS_PER_FRAME, keyframe, this.#coded)
  }

  /** Gives out what is still inside. Nothing can be encoded afterwards. */
  flush(sink: CodedPictureSink): void {
    this.#sink = sink
    this.#encoder.flush(this.#coded)
  }

  /** Idempotent. */
  close(): void {
    this.#encoder.close()
  }

  readonly #coded = (nalUnits: readonly Uint8Array[], pts: number, keyframe: boolean): void => {
    this.#sink(nalUnits, pts / TICKS_PER_FRAME, keyframe)
  }
}
