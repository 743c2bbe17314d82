import { type AudioTrack, type Emit, rescale, type Stage, type TimedItem, timescaleOf } from '@rushes/media'
import { FramedAacEncoder, requireAacEncoder } from './aac-encoder.js'
import { type AacTranscoderOptions, checkAacTranscoderOptions } from './aac-transcoder-options.js'
import { createAudioDecoders } from './audio-decoders.js'
import { CodecError } from './errors.js'
import { loadNodeAv, type NodeAv } from './node-av.js'
import { type PcmDecoderStats, type PositionedPcmSink, TrackPcmDecoder } from './pcm-decoder.js'

/** Counters since the start. Samples are per channel at the input's rate: 48, 16 (G.722) or 8 kHz (G.711). */
export interface AudioTranscoderStats extends PcmDecoderStats {
  /** AAC frames that went out. */
  readonly framesOut: number
}

/** A stage from one codec to another. Its calls are synchronous. */
export interface AudioTranscoder extends Stage<TimedItem, TimedItem> {
  /** What comes out: the same id, codec `aac`. `channels` appears once the first packet told it. */
  readonly track: AudioTrack
  readonly stats: AudioTranscoderStats
  /** Gives native memory back; `flush` does so too. Call it when the stage is given up. Idempotent. */
  close(): void
}

/**
 * Opus, G.711 or G.722 in, continuous AAC LC out, from the first sample's true time to the last one's end. Lost packets
 * are concealed; every other hole (DTX, mute, late join of a second source) becomes silence of its exact length, so that
 * frame k starts exactly 1024 * k samples after the first. Rejects with `CODECS_NODE_AV_MISSING` or
 * `CODECS_NO_SUCH_CODEC`.
 */
export async function createAacTranscoder(options: AacTranscoderOptions): Promise<AudioTranscoder> {
  checkAacTranscoderOptions(options)
  const nodeAv = await loadNodeAv()
  requireAacEncoder(nodeAv, options.encoder ?? 'aac')
  const decoders = await createAudioDecoders(nodeAv, options.track, options.channels)
  return new AacTranscoder(nodeAv, options, new TrackPcmDecoder(nodeAv, options, decoders))
}

class AacTranscoder implements AudioTranscoder {
  readonly #nodeAv: NodeAv
  readonly #options: AacTranscoderOptions
  readonly #decoder: TrackPcmDecoder
  readonly #sampleRate: 44_100 | 48_000
  /** Made with the first sound, whose place and channels it needs. */
  #encoder: FramedAacEncoder | undefined
  #emit: Emit<TimedItem> = () => {}
  #watermark = Number.NEGATIVE_INFINITY
  #closed = false
  readonly #sink: PositionedPcmSink = (planes, samples, position) => {
    this.#encoder ??= this.#open(planes.length === 1 ? 1 : 2, position)
    this.#encoder.push(planes, samples, this.#emit)
  }

  constructor(nodeAv: NodeAv, options: AacTranscoderOptions, decoder: TrackPcmDecoder) {
    this.#nodeAv = nodeAv
    this.#options = options
    this.#decoder = decoder
    this.#sampleRate = options.sampleRate ?? 48_000
  }

  get track(): AudioTrack {
    const { channels } = this.#decoder
    const { timescale: _, fmtp: __, channels: ___, ...rest } = this.#options.track
    const rate = { clockRate: this.#sampleRate, timescale: this.#sampleRate }
    return { ...rest, codec: 'aac', ...rate, ...(channels === undefined ? {} : { channels }) }
  }

  get stats(): AudioTranscoderStats {
    return { ...this.#decoder.stats, framesOut: this.#encoder?.stats.framesOut ?? 0 }
  }

  push(item: TimedItem, emit: Emit<TimedItem>): void {
    if (this.#closed) throw new CodecError('CODECS_CLOSED', 'the transcoder has been closed')
    this.#emit = emit
    this.#decoder.push(item, this.#sink)
    if (item.type === 'watermark') this.#silentUntil(item.dts)
    else if (item.type === 'track-end') {
      this.#encoder?.flush(emit)
      emit({ type: 'track-end', trackId: this.#options.track.id })
    }
  }

  flush(emit: Emit<TimedItem>): void {
    this.#emit = emit
    this.#decoder.flush(this.#sink)
    this.#encoder?.flush(emit)
    this.close()
  }

  close(): void {
    this.#closed = true
    this.#decoder.close()
    this.#encoder?.close()
  }

  #open(channels: 1 | 2, position: number): FramedAacEncoder {
    const { track, bitRate, encoder } = this.#options
    return new FramedAacEncoder(this.#nodeAv, {
      trackId: track.id,
      sampleRate: this.#sampleRate,
      channels,
      position,
      ...(bitRate === undefined ? {} : { bitRate }),
      ...(encoder === undefined ? {} : { encoder }),
    })
  }

  #silentUntil(ticks: number): void {
    // Before the first sample the input's promise holds for the output; afterwards the next frame's time is known.
    const first = this.#decoder.first
    const dts =
      first === undefined
        ? rescale(ticks, timescaleOf(this.#options.track), this.#sampleRate)
        : (this.#encoder?.next ?? first)
    if (this.#decoder.isOpen && dts > this.#watermark) {
      this.#watermark = dts
      this.#emit({ type: 'watermark', trackId: this.#options.track.id, dts })
    }
  }
}
