import type { CodecContext, Frame, Packet } from 'node-av/lib'
import { AVERROR_EOF, channelLayout, checkOpened, floatsOf, type NodeAv } from './node-av.js'
import type { DecodedPacket, OpusDecoder } from './opus-decoder.js'

const SAMPLE_RATE = 48_000
/** RFC 6716 §3.2.5: 120 ms. */
const MAX_PACKET_SAMPLES = 5760

/** libopus by way of node-av: synchronous, about 20 us for a packet of 20 ms. */
export class NodeAvOpusDecoder implements OpusDecoder {
  readonly #context: CodecContext
  readonly #packet: Packet
  readonly #frame: Frame
  readonly #planes: readonly Float32Array[]
  #closed = false

  /** Throws `CODECS_OPEN_FAILED`. Mono and stereo packets are both brought to `channels`. */
  constructor(nodeAv: NodeAv, channels: number) {
    const { lib, constants } = nodeAv
    const codec = lib.Codec.findDecoderByName(constants.FF_DECODER_LIBOPUS)
    this.#context = new lib.CodecContext()
    this.#context.allocContext3(codec)
    this.#context.sampleRate = SAMPLE_RATE
    this.#context.channelLayout = channelLayout(nodeAv, channels)
    this.#context.pktTimebase = new lib.Rational(1, SAMPLE_RATE)
    checkOpened('libopus (float)', this.#context.setOption('request_sample_fmt', 'flt'))
    checkOpened('libopus', this.#context.open2Sync(codec, null))
    this.#packet = new lib.Packet()
    this.#packet.alloc()
    this.#frame = new lib.Frame()
    this.#frame.alloc()
    this.#planes = Array.from({ length: channels }, () => new Float32Array(MAX_PACKET_SAMPLES))
  }

  decode(packet: Uint8Array): DecodedPacket | undefined {
    this.#packet.data = Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength)
    const sent = this.#context.sendPacketSync(this.#packet)
    this.#packet.unref()
    let samples = 0
    if (sent >= 0) {
      let received = this.#context.receiveFrameSync(this.#frame)
      for (; received >= 0; received = this.#context.receiveFrameSync(this.#frame)) {
        samples = this.#deinterleave()
        this.#frame.unref()
      }
      // A packet without data would have ended the stream.
      if (received === AVERROR_EOF) this.#context.flushBuffers()
    }
    return samples === 0 ? undefined : { planes: this.#planes, samples }
  }

  reset(): void {
    this.#context.flushBuffers()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#frame.free()
    this.#packet.free()
    this.#context.freeContext()
  }

  /** Copies out of native memory, which is gone once the frame is. */
  #deinterleave(): number {
    const data = this.#frame.data?.[0]
    const samples = Math.min(this.#frame.nbSamples, MAX_PACKET_SAMPLES)
    const channels = this.#planes.length
    if (data === undefined) return 0
    const interleaved = floatsOf(data, samples * channels)
    for (let channel = 0; channel < channels; channel++) {
      const plane = this.#planes[channel]!
      for (let index = 0; index < samples; index++) plane[index] = interleaved[index * channels + channel]!
    }
    return samples
  }
}
