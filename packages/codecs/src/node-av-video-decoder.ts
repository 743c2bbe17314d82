import { type NalPieces, nalPiecesOf, piecesLength, type VideoCodec } from '@rushes/media'
import type { CodecContext, Frame, Packet } from 'node-av/lib'
import { CodecError } from './errors.js'
import { checkOpened, type NodeAv } from './node-av.js'

/** 8192 x 4320, level 6.2 of H264: a damaged header must not make a decoder reserve gigabytes. */
const MAX_PIXELS = '35389440'

/** Takes one decoded picture, which is gone when it returns. Its `pts` is that of its sample. */
export type PictureSink = (picture: Frame) => void

/**
 * Any video codec by way of node-av, synchronous, on one thread: a codec without reordering gives its picture out in
 * the same call, others in order of presentation.
 */
export class NodeAvVideoDecoder {
  readonly #context: CodecContext
  readonly #packet: Packet
  /** The picture that came last, and the one that may replace it. */
  #held: Frame
  #next: Frame
  readonly #startCodes: boolean
  /** The coded picture in one piece; used again for each, so that memory does not pile up. */
  #gathered: Buffer = Buffer.alloc(1 << 16)
  #skipsUnreferenced = false
  #closed = false

  /** Throws `CODECS_NO_SUCH_CODEC` or `CODECS_OPEN_FAILED`. `timescale`: ticks per second of the times. */
  constructor(nodeAv: NodeAv, codec: VideoCodec, timescale: number) {
    const { lib, constants } = nodeAv
    const names = {
      h264: constants.FF_DECODER_H264,
      h265: constants.FF_DECODER_HEVC,
      vp8: constants.FF_DECODER_VP8,
      vp9: constants.FF_DECODER_VP9,
      av1: constants.FF_DECODER_LIBDAV1D,
    }
    const found = lib.Codec.findDecoderByName(names[codec])
    if (found === null)
      throw new CodecError('CODECS_NO_SUCH_CODEC', `this build of node-av has no decoder for ${codec}`)
    this.#startCodes = codec === 'h264' || codec === 'h265'
    this.#context = new lib.CodecContext()
    this.#context.allocContext3(found)
    this.#context.threadCount = 1
    this.#context.pktTimebase = new lib.Rational(1, timescale)
    checkOpened(`${codec} (max_pixels)`, this.#context.setOption('max_pixels', MAX_PIXELS))
    if (codec === 'av1') checkOpened('libdav1d (max_frame_delay)', this.#context.setOption('max_frame_delay', '1'))
    // No dictionary here: open2Sync leaves a dangling pointer in it.
    checkOpened(codec, this.#context.open2Sync(found, null))
    this.#packet = new lib.Packet()
    this.#packet.alloc()
    this.#held = new lib.Frame()
    this.#held.alloc()
    this.#next = new lib.Frame()
    this.#next.alloc()
  }

  /** Pictures that no other refers to are left out from now on; a codec that cannot tell gives them all. */
  set skipsUnreferenced(skips: boolean) {
    if (skips === this.#skipsUnreferenced) return
    this.#skipsUnreferenced = skips
    this.#context.setOption('skip_frame', skips ? 'noref' : 'default')
  }

  /** `false` where the sample cannot be decoded. */
  decode(
    sample: { readonly data: readonly Uint8Array[] | Uint8Array; readonly pieces?: NalPieces },
    pts: number,
    sink: PictureSink,
  ): boolean {
    const bytes = this.#gather(nalPiecesOf(sample))
    // A packet without data would end the stream.
    if (bytes.byteLength === 0) return false
    this.#packet.data = bytes
    this.#packet.pts = BigInt(pts)
    const sent = this.#context.sendPacketSync(this.#packet)
    this.#packet.unref()
    this.#receive(sink)
    return sent >= 0
  }

  /** Gives out the pictures that were held back for their order. What comes next must be a keyframe. */
  drain(sink: PictureSink): void {
    this.#context.sendPacketSync(null)
    this.#receive(sink)
    this.#context.flushBuffers()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#held.free()
    this.#next.free()
    this.#packet.free()
    this.#context.freeContext()
  }

  /** Of several pictures with one time (the spatial layers of a VP9 superframe) only the last is to be shown. */
  #receive(sink: PictureSink): void {
    let isHeld = false
    while (this.#context.receiveFrameSync(this.#next) >= 0) {
      if (isHeld && this.#next.pts !== this.#held.pts) sink(this.#held)
      this.#held.unref()
      const received = this.#next
      this.#next = this.#held
      this.#held = received
      isHeld = true
    }
    if (isHeld) sink(this.#held)
    this.#held.unref()
  }

  #gather(units: NalPieces): Buffer {
    let length = 0
    for (const unit of units) length += piecesLength(unit) + 4
    if (this.#gathered.byteLength < length) this.#gathered = Buffer.alloc(length * 2)
    let offset = 0
    for (const unit of units) {
      if (this.#startCodes) offset = this.#gathered.writeUInt32BE(1, offset)
      for (const piece of unit) {
        this.#gathered.set(piece, offset)
        offset += piece.byteLength
      }
    }
    return this.#gathered.subarray(0, offset)
  }
}
