import type { CodecContext, Frame, Packet } from 'node-av/lib'
import { CodecError } from './errors.js'
import { channelLayout, checkOpened, floatsOf, type NodeAv } from './node-av.js'

/** Samples of an AAC LC frame. */
export const AAC_FRAME_SAMPLES = 1024

/** FFmpeg's encoders of AAC LC. */
export type AacEncoderName = 'aac' | 'libfdk_aac'

/** What an encoder needs to know. */
export interface NodeAvAacEncoderOptions {
  readonly encoder: AacEncoderName
  /** Hz. */
  readonly sampleRate: number
  readonly channels: number
  /** Bits per second. */
  readonly bitRate: number
}

/** Takes one raw AAC frame (a copy of its own) that decodes to the samples from `position` on. */
export type AacSink = (data: Uint8Array, position: number) => void

/**
 * AAC LC by way of node-av, frame by frame and synchronous (65 to 130 us a frame).
 * Positions count the samples that were put in. The encoder's own delay is already taken off them: the first frames
 * have negative positions and hold nothing but the run-up.
 */
export class NodeAvAacEncoder {
  readonly #context: CodecContext
  readonly #packet: Packet
  readonly #frame: Frame
  readonly #planar: boolean
  #memory: readonly Buffer[] | undefined
  #position = 0
  #closed = false

  /** Throws `CODECS_NO_SUCH_CODEC` or `CODECS_OPEN_FAILED`. */
  constructor(nodeAv: NodeAv, { encoder, sampleRate, channels, bitRate }: NodeAvAacEncoderOptions) {
    const { lib, constants } = nodeAv
    const codec = lib.Codec.findEncoderByName(
      encoder === 'aac' ? constants.FF_ENCODER_AAC : constants.FF_ENCODER_LIBFDK_AAC,
    )
    if (codec === null) {
      throw new CodecError('CODECS_NO_SUCH_CODEC', `this build of node-av has no encoder ${encoder}`)
    }
    this.#planar = encoder === 'aac'
    const format = this.#planar ? constants.AV_SAMPLE_FMT_FLTP : constants.AV_SAMPLE_FMT_S16
    const layout = channelLayout(nodeAv, channels)
    this.#context = new lib.CodecContext()
    this.#context.allocContext3(codec)
    this.#context.sampleRate = sampleRate
    this.#context.channelLayout = layout
    this.#context.sampleFormat = format
    this.#context.bitRate = BigInt(bitRate)
    this.#context.timeBase = new lib.Rational(1, sampleRate)
    // Raw frames, and the configuration apart from them.
    this.#context.setFlags(constants.AV_CODEC_FLAG_GLOBAL_HEADER)
    if (encoder === 'aac') {
      // From 48 kbit/s a channel on it is as near to the original as the default search, which costs 1.7 times as much.
      const { AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN } = constants
      const code = this.#context.setOption('aac_coder', 'fast', AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN)
      checkOpened(`${encoder} with its fast coder`, code)
    }
    // No dictionary here: open2Sync leaves a dangling pointer in it.
    checkOpened(encoder, this.#context.open2Sync(codec, null))
    this.#packet = new lib.Packet()
    this.#packet.alloc()
    this.#frame = new lib.Frame()
    this.#frame.alloc()
    this.#frame.nbSamples = AAC_FRAME_SAMPLES
    this.#frame.format = format
    this.#frame.sampleRate = sampleRate
    this.#frame.channelLayout = layout
    checkOpened(`a frame for ${encoder}`, this.#frame.getBuffer(0))
  }

  /** Encodes `samples` samples of each plane: 1024, or fewer in the last call. */
  encode(planes: readonly Float32Array[], samples: number, sink: AacSink): void {
    // The one frame is used again and again: fresh ones pile up in native memory until the event loop turns.
    this.#frame.nbSamples = AAC_FRAME_SAMPLES
    this.#fill(planes, samples)
    this.#frame.nbSamples = samples
    this.#frame.pts = BigInt(this.#position)
    this.#position += samples
    this.#send(this.#frame)
    this.#receive(sink)
  }

  /** Gives out the frames that are still inside. Nothing can be encoded afterwards. */
  flush(sink: AacSink): void {
    this.#send(null)
    this.#receive(sink)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#frame.free()
    this.#packet.free()
    this.#context.freeContext()
  }

  #fill(planes: readonly Float32Array[], samples: number): void {
    const memory = this.#writableMemory()
    if (this.#planar) {
      for (let channel = 0; channel < planes.length; channel++) {
        floatsOf(memory[channel]!, samples).set(planes[channel]!.subarray(0, samples))
      }
      return
    }
    const first = memory[0]!
    const channels = planes.length
    const interleaved = new Int16Array(first.buffer, first.byteOffset, samples * channels)
    for (let channel = 0; channel < channels; channel++) {
      const plane = planes[channel]!
      for (let index = 0; index < samples; index++) {
        const value = Math.round(plane[index]! * 32_767)
        interleaved[index * channels + channel] = Math.max(-32_768, Math.min(32_767, value))
      }
    }
  }

  /** The frame's memory, one buffer a plane. It stays where it is unless the encoder has kept it. */
  #writableMemory(): readonly Buffer[] {
    if (this.#memory !== undefined && this.#frame.isWritable) return this.#memory
    this.#frame.makeWritable()
    // Asking for it makes objects that the garbage collector has to know of: not once a frame.
    const { data } = this.#frame
    if (data?.[0] === undefined) throw new CodecError('CODECS_ENCODE_FAILED', 'a frame has no memory')
    this.#memory = data
    return data
  }

  #send(frame: Frame | null): void {
    const returned = this.#context.sendFrameSync(frame)
    if (returned < 0) throw new CodecError('CODECS_ENCODE_FAILED', `the AAC encoder returned ${returned}`)
  }

  #receive(sink: AacSink): void {
    while (this.#context.receivePacketSync(this.#packet) >= 0) {
      const data = this.#packet.data
      const position = Number(this.#packet.pts)
      const copy = data === null ? undefined : new Uint8Array(data)
      this.#packet.unref()
      if (copy !== undefined) sink(copy, position)
    }
  }
}
