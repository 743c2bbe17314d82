import type { AacSink, NodeAvAacEncoder } from './node-av-aac-encoder.js'
import { AAC_FRAME_SAMPLES } from './node-av-aac-encoder.js'
import { PcmFifo } from './pcm-fifo.js'

/** Frames of silence after which the encoder's output repeats: its look-ahead and overlap (3 at most) are past. */
const STEADY_FRAMES = 6
/** A whole frame, and what is usually written at once. */
const CAPACITY_SAMPLES = 4 * AAC_FRAME_SAMPLES

/**
 * Continuous sound in, AAC frames out, one after the other. In a long silence every frame is the same, so that one is
 * repeated and the encoder rests: ten minutes of it cost milliseconds.
 */
export class AacFramer {
  readonly #encoder: NodeAvAacEncoder
  readonly #fifo: PcmFifo
  readonly #emit: AacSink
  /** Samples that the encoder never saw. */
  #skipped = 0
  /** Where the next frame goes. */
  #next = 0
  /** All samples so far, known at the end: where the last frame is cut. */
  #written = 0
  #silentFrames = 0
  #last: Uint8Array | undefined
  #repeats = false
  readonly #encoded: AacSink = (data, position) => {
    // What is wholly before the first sample is the run-up of the encoder.
    if (position < 0) return
    this.#repeats = this.#last !== undefined && isSame(this.#last, data)
    this.#last = data
    this.#give(data, position + this.#skipped)
  }

  /** `emit` gets the frames with their position in samples; all but the last stand for 1024. */
  constructor(encoder: NodeAvAacEncoder, channels: number, emit: AacSink) {
    this.#encoder = encoder
    this.#fifo = new PcmFifo(channels, CAPACITY_SAMPLES)
    this.#emit = emit
  }

  /** Position of the frame that comes next. */
  get next(): number {
    return this.#next
  }

  /** Samples that have been written. */
  get written(): number {
    return this.#written
  }

  write(planes: readonly Float32Array[], samples: number): void {
    for (let offset = 0; offset < samples; ) {
      const count = Math.min(samples - offset, this.#fifo.space)
      this.#fifo.write(planes, offset, count)
      this.#written += count
      offset += count
      while (this.#fifo.length >= AAC_FRAME_SAMPLES) {
        this.#encode(AAC_FRAME_SAMPLES)
        this.#fifo.drop(AAC_FRAME_SAMPLES)
      }
    }
  }

  flush(): void {
    if (this.#fifo.length > 0) this.#encode(this.#fifo.length)
    this.#encoder.flush(this.#encoded)
  }

  #encode(samples: number): void {
    this.#silentFrames = this.#isSilent(samples) ? this.#silentFrames + 1 : 0
    if (
      this.#silentFrames > STEADY_FRAMES &&
      this.#repeats &&
      this.#last !== undefined &&
      samples === AAC_FRAME_SAMPLES
    ) {
      this.#skipped += samples
      this.#give(this.#last.slice(), this.#next)
      return
    }
    this.#encoder.encode(this.#fifo.planes, samples, this.#encoded)
  }

  #give(data: Uint8Array, position: number): void {
    // An encoder with a longer delay may give out one more frame than the sound fills.
    if (position >= this.#written) return
    this.#next = position + AAC_FRAME_SAMPLES
    this.#emit(data, position)
  }

  #isSilent(samples: number): boolean {
    return this.#fifo.planes.every((plane) => {
      for (let index = 0; index < samples; index++) if (plane[index] !== 0) return false
      return true
    })
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index])
}
