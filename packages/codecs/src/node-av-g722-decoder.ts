import type { CodecContext, Frame, Packet } from 'node-av/lib'
import { checkOpened, type NodeAv } from './node-av.js'

const SAMPLE_RATE = 16_000

/**
 * ITU-T G.722 at 64 kbit/s by way of node-av: a byte is two samples at 16 kHz. Its adaptation finds back by itself
 * after a loss.
 */
export class NodeAvG722Decoder {
  readonly #nodeAv: NodeAv
  readonly #packet: Packet
  readonly #frame: Frame
  #context: CodecContext
  #closed = false

  /** Throws `CODECS_OPEN_FAILED`. */
  constructor(nodeAv: NodeAv) {
    this.#nodeAv = nodeAv
    this.#context = this.#open()
    this.#packet = new nodeAv.lib.Packet()
    this.#packet.alloc()
    this.#frame = new nodeAv.lib.Frame()
    this.#frame.alloc()
  }

  /** Writes the samples to `output` and returns how many there are: 0 where it cannot be decoded. */
  decode(packet: Uint8Array, output: Float32Array): number {
    // A packet without data would end the stream.
    if (packet.byteLength === 0) return 0
    this.#packet.data = Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength)
    const sent = this.#context.sendPacketSync(this.#packet)
    this.#packet.unref()
    if (sent < 0) return 0
    let samples = 0
    while (this.#context.receiveFrameSync(this.#frame) >= 0) {
      samples = this.#read(output)
      this.#frame.unref()
    }
    return samples
  }

  reset(): void {
    this.#context.freeContext()
    this.#context = this.#open()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#frame.free()
    this.#packet.free()
    this.#context.freeContext()
  }

  #open(): CodecContext {
    const { lib, constants } = this.#nodeAv
    const codec = lib.Codec.findDecoder(constants.AV_CODEC_ID_ADPCM_G722)
    const context = new lib.CodecContext()
    context.allocContext3(codec)
    context.sampleRate = SAMPLE_RATE
    context.channelLayout = constants.AV_CHANNEL_LAYOUT_MONO
    checkOpened('g722', context.open2Sync(codec, null))
    return context
  }

  #read(output: Float32Array): number {
    const bytes = this.#frame.data?.[0]
    const samples = Math.min(this.#frame.nbSamples, output.length)
    if (bytes === undefined) return 0
    const values = new Int16Array(bytes.buffer, bytes.byteOffset, samples)
    for (let index = 0; index < samples; index++) output[index] = values[index]! / 32_768
    return samples
  }
}
