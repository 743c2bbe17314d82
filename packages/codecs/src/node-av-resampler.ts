import type { SoftwareResampleContext } from 'node-av/lib'
import type { PcmSink } from './continuous-audio.js'
import { channelLayout, checkOpened, type NodeAv } from './node-av.js'

/** Most samples that one call may put in. */
const MAX_INPUT_SAMPLES = 8192

/** One continuous sound from one rate to another by way of node-av (libswresample), without an offset. */
export class NodeAvResampler {
  readonly #context: SoftwareResampleContext
  readonly #output: readonly Float32Array[]
  readonly #outputBytes: Buffer[]
  #closed = false

  /** Throws `CODECS_OPEN_FAILED`. */
  constructor(nodeAv: NodeAv, channels: number, inputRate: number, outputRate: number) {
    const { lib, constants } = nodeAv
    const layout = channelLayout(nodeAv, channels)
    const format = constants.AV_SAMPLE_FMT_FLTP
    this.#context = new lib.SoftwareResampleContext()
    checkOpened('swr', this.#context.allocSetOpts2(layout, format, outputRate, layout, format, inputRate))
    checkOpened('swr', this.#context.init())
    const capacity = Math.ceil((MAX_INPUT_SAMPLES * outputRate) / inputRate) + 256
    this.#output = Array.from({ length: channels }, () => new Float32Array(capacity))
    this.#outputBytes = this.#output.map((plane) => bytesOf(plane, capacity))
  }

  /** The planes given to `sink` are used again afterwards. */
  convert(planes: readonly Float32Array[], samples: number, sink: PcmSink): void {
    this.#convert(
      planes.map((plane) => bytesOf(plane, samples)),
      samples,
      sink,
    )
  }

  /** Gives out what the filter still holds. */
  flush(sink: PcmSink): void {
    this.#convert(null, 0, sink)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#context.free()
  }

  #convert(input: Buffer[] | null, samples: number, sink: PcmSink): void {
    const capacity = this.#output[0]!.length
    const converted = this.#context.convertSync(this.#outputBytes, capacity, input, samples)
    checkOpened('swr', converted)
    if (converted > 0) sink(this.#output, converted)
  }
}

function bytesOf(plane: Float32Array, samples: number): Buffer {
  return Buffer.from(plane.buffer, plane.byteOffset, samples * 4)
}
