import type { NalPieces, VideoCodec } from '@rushes/media'
import type { Frame } from 'node-av/lib'
import { setFrame } from './native-frames.js'
import { loadNodeAv } from './node-av.js'
import { NodeAvVideoDecoder } from './node-av-video-decoder.js'
import { Picture } from './picture.js'

/** Takes a decoded picture and its time. It is gone when this returns: `hold` it elsewhere to keep it. */
export type DecodedPictureSink = (picture: Picture, pts: number) => void

/** Any video codec to pictures that can be kept: synchronous, one thread, in order of presentation. */
export class PictureDecoder {
  readonly #decoder: NodeAvVideoDecoder
  /** Stands for the picture of the moment. */
  readonly #view: Picture
  #sink: DecodedPictureSink = () => {}

  private constructor(decoder: NodeAvVideoDecoder, view: Picture) {
    this.#decoder = decoder
    this.#view = view
  }

  /**
   * `timescale`: ticks per second of the times.
   * Rejects with `CODECS_NODE_AV_MISSING`, `CODECS_NO_SUCH_CODEC` or `CODECS_OPEN_FAILED`.
   */
  static async open(codec: VideoCodec, timescale: number): Promise<PictureDecoder> {
    const decoder = new NodeAvVideoDecoder(await loadNodeAv(), codec, timescale)
    const view = await Picture.create()
    view.close()
    return new PictureDecoder(decoder, view)
  }

  /**
   * `false` where the sample cannot be decoded. A sample that is not `wanted` is decoded only if others may refer to its
   * picture.
   */
  decode(
    sample: { readonly data: readonly Uint8Array[] | Uint8Array; readonly pieces?: NalPieces },
    pts: number,
    sink: DecodedPictureSink,
    wanted = true,
  ): boolean {
    this.#sink = sink
    this.#decoder.skipsUnreferenced = !wanted
    return this.#decoder.decode(sample, pts, this.#picture)
  }

  /** Gives out the pictures that were held back for their order. What comes next must be a keyframe. */
  drain(sink: DecodedPictureSink): void {
    this.#sink = sink
    this.#decoder.drain(this.#picture)
  }

  /** Idempotent. */
  close(): void {
    this.#decoder.close()
  }

  readonly #picture = (frame: Frame): void => {
    setFrame(this.#view, frame)
    this.#sink(this.#view, Number(frame.pts))
    setFrame(this.#view, undefined)
  }
}
