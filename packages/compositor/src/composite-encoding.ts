import {
  CodedConfiguration,
  type CodedPictureSink,
  H264EncoderThread,
  type H264PictureEncoderOptions,
  PictureCanvas,
  PictureScaler,
} from '@rushes/codecs'
import { type Emit, rescale, type TimedItem, type VideoTrack } from '@rushes/media'
import type { ResolvedEncoding } from './composite-settings.js'
import type { CanvasSize } from './layout/canvas-length.js'
import type { LoadStep } from './load-governor.js'

const CLOCK_RATE = 90_000

/** One coded form of the composite picture: in its own size, or in a smaller one. It is encoded while the next is painted. */
export class CompositeEncoding {
  readonly track: VideoTrack
  readonly #canvas: PictureCanvas
  readonly #settings: ResolvedEncoding
  readonly #fps: number
  #encoder: H264EncoderThread
  /** What is encoded in place of the canvas, where that is larger. */
  #small: PictureCanvas | undefined
  #scaler: PictureScaler | undefined
  /** Of the frames in the encoder, in order: the number of the one after it. */
  readonly #nexts: number[] = []
  readonly #configuration = new CodedConfiguration()
  #emit: Emit<TimedItem> = () => {}

  /**
   * @param canvas of the whole picture, whoever paints on it
   * @param fps pictures a second
   */
  static async open(
    id: string,
    canvas: PictureCanvas,
    settings: ResolvedEncoding,
    fps: number,
  ): Promise<CompositeEncoding> {
    const encoder = await H264EncoderThread.open(encoderOptions(settings, fps, fps))
    const encoding = new CompositeEncoding(id, canvas, settings, fps, encoder)
    await encoding.#fit(settings.size)
    return encoding
  }

  private constructor(
    id: string,
    canvas: PictureCanvas,
    settings: ResolvedEncoding,
    fps: number,
    encoder: H264EncoderThread,
  ) {
    this.track = { id, kind: 'video', codec: 'h264', clockRate: CLOCK_RATE }
    this.#canvas = canvas
    this.#settings = settings
    this.#fps = fps
    this.#encoder = encoder
  }

  /**
   * What is on the canvas is the frame of that number.
   * @param next number of the frame after this one
   */
  encode(frame: number, next: number, isKeyframe: boolean, emit: Emit<TimedItem>): void {
    this.#emit = emit
    this.#nexts.push(next)
    this.#encoder.encode(this.#scaled(), frame, isKeyframe, this.#coded)
  }

  /** Pictures are made so from now on; the next one must be a keyframe. */
  async setLoad({ preset, frameStep, sizeDivisor }: LoadStep): Promise<void> {
    const half = (side: number): number => Math.max(16, Math.floor(side / sizeDivisor / 2) * 2)
    const { size } = this.#settings
    const smaller = { width: half(size.width), height: half(size.height) }
    const settings = { ...this.#settings, size: smaller, preset }
    const encoder = await H264EncoderThread.open(encoderOptions(settings, this.#fps / frameStep, this.#fps))
    this.#encoder.flush(this.#coded)
    this.#encoder.close()
    this.#encoder = encoder
    await this.#fit(smaller)
  }

  flush(emit: Emit<TimedItem>): void {
    this.#emit = emit
    this.#encoder.flush(this.#coded)
    emit({ type: 'track-end', trackId: this.track.id })
  }

  close(): void {
    this.#encoder.close()
    this.#small?.close()
    this.#scaler?.close()
  }

  async #fit({ width, height }: CanvasSize): Promise<void> {
    this.#small?.close()
    const isWhole = width === this.#canvas.width && height === this.#canvas.height
    this.#small = isWhole ? undefined : await PictureCanvas.create({ width, height })
    if (!isWhole) this.#scaler ??= await PictureScaler.create()
  }

  #scaled(): PictureCanvas {
    const small = this.#small
    if (small === undefined || this.#scaler === undefined) return this.#canvas
    this.#scaler.drawCanvas(this.#canvas, small, { x: 0, y: 0, width: small.width, height: small.height })
    return small
  }

  readonly #coded: CodedPictureSink = (nalUnits, frame, keyframe) => {
    const pts = rescale(frame, this.#fps, CLOCK_RATE)
    const next = this.#nexts.shift() ?? frame + 1
    const configuration = keyframe ? this.#configuration.next(nalUnits) : undefined
    this.#emit({
      type: 'sample',
      trackId: this.track.id,
      data: nalUnits,
      pts,
      dts: pts,
      duration: rescale(next, this.#fps, CLOCK_RATE) - pts,
      keyframe,
      ...(configuration === undefined ? undefined : { configuration }),
    })
  }
}

function encoderOptions(
  { preset, profile, crf, bitRate, size }: ResolvedEncoding,
  frameRate: number,
  maxFrameRate: number,
): H264PictureEncoderOptions {
  return {
    ...size,
    frameRate,
    maxFrameRate,
    preset,
    profile,
    ...(bitRate === undefined ? { crf: crf ?? 23 } : { bitRate }),
  }
}
