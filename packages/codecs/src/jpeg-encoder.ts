import { writeJfif } from './colour-matrix.js'
import { CodecError } from './errors.js'
import { checkOpened, loadNodeAv, type NodeAv } from './node-av.js'
import { canvasPlanes, type PictureCanvas } from './picture-canvas.js'
import type { PictureSize } from './picture-fit.js'

/** Quantiser of `mjpeg`, 1 (best) to 31: of a 720p picture some 100 KB. */
const QUANTISER = 4
/** FFmpeg's unit of quality: FF_QP2LAMBDA. */
const LAMBDA = 118

/** Still pictures of canvases as JPEG files (JFIF: BT.601 in full range). */
export class JpegEncoder {
  readonly #nodeAv: NodeAv

  private constructor(nodeAv: NodeAv) {
    this.#nodeAv = nodeAv
  }

  /** Rejects with `CODECS_NODE_AV_MISSING`. */
  static async create(): Promise<JpegEncoder> {
    return new JpegEncoder(await loadNodeAv())
  }

  /**
   * The canvas, or as much of it as `size` (even sides) from its upper left corner. About 6 ms for 1280x720.
   * Throws `CODECS_NO_SUCH_CODEC`, `CODECS_OPEN_FAILED` or `CODECS_ENCODE_FAILED`.
   */
  encode(canvas: PictureCanvas, size: PictureSize = canvas): Uint8Array {
    const { lib, constants } = this.#nodeAv
    const { width, height } = size
    const codec = lib.Codec.findEncoderByName(constants.FF_ENCODER_MJPEG)
    if (codec === null) throw new CodecError('CODECS_NO_SUCH_CODEC', 'this build of node-av has no encoder mjpeg')
    const planes = canvasPlanes({ width, height })
    writeJfif(canvas, planes)
    const format = constants.AV_PIX_FMT_YUVJ420P
    const frame = lib.Frame.fromVideoBuffer(planes.memory, { width, height, format })
    const context = new lib.CodecContext()
    const packet = new lib.Packet()
    packet.alloc()
    try {
      frame.colorRange = constants.AVCOL_RANGE_JPEG
      frame.pts = 0n
      frame.quality = QUANTISER * LAMBDA
      context.allocContext3(codec)
      context.width = width
      context.height = height
      context.pixelFormat = format
      context.colorRange = constants.AVCOL_RANGE_JPEG
      context.timeBase = new lib.Rational(1, 1)
      context.threadCount = 1
      context.setFlags(constants.AV_CODEC_FLAG_QSCALE)
      context.globalQuality = QUANTISER * LAMBDA
      checkOpened('mjpeg', context.open2Sync(codec, null))
      const returned = context.sendFrameSync(frame)
      if (returned < 0) throw new CodecError('CODECS_ENCODE_FAILED', `the JPEG encoder returned ${returned}`)
      const received = context.receivePacketSync(packet)
      const { data } = packet
      if (received < 0 || data === null) {
        throw new CodecError('CODECS_ENCODE_FAILED', `the JPEG encoder returned ${received}`)
      }
      return new Uint8Array(data)
    } finally {
      packet.free()
      context.freeContext()
      frame.free()
    }
  }
}
