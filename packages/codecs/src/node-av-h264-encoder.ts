import { NalUnitType, nalUnitTypeOf, splitAnnexB } from '@rushes/bitstream'
import type { CodecContext, Frame, Packet } from 'node-av/lib'
import { CodecError } from './errors.js'
import { checkOpened, type NodeAv } from './node-av.js'
import type { PictureSize } from './picture-fit.js'

/** Speeds of x264 that make sense for live pictures, fastest first. */
export type H264Preset = 'ultrafast' | 'superfast' | 'veryfast' | 'faster' | 'fast' | 'medium'

/** What an encoder needs to know. */
export interface H264EncoderOptions extends PictureSize {
  /** Ticks per second of the times. */
  readonly timescale: number
  /** Pictures per second that the rate control takes for granted; their times may be irregular. */
  readonly frameRate: number
  readonly preset: H264Preset
  /** Bits per second on average; without it `crf` rules. */
  readonly bitRate: number | undefined
  readonly crf: number
  /** @defaultValue 'high' */
  readonly profile?: H264Profile
  /** With more than one a picture is made of slices, or with lookahead several are coded at once. @defaultValue 1 */
  readonly threads?: number
  /** @defaultValue 'none' */
  readonly latency?: H264Latency
  /** Like `3.1`. @defaultValue the lowest that will do */
  readonly level?: string
}

/** What a decoder must be able to do. */
export type H264Profile = 'baseline' | 'main' | 'high'

/**
 * Whether a coded picture comes out in the same call, or later, when the encoder has seen what follows: better pictures
 * for the same bits, where nobody waits.
 */
export type H264Latency = 'none' | 'lookahead'

/** Takes one coded picture: NAL units without start codes, of memory of their own. */
export type H264Sink = (nalUnits: readonly Uint8Array[], pts: number, keyframe: boolean) => void

/** More than any recording has pictures: keyframes come when they are asked for and not by count. */
const NEVER = 1 << 30

/**
 * H264 by libx264 through node-av: synchronous, by default on one thread and without delay; no B-frames, so that the
 * decoding time of a picture is its presentation time. Parameter sets stand before every IDR picture.
 */
export class NodeAvH264Encoder {
  readonly #nodeAv: NodeAv
  readonly #context: CodecContext
  readonly #packet: Packet
  #closed = false

  /** The first picture tells its colours. Throws `CODECS_NO_SUCH_CODEC` or `CODECS_OPEN_FAILED`. */
  constructor(nodeAv: NodeAv, picture: Frame, options: H264EncoderOptions) {
    const { lib, constants } = nodeAv
    this.#nodeAv = nodeAv
    const codec = lib.Codec.findEncoderByName(constants.FF_ENCODER_LIBX264)
    if (codec === null) throw new CodecError('CODECS_NO_SUCH_CODEC', 'this build of node-av has no encoder libx264')
    const { width, height, timescale, frameRate, preset, bitRate, crf } = options
    const { profile = 'high', threads = 1, latency = 'none', level } = options
    const context = new lib.CodecContext()
    this.#context = context
    context.allocContext3(codec)
    context.width = width
    context.height = height
    context.pixelFormat = constants.AV_PIX_FMT_YUV420P
    context.timeBase = new lib.Rational(1, timescale)
    context.framerate = new lib.Rational(Math.round(frameRate * 1000), 1000)
    context.threadCount = threads
    context.gopSize = NEVER
    context.maxBFrames = 0
    context.colorRange = constants.AVCOL_RANGE_MPEG
    context.colorSpace = picture.colorSpace
    context.colorPrimaries = picture.colorPrimaries
    context.colorTrc = picture.colorTrc
    context.sampleAspectRatio = picture.sampleAspectRatio
    context.setFlags(constants.AV_CODEC_FLAG_CLOSED_GOP)
    if (bitRate !== undefined) {
      // One second: what a player that starts at a keyframe has to wait for at most.
      context.rcBufferSize = bitRate
      this.setBitRate(bitRate)
    }
    const settings: Readonly<Record<string, string>> = {
      preset,
      ...(latency === 'none' ? { tune: 'zerolatency' } : {}),
      profile,
      ...(level === undefined ? {} : { level }),
      'forced-idr': '1',
      sc_threshold: '0',
      ...(bitRate === undefined ? { crf: String(crf) } : {}),
    }
    // No dictionary here: open2Sync leaves a dangling pointer in it.
    for (const [name, value] of Object.entries(settings)) {
      checkOpened(`libx264 (${name})`, context.setOption(name, value))
    }
    checkOpened('libx264', context.open2Sync(codec, null))
    this.#packet = new lib.Packet()
    this.#packet.alloc()
  }

  /** `pts` must increase. The picture is the caller's again when this returns. */
  encode(picture: Frame, pts: number, asKeyframe: boolean, sink: H264Sink): void {
    const { AV_PICTURE_TYPE_I, AV_PICTURE_TYPE_NONE, AVCOL_RANGE_MPEG } = this.#nodeAv.constants
    picture.pts = BigInt(pts)
    picture.pictType = asKeyframe ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE
    picture.colorRange = AVCOL_RANGE_MPEG
    this.#send(picture)
    this.#receive(sink)
  }

  /**
   * Bits per second, if pictures came at `frameRate`. x264 could follow their times by itself, but would hold back a
   * picture for it.
   */
  setBitRate(bitRate: number): void {
    this.#context.bitRate = BigInt(Math.round(bitRate))
    this.#context.rcMaxRate = BigInt(Math.round(bitRate))
  }

  flush(sink: H264Sink): void {
    this.#send(null)
    this.#receive(sink)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#packet.free()
    this.#context.freeContext()
  }

  #send(picture: Frame | null): void {
    const returned = this.#context.sendFrameSync(picture)
    if (returned < 0) throw new CodecError('CODECS_ENCODE_FAILED', `the H264 encoder returned ${returned}`)
  }

  #receive(sink: H264Sink): void {
    while (this.#context.receivePacketSync(this.#packet) >= 0) {
      const { data, isKeyframe } = this.#packet
      const pts = Number(this.#packet.pts)
      const copy = data === null ? undefined : new Uint8Array(data)
      this.#packet.unref()
      if (copy === undefined) continue
      // What x264 tells of its settings is for nobody.
      const nalUnits = splitAnnexB(copy).filter((nalUnit) => nalUnitTypeOf(nalUnit) !== NalUnitType.sei)
      sink(nalUnits, pts, isKeyframe)
    }
  }
}
