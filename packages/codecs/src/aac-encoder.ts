import { buildAudioSpecificConfig } from '@rushes/bitstream'
import type { AudioConfiguration, AudioTrack, Emit, EncodedSample } from '@rushes/media'
import { type AacEncoderOptions, checkAacEncoderOptions } from './aac-encoder-options.js'
import { AacFramer } from './aac-framer.js'
import { CodecError } from './errors.js'
import { loadNodeAv, type NodeAv } from './node-av.js'
import { AAC_FRAME_SAMPLES, type AacEncoderName, NodeAvAacEncoder } from './node-av-aac-encoder.js'

/** Sound without holes in, AAC LC out. Its calls are synchronous. */
export interface AacEncoder {
  /** What comes out; its timescale is the sample rate. */
  readonly track: AudioTrack
  /** Time of the frame that comes next, in samples. */
  readonly next: number
  /** Takes the samples that follow the ones before, nominally -1 to 1; the planes are read before it returns. */
  push(planes: readonly Float32Array[], samples: number, emit: Emit<EncodedSample>): void
  /** Emits the rest; the last frame's `duration` tells where the sound ends. Closes the encoder. */
  flush(emit: Emit<EncodedSample>): void
  readonly stats: AacEncoderStats
  /** Gives native memory back. Idempotent. */
  close(): void
}

/** Counters since the start. */
export interface AacEncoderStats {
  /** AAC frames that went out. */
  readonly framesOut: number
}

/**
 * Makes an encoder whose frame k starts 1024 * k samples after the first sample. Its own delay is taken off once: the
 * frames that hold only its run-up are left out. Rejects with `CODECS_NODE_AV_MISSING` or `CODECS_NO_SUCH_CODEC`.
 */
export async function createAacEncoder(options: AacEncoderOptions): Promise<AacEncoder> {
  checkAacEncoderOptions(options)
  return new FramedAacEncoder(await loadNodeAv(), options)
}

/** Throws `CODECS_NO_SUCH_CODEC` where this build of FFmpeg has no such encoder. */
export function requireAacEncoder({ lib, constants }: NodeAv, encoder: AacEncoderName): void {
  const name = encoder === 'aac' ? constants.FF_ENCODER_AAC : constants.FF_ENCODER_LIBFDK_AAC
  if (lib.Codec.findEncoderByName(name) === null) {
    throw new CodecError('CODECS_NO_SUCH_CODEC', `this build of node-av has no encoder ${encoder}`)
  }
}

/** The same, made at once. */
export class FramedAacEncoder implements AacEncoder {
  readonly track: AudioTrack
  readonly #position: number
  readonly #encoder: NodeAvAacEncoder
  readonly #framer: AacFramer
  #configuration: AudioConfiguration | undefined
  #emit: Emit<EncodedSample> = () => {}
  #framesOut = 0
  #closed = false

  constructor(nodeAv: NodeAv, options: AacEncoderOptions) {
    const { trackId, sampleRate, channels, encoder = 'aac', position = 0 } = options
    const bitRate = options.bitRate ?? (channels === 1 ? 64_000 : 128_000)
    this.track = {
      id: trackId,
      kind: 'audio',
      codec: 'aac',
      clockRate: sampleRate,
      timescale: sampleRate,
      channels,
    }
    this.#position = position
    this.#encoder = new NodeAvAacEncoder(nodeAv, { encoder, sampleRate, channels, bitRate })
    this.#framer = new AacFramer(this.#encoder, channels, (data, at) => this.#frame(data, at))
    this.#configuration = {
      kind: 'audio',
      codec: 'aac',
      codecString: 'mp4a.40.2',
      sampleRate,
      channels,
      audioSpecificConfig: buildAudioSpecificConfig({ objectType: 2, sampleRate, channels }),
    }
  }

  get next(): number {
    return this.#position + this.#framer.next
  }

  get stats(): AacEncoderStats {
    return { framesOut: this.#framesOut }
  }

  push(planes: readonly Float32Array[], samples: number, emit: Emit<EncodedSample>): void {
    if (this.#closed) throw new CodecError('CODECS_CLOSED', 'the encoder has been closed')
    this.#emit = emit
    this.#framer.write(planes, samples)
  }

  flush(emit: Emit<EncodedSample>): void {
    if (this.#closed) return
    this.#emit = emit
    this.#framer.flush()
    this.close()
  }

  close(): void {
    this.#closed = true
    this.#encoder.close()
  }

  #frame(data: Uint8Array, at: number): void {
    const pts = this.#position + at
    const configuration = this.#configuration
    this.#configuration = undefined
    this.#framesOut++
    this.#emit({
      type: 'sample',
      trackId: this.track.id,
      data,
      pts,
      dts: pts,
      duration: Math.min(AAC_FRAME_SAMPLES, this.#framer.written - at),
      keyframe: true,
      ...(configuration === undefined ? {} : { configuration }),
    })
  }
}
