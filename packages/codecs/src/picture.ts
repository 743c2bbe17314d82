import type { Rotation } from '@rushes/media'
import { frameOf, setFrame } from './native-frames.js'
import { loadNodeAv } from './node-av.js'

/** Sample aspect ratios beyond this are damage, or a joke. */
const MAX_ASPECT = 16

let serials = 0

/**
 * A place for one decoded picture, used again and again: it refers to the decoder's memory and copies nothing.
 * Sizes are those of the picture as it is to be shown: upright, with square pixels.
 */
export class Picture {
  #width = 0
  #height = 0
  #pts = 0
  #rotation: Rotation = 0
  #serial = 0

  private constructor() {}

  /** An empty place. Rejects with `CODECS_NODE_AV_MISSING`. */
  static async create(): Promise<Picture> {
    const { lib } = await loadNodeAv()
    const picture = new Picture()
    const frame = new lib.Frame()
    frame.alloc()
    setFrame(picture, frame)
    return picture
  }

  /** Pixels as shown; 0 while it is empty. */
  get width(): number {
    return this.#width
  }

  /** Pixels as shown; 0 while it is empty. */
  get height(): number {
    return this.#height
  }

  /** The time that the decoder was given with it. */
  get pts(): number {
    return this.#pts
  }

  /** Clockwise, to be applied. */
  get rotation(): Rotation {
    return this.#rotation
  }

  /** Another number for each picture that was ever held, 0 while it is empty: what did not change need not be painted. */
  get serial(): number {
    return this.#serial
  }

  /** Holds the same picture as `other` from now on, turned by `rotation`. */
  hold(other: Picture, rotation: Rotation): void {
    const frame = frameOf(this)
    const source = frameOf(other)
    frame.unref()
    frame.ref(source)
    const { num, den } = source.sampleAspectRatio
    const given = num > 0 && den > 0 ? num / den : 1
    const aspect = given > 1 / MAX_ASPECT && given < MAX_ASPECT ? given : 1
    const width = Math.max(1, Math.round(source.width * aspect))
    const isTurned = rotation === 90 || rotation === 270
    this.#width = isTurned ? source.height : width
    this.#height = isTurned ? width : source.height
    this.#pts = Number(source.pts)
    this.#rotation = rotation
    serials++
    this.#serial = serials
  }

  /** Gives its memory back to the decoder. */
  clear(): void {
    frameOf(this).unref()
    this.#width = 0
    this.#height = 0
    this.#serial = 0
  }

  /** It cannot be used afterwards. Idempotent. */
  close(): void {
    if (this.#width < 0) return
    this.#width = -1
    frameOf(this).free()
    setFrame(this, undefined)
  }
}
