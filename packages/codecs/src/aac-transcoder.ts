import { buildAudioSpecificConfig, parseOpusToc } from '@rushes/bitstream'
import {
  type AudioConfiguration,
  type AudioTrack,
  type Emit,
  type EncodedSample,
  rescale,
  type Stage,
  type TimedItem,
  timescaleOf,
  usToTicks,
} from '@rushes/media'
import { AacFramer } from './aac-framer.js'
import { type AacTranscoderOptions, checkAacTranscoderOptions } from './aac-transcoder-options.js'
import type { AudioDecoder } from './audio-decoder.js'
import { type AudioDecoders, createAudioDecoders } from './audio-decoders.js'
import { ContinuousAudio, type ContinuousAudioStats, type Joint } from './continuous-audio.js'
import { CodecError } from './errors.js'
import { LossFiller, type LossFillerStats } from './loss-filler.js'
import { loadNodeAv, type NodeAv } from './node-av.js'
import { AAC_FRAME_SAMPLES, NodeAvAacEncoder } from './node-av-aac-encoder.js'
import { NodeAvResampler } from './node-av-resampler.js'

/** After a hole of this length the decoder starts anew: what it remembers is another sentence. */
const RESET_AFTER_SECONDS = 1

/** Counters since the start. Samples are per channel at the input's rate: 48, 16 (G.722) or 8 kHz (G.711). */
export interface AudioTranscoderStats extends Readonly<ContinuousAudioStats>, Readonly<LossFillerStats> {
  /** Packets that came in. */
  readonly packetsIn: number
  /** AAC frames that went out. */
  readonly framesOut: number
  /** Packets that could not be decoded: as if they had been lost. */
  readonly decodeErrors: number
  /** How often the decoder was started anew. */
  readonly decoderResets: number
  /** Packets after the track's end, or wholly after `untilUs`. */
  readonly latePackets: number
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
  const { lib, constants } = nodeAv
  const encoder = options.encoder ?? 'aac'
  const name = encoder === 'aac' ? constants.FF_ENCODER_AAC : constants.FF_ENCODER_LIBFDK_AAC
  if (lib.Codec.findEncoderByName(name) === null) {
    throw new CodecError('CODECS_NO_SUCH_CODEC', `this build of node-av has no encoder ${encoder}`)
  }
  return new AacTranscoder(nodeAv, options, await createAudioDecoders(nodeAv, options.track, options.channels))
}

/** What exists once the first packet has told the channels. */
interface Chain {
  readonly channels: number
  readonly decoder: AudioDecoder
  readonly audio: ContinuousAudio
  readonly losses: LossFiller
  readonly framer: AacFramer
  readonly encoder: NodeAvAacEncoder
  readonly resampler: NodeAvResampler | undefined
}

class AacTranscoder implements AudioTranscoder {
  readonly #nodeAv: NodeAv
  readonly #options: AacTranscoderOptions
  readonly #decoders: AudioDecoders
  readonly #sampleRate: number
  /** Hz of the decoded sound: positions count its samples. */
  readonly #inputRate: number
  readonly #until: number
  #chain: Chain | undefined
  #state: 'open' | 'ended' | 'closed' = 'open'
  #emit: Emit<TimedItem> = () => {}
  #configuration: AudioConfiguration | undefined
  #watermark = Number.NEGATIVE_INFINITY
  #isNewSource = false
  /** Lost or undecodable before the packet that comes next. */
  #lostPackets = 0
  #packetsIn = 0
  #framesOut = 0
  #decodeErrors = 0
  #decoderResets = 0
  #latePackets = 0

  constructor(nodeAv: NodeAv, options: AacTranscoderOptions, decoders: AudioDecoders) {
    const { untilUs } = options
    this.#nodeAv = nodeAv
    this.#options = options
    this.#decoders = decoders
    this.#sampleRate = options.sampleRate ?? 48_000
    this.#inputRate = decoders.sampleRate
    this.#until = untilUs === undefined ? Number.POSITIVE_INFINITY : usToTicks(untilUs, this.#inputRate)
  }

  get track(): AudioTrack {
    const { track, channels = this.#chain?.channels } = this.#options
    const { timescale: _, fmtp: __, channels: ___, ...rest } = track
    const rate = { clockRate: this.#sampleRate, timescale: this.#sampleRate }
    return { ...rest, codec: 'aac', ...rate, ...(channels === undefined ? {} : { channels }) }
  }

  get stats(): AudioTranscoderStats {
    const none = { samplesIn: 0, samplesOut: 0, silenceSamples: 0, droppedSamples: 0, slewedSamples: 0, maxOffset: 0 }
    const { concealedSamples = { fec: 0, plc: 0 }, silencedSamples = 0 } = this.#chain?.losses.stats ?? {}
    return {
      ...(this.#chain?.audio.stats ?? none),
      concealedSamples: { ...concealedSamples },
      silencedSamples,
      packetsIn: this.#packetsIn,
      framesOut: this.#framesOut,
      decodeErrors: this.#decodeErrors,
      decoderResets: this.#decoderResets,
      latePackets: this.#latePackets,
    }
  }

  push(item: TimedItem, emit: Emit<TimedItem>): void {
    if (this.#state === 'closed') throw new CodecError('CODECS_CLOSED', 'the transcoder has been closed')
    this.#emit = emit
    if (item.type === 'sample') this.#sample(item)
    else if (item.type === 'watermark') this.#silentUntil(this.#positionOf(item.dts))
    else this.#end(true)
  }

  flush(emit: Emit<TimedItem>): void {
    this.#emit = emit
    this.#end(false)
    this.close()
  }

  close(): void {
    this.#state = 'closed'
    this.#decoders.close()
    this.#chain?.encoder.close()
    this.#chain?.resampler?.close()
  }

  #sample(sample: EncodedSample): void {
    this.#packetsIn++
    const position = this.#positionOf(sample.pts)
    if (this.#state === 'ended' || position >= this.#until) {
      this.#latePackets++
      return
    }
    const { lostPackets = 0, discontinuity = false } = sample
    this.#lostPackets += lostPackets
    if (lostPackets === 0 && discontinuity) this.#isNewSource = true
    const packet = sample.data instanceof Uint8Array ? sample.data : undefined
    const chain = packet === undefined ? undefined : this.#chainFor(packet)
    if (packet === undefined || chain === undefined) {
      this.#failed()
      return
    }
    const { audio, decoder, losses } = chain
    const joint = audio.next === undefined ? 'continues' : this.#join(chain, packet, position)
    const decoded = decoder.decode(packet)
    // What was lost before it has been dealt with, whatever becomes of the packet itself.
    this.#lostPackets = 0
    if (decoded === undefined) {
      this.#failed()
      return
    }
    const samples = Math.min(decoded.samples, this.#until - position)
    audio.place(position, decoded.planes, samples, joint)
    losses.heard(position, decoded.samples)
    this.#isNewSource = false
  }

  /** Makes ready for a packet after others: conceals what was lost before it, or forgets what has no part in it. */
  #join(chain: Chain, packet: Uint8Array, position: number): Joint {
    const isLoss = this.#lostPackets > 0
    const isReset = this.#isNewSource || position - chain.losses.end > this.#inputRate * RESET_AFTER_SECONDS
    if (isReset) {
      chain.decoder.reset(packet)
      this.#decoderResets++
    }
    if (!isLoss) return this.#isNewSource ? 'new-source' : 'continues'
    return chain.losses.fill(packet, position, this.#lostPackets, !isReset)
  }

  #failed(): void {
    this.#decodeErrors++
    this.#lostPackets++
  }

  #silentUntil(position: number): void {
    const chain = this.#chain
    chain?.audio.advance(Math.min(position, this.#until))
    // Before the first sample the input's promise holds for the output; afterwards the next frame's time is known.
    const first = chain?.audio.first
    const dts =
      chain === undefined || first === undefined ? this.#ticks(position) : this.#ticks(first) + chain.framer.next
    if (this.#state === 'open' && dts > this.#watermark) {
      this.#watermark = dts
      this.#emit({ type: 'watermark', trackId: this.#options.track.id, dts })
    }
  }

  #end(isTrackEnd: boolean): void {
    if (this.#state === 'open') {
      const { audio, framer, resampler } = this.#chain ?? {}
      if (audio !== undefined && framer !== undefined) {
        if (Number.isFinite(this.#until)) audio.finish(this.#until)
        audio.flush()
        resampler?.flush((planes, samples) => framer.write(planes, samples))
        framer.flush()
      }
      this.#state = 'ended'
    }
    if (isTrackEnd) this.#emit({ type: 'track-end', trackId: this.#options.track.id })
  }

  /** Builds everything behind the first packet that can be one; `undefined` before. */
  #chainFor(packet: Uint8Array): Chain | undefined {
    if (this.#chain !== undefined) return this.#chain
    const channels = this.#options.channels ?? (this.#options.track.codec === 'opus' ? channelsOf(packet) : 1)
    if (channels === undefined) return undefined
    const bitRate = this.#options.bitRate ?? (channels === 1 ? 64_000 : 128_000)
    const encoderName = this.#options.encoder ?? 'aac'
    const sampleRate = this.#sampleRate
    const encoder = new NodeAvAacEncoder(this.#nodeAv, { encoder: encoderName, sampleRate, channels, bitRate })
    const framer = new AacFramer(encoder, channels, (data, position) => this.#frame(data, position))
    const write = (planes: readonly Float32Array[], samples: number): void => framer.write(planes, samples)
    const inputRate = this.#inputRate
    const resampler =
      sampleRate === inputRate ? undefined : new NodeAvResampler(this.#nodeAv, channels, inputRate, sampleRate)
    const audio = new ContinuousAudio(
      channels,
      resampler === undefined ? write : (planes, samples) => resampler.convert(planes, samples, write),
      inputRate,
    )
    this.#configuration = {
      kind: 'audio',
      codec: 'aac',
      codecString: 'mp4a.40.2',
      sampleRate,
      channels,
      audioSpecificConfig: buildAudioSpecificConfig({ objectType: 2, sampleRate, channels }),
    }
    const decoder = this.#decoders.open(channels)
    const { track, concealment = 'plc', onConcealed } = this.#options
    const losses = new LossFiller(track.id, decoder, audio, concealment, onConcealed)
    this.#chain = { channels, decoder, audio, losses, framer, encoder, resampler }
    return this.#chain
  }

  #frame(data: Uint8Array, position: number): void {
    const chain = this.#chain
    const first = chain?.audio.first
    if (chain === undefined || first === undefined) return
    const pts = this.#ticks(first) + position
    const configuration = this.#configuration
    this.#configuration = undefined
    this.#framesOut++
    this.#watermark = pts
    this.#emit({
      type: 'sample',
      trackId: this.#options.track.id,
      data,
      pts,
      dts: pts,
      duration: Math.min(AAC_FRAME_SAMPLES, chain.framer.written - position),
      keyframe: true,
      ...(configuration === undefined ? {} : { configuration }),
    })
  }

  /** Samples of the input at a time of its track. */
  #positionOf(ticks: number): number {
    return rescale(ticks, timescaleOf(this.#options.track), this.#inputRate)
  }

  #ticks(position: number): number {
    return rescale(position, this.#inputRate, this.#sampleRate)
  }
}

function channelsOf(packet: Uint8Array): 1 | 2 | undefined {
  try {
    return parseOpusToc(packet).stereo ? 2 : 1
  } catch {
    return undefined
  }
}
