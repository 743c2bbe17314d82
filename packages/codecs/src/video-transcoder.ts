import {
  type Emit,
  type EncodedSample,
  type Rotation,
  type Stage,
  type TimedItem,
  timescaleOf,
  type VideoTrack,
} from '@rushes/media'
import type { Frame } from 'node-av/lib'
import { CodedConfiguration } from './coded-configuration.js'
import { CodecError } from './errors.js'
import { loadNodeAv, type NodeAv } from './node-av.js'
import { type H264Sink, NodeAvH264Encoder } from './node-av-h264-encoder.js'
import { NodeAvVideoDecoder } from './node-av-video-decoder.js'
import { PictureConverter } from './picture-converter.js'
import { fitPicture, type PictureFit } from './picture-fit.js'
import { type PictureFacts, PictureLedger } from './picture-ledger.js'
import { PictureRate } from './picture-rate.js'
import { checkVideoTranscoderOptions, type VideoTranscoderOptions } from './video-transcoder-options.js'

/** Counters since the start. */
export interface VideoTranscoderStats {
  /** Coded pictures that came in. */
  readonly picturesIn: number
  /** Coded pictures that went out. */
  readonly picturesOut: number
  readonly keyframesOut: number
  /** Samples that the decoder refused: broken, or before the first keyframe. */
  readonly decodeErrors: number
  /** Pictures in which the decoder found damage and covered it up; they go out. */
  readonly damagedPictures: number
  /** Decoded pictures that were left out, since their time was taken or past. */
  readonly droppedPictures: number
  /** How often an encoder was opened: 1, and once more for each change of size or colours. */
  readonly encoders: number
  /** Samples after the track's end. */
  readonly lateSamples: number
}

/** A stage from one video codec to H264. Its calls are synchronous: 3 to 10 ms for a picture of 720p. */
export interface VideoTranscoder extends Stage<TimedItem, TimedItem> {
  /** What comes out: the same id and times, codec `h264`. */
  readonly track: VideoTrack
  readonly stats: VideoTranscoderStats
  /** The next picture becomes a keyframe. */
  requestKeyframe(): void
  /** Gives native memory back; `flush` does so too. Call it when the stage is given up. Idempotent. */
  close(): void
}

/**
 * VP8, VP9, AV1, H265 or H264 in, H264 out. Pictures keep their presentation times; their decoding times are the same.
 * Keyframes: the first picture, each new size or rotation, what was asked for, and at least every `keyframeInterval`.
 * Rejects with `CODECS_NODE_AV_MISSING`, `CODECS_NO_SUCH_CODEC` or `CODECS_OPEN_FAILED`.
 */
export async function createVideoTranscoder(options: VideoTranscoderOptions): Promise<VideoTranscoder> {
  checkVideoTranscoderOptions(options)
  const nodeAv = await loadNodeAv()
  const { lib, constants } = nodeAv
  if (lib.Codec.findEncoderByName(constants.FF_ENCODER_LIBX264) === null) {
    throw new CodecError('CODECS_NO_SUCH_CODEC', 'this build of node-av has no encoder libx264')
  }
  const { codec } = options.track
  return new H264Transcoder(nodeAv, options, new NodeAvVideoDecoder(nodeAv, codec, timescaleOf(options.track)))
}

class H264Transcoder implements VideoTranscoder {
  readonly track: VideoTrack
  readonly #nodeAv: NodeAv
  readonly #options: VideoTranscoderOptions
  readonly #decoder: NodeAvVideoDecoder
  readonly #converter: PictureConverter
  readonly #ledger = new PictureLedger()
  readonly #timescale: number
  readonly #keyframeTicks: number
  readonly #frameRate: number
  readonly #rate: PictureRate
  #encoder: NodeAvH264Encoder | undefined
  /** What the encoder was opened for. */
  #encoderKey = ''
  readonly #configuration = new CodedConfiguration()
  #rotation: Rotation = 0
  #state: 'open' | 'ended' | 'closed' = 'open'
  #emit: Emit<TimedItem> = () => {}
  /** Facts of the picture in the encoder, which gives it out in the same call. */
  #facts: PictureFacts = { discontinuity: false, lostPackets: 0, arrivalUs: undefined }
  #isKeyframeWanted = true
  #lastKeyframe = Number.NEGATIVE_INFINITY
  /** No time at or before this may go out. */
  #lastPts = Number.NEGATIVE_INFINITY
  #promised = Number.NEGATIVE_INFINITY
  readonly #stats = {
    picturesIn: 0,
    picturesOut: 0,
    keyframesOut: 0,
    decodeErrors: 0,
    damagedPictures: 0,
    droppedPictures: 0,
    encoders: 0,
    lateSamples: 0,
  }

  constructor(nodeAv: NodeAv, options: VideoTranscoderOptions, decoder: NodeAvVideoDecoder) {
    const { fmtp: _, ...track } = options.track
    this.track = { ...track, codec: 'h264' }
    this.#nodeAv = nodeAv
    this.#options = options
    this.#decoder = decoder
    this.#converter = new PictureConverter(nodeAv)
    this.#timescale = timescaleOf(options.track)
    this.#frameRate = options.frameRate ?? 30
    this.#rate = new PictureRate(this.#frameRate)
    this.#keyframeTicks = (options.keyframeInterval ?? 2) * this.#timescale
  }

  get stats(): VideoTranscoderStats {
    return this.#stats
  }

  requestKeyframe(): void {
    this.#isKeyframeWanted = true
  }

  push(item: TimedItem, emit: Emit<TimedItem>): void {
    if (this.#state === 'closed') throw new CodecError('CODECS_CLOSED', 'the transcoder has been closed')
    this.#emit = emit
    if (item.type === 'sample') this.#sample(item)
    else if (item.type === 'watermark') this.#promise(item.dts)
    else {
      this.#end()
      emit(item)
    }
  }

  flush(emit: Emit<TimedItem>): void {
    if (this.#state === 'closed') return
    this.#emit = emit
    this.#end()
    this.close()
  }

  close(): void {
    this.#state = 'closed'
    this.#decoder.close()
    this.#converter.close()
    this.#encoder?.close()
    this.#encoder = undefined
  }

  #sample(sample: EncodedSample): void {
    this.#stats.picturesIn++
    if (this.#state === 'ended') {
      this.#stats.lateSamples++
      return
    }
    if (sample.configuration?.kind === 'video') {
      this.#rotation = sample.configuration.rotation
      this.#isKeyframeWanted = true
    }
    this.#ledger.enter(sample)
    if (!this.#decoder.decode(sample, sample.pts, this.#picture)) {
      this.#stats.decodeErrors++
      this.#ledger.fail(sample.pts)
    }
  }

  readonly #picture = (picture: Frame): void => {
    const pts = Number(picture.pts)
    const facts = this.#ledger.leave(pts)
    if (!Number.isSafeInteger(pts) || pts <= this.#lastPts || pts < this.#promised) {
      this.#stats.droppedPictures++
      this.#ledger.skip(facts)
      return
    }
    if (picture.decodeErrorFlags !== 0) this.#stats.damagedPictures++
    const fit = fitPicture(picture, this.#options)
    const converted = this.#converter.convert(picture, fit)
    const encoder = this.#encoderFor(picture, fit)
    if (this.#rate.see(pts / this.#timescale)) this.#applyBitRate()
    const isKeyframe = this.#isKeyframeWanted || pts - this.#lastKeyframe >= this.#keyframeTicks
    this.#isKeyframeWanted = false
    this.#lastPts = pts
    this.#facts = facts
    encoder.encode(converted, pts, isKeyframe, this.#coded)
  }

  readonly #coded: H264Sink = (nalUnits, pts, keyframe) => {
    const { discontinuity, lostPackets, arrivalUs } = this.#facts
    const configuration = keyframe ? this.#configuration.next(nalUnits, this.#rotation) : undefined
    if (keyframe) {
      this.#lastKeyframe = pts
      this.#stats.keyframesOut++
    }
    this.#stats.picturesOut++
    this.#emit({
      type: 'sample',
      trackId: this.track.id,
      data: nalUnits,
      pts,
      dts: pts,
      keyframe,
      ...(configuration === undefined ? undefined : { configuration }),
      ...(discontinuity ? { discontinuity } : undefined),
      ...(lostPackets > 0 ? { lostPackets } : undefined),
      ...(arrivalUs === undefined ? undefined : { arrivalUs }),
    })
  }

  /** The encoder for pictures like this one. An old one holds nothing back, so that it can just go. */
  #encoderFor(picture: Frame, { canvas }: PictureFit): NodeAvH264Encoder {
    const { colorSpace, colorPrimaries, colorTrc } = picture
    const key = [canvas.width, canvas.height, colorSpace, colorPrimaries, colorTrc].join()
    if (this.#encoder !== undefined && key === this.#encoderKey) return this.#encoder
    this.#encoder?.close()
    const { bitRate, crf = 23, preset = 'veryfast' } = this.#options
    const times = { timescale: this.#timescale, frameRate: this.#frameRate }
    this.#encoder = new NodeAvH264Encoder(this.#nodeAv, picture, { ...canvas, ...times, preset, bitRate, crf })
    this.#applyBitRate()
    this.#encoderKey = key
    this.#isKeyframeWanted = true
    this.#stats.encoders++
    return this.#encoder
  }

  /** The rate control counts pictures and not time. */
  #applyBitRate(): void {
    const { bitRate } = this.#options
    if (bitRate !== undefined) this.#encoder?.setBitRate((bitRate * this.#frameRate) / this.#rate.perSecond)
  }

  /**
   * Pictures that the decoder holds back for their order may still come out, so the promise waits for them; but not for
   * longer than a second, since a track that is silent now must not hold up the others.
   */
  #promise(dts: number): void {
    const { earliest } = this.#ledger
    let promise = dts
    if (earliest < dts) {
      if (dts - earliest < this.#timescale) promise = earliest
      else this.#ledger.giveUp(dts)
    }
    if (this.#state !== 'open' || promise <= this.#promised || promise <= this.#lastPts) return
    this.#promised = promise
    this.#emit({ type: 'watermark', trackId: this.track.id, dts: promise })
  }

  #end(): void {
    if (this.#state !== 'open') return
    this.#decoder.drain(this.#picture)
    this.#encoder?.flush(this.#coded)
    this.#state = 'ended'
  }
}
