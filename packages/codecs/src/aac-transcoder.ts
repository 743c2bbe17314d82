import { buildAudioSpecificConfig, parseOpusToc } from '@rushes/bitstream'
import {
  type AudioConfiguration,
  type AudioTrack,
  ConfigurationError,
  type Emit,
  type EncodedSample,
  rescale,
  type Stage,
  type TimedItem,
  timescaleOf,
  usToTicks,
} from '@rushes/media'
import { AacFramer } from './aac-framer.js'
import { ContinuousAudio, type ContinuousAudioStats, type Joint } from './continuous-audio.js'
import { CodecError } from './errors.js'
import { loadNodeAv, type NodeAv } from './node-av.js'
import { AAC_FRAME_SAMPLES, type AacEncoderName, NodeAvAacEncoder } from './node-av-aac-encoder.js'
import { NodeAvOpusDecoder } from './node-av-opus-decoder.js'
import { NodeAvResampler } from './node-av-resampler.js'
import type { OpusDecoder } from './opus-decoder.js'

const OPUS_RATE = 48_000
/** After a hole of this length the decoder starts anew: what it remembers is another sentence. */
const RESET_AFTER_SAMPLES = OPUS_RATE

/** How Opus becomes AAC. */
export interface AacTranscoderOptions {
  /** Opus, clock rate and timescale 48,000. */
  readonly track: AudioTrack
  /** Hz of the AAC. @defaultValue 48000 */
  readonly sampleRate?: 44_100 | 48_000
  /** @defaultValue what the first packet says of itself */
  readonly channels?: 1 | 2
  /** Bits per second, 8,000 to 320,000. @defaultValue 64,000 for mono, 128,000 for stereo */
  readonly bitRate?: number
  /** @defaultValue 'aac' */
  readonly encoder?: AacEncoderName
  /** Recording time where the sound ends: filled with silence up to there, cut behind it. @defaultValue its own end */
  readonly untilUs?: number
}

/** Counters since the start. Samples are per channel at 48 kHz. */
export interface AudioTranscoderStats extends Readonly<ContinuousAudioStats> {
  /** Opus packets that came in. */
  readonly packetsIn: number
  /** AAC frames that went out. */
  readonly framesOut: number
  /** Packets that could not be decoded: their time became silence. */
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
 * Opus in, continuous AAC LC out, from the first sample's true time to the last one's end. Every hole (DTX, mute, loss,
 * late join of a second source) becomes silence of its exact length, so that frame k starts exactly 1024 * k samples
 * after the first. Rejects with `CODECS_NODE_AV_MISSING` or `CODECS_NO_SUCH_CODEC`.
 */
export async function createAacTranscoder(options: AacTranscoderOptions): Promise<AudioTranscoder> {
  checkOptions(options)
  const nodeAv = await loadNodeAv()
  const { lib, constants } = nodeAv
  const encoder = options.encoder ?? 'aac'
  const name = encoder === 'aac' ? constants.FF_ENCODER_AAC : constants.FF_ENCODER_LIBFDK_AAC
  if (lib.Codec.findEncoderByName(name) === null) {
    throw new CodecError('CODECS_NO_SUCH_CODEC', `this build of node-av has no encoder ${encoder}`)
  }
  return new AacTranscoder(nodeAv, options)
}

/** What exists once the first packet has told the channels. */
interface Chain {
  readonly channels: number
  readonly decoder: OpusDecoder
  readonly audio: ContinuousAudio
  readonly framer: AacFramer
  readonly encoder: NodeAvAacEncoder
  readonly resampler: NodeAvResampler | undefined
}

class AacTranscoder implements AudioTranscoder {
  readonly #nodeAv: NodeAv
  readonly #options: AacTranscoderOptions
  readonly #sampleRate: number
  readonly #until: number
  #chain: Chain | undefined
  #state: 'open' | 'ended' | 'closed' = 'open'
  #emit: Emit<TimedItem> = () => {}
  #configuration: AudioConfiguration | undefined
  #watermark = Number.NEGATIVE_INFINITY
  #joint: Joint = 'continues'
  #packetsIn = 0
  #framesOut = 0
  #decodeErrors = 0
  #decoderResets = 0
  #latePackets = 0

  constructor(nodeAv: NodeAv, options: AacTranscoderOptions) {
    this.#nodeAv = nodeAv
    this.#options = options
    this.#sampleRate = options.sampleRate ?? OPUS_RATE
    this.#until = options.untilUs === undefined ? Number.POSITIVE_INFINITY : usToTicks(options.untilUs, OPUS_RATE)
  }

  get track(): AudioTrack {
    const { track, channels = this.#chain?.channels } = this.#options
    const { timescale: _, fmtp: __, channels: ___, ...rest } = track
    const rate = { clockRate: this.#sampleRate, timescale: this.#sampleRate }
    return { ...rest, codec: 'aac', ...rate, ...(channels === undefined ? {} : { channels }) }
  }

  get stats(): AudioTranscoderStats {
    const none = { samplesIn: 0, samplesOut: 0, silenceSamples: 0, droppedSamples: 0, slewedSamples: 0, maxOffset: 0 }
    return {
      ...(this.#chain?.audio.stats ?? none),
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
    else if (item.type === 'watermark') this.#silentUntil(item.dts)
    else this.#end(true)
  }

  flush(emit: Emit<TimedItem>): void {
    this.#emit = emit
    this.#end(false)
    this.close()
  }

  close(): void {
    this.#state = 'closed'
    this.#chain?.decoder.close()
    this.#chain?.encoder.close()
    this.#chain?.resampler?.close()
  }

  #sample(sample: EncodedSample): void {
    this.#packetsIn++
    if (this.#state === 'ended' || sample.pts >= this.#until) {
      this.#latePackets++
      return
    }
    const packet = sample.data
    if ((sample.lostPackets ?? 0) > 0) this.#joint = 'loss'
    else if (sample.discontinuity === true) this.#joint = 'new-source'
    const chain = packet instanceof Uint8Array ? this.#chainFor(packet) : undefined
    if (chain === undefined) {
      this.#failed()
      return
    }
    const { audio, decoder } = chain
    const hole = audio.next === undefined ? 0 : sample.pts - audio.next
    if ((this.#joint === 'new-source' && audio.next !== undefined) || hole > RESET_AFTER_SAMPLES) {
      decoder.reset()
      this.#decoderResets++
    }
    const decoded = decoder.decode(packet as Uint8Array)
    if (decoded === undefined) {
      this.#failed()
      return
    }
    const samples = Math.min(decoded.samples, this.#until - sample.pts)
    audio.place(sample.pts, decoded.planes, samples, this.#joint)
    this.#joint = 'continues'
  }

  #failed(): void {
    this.#decodeErrors++
    this.#joint = 'loss'
  }

  #silentUntil(position: number): void {
    const chain = this.#chain
    chain?.audio.advance(Math.min(position, this.#until))
    // Before the first sample the input's promise holds for the output; afterwards the next frame's time is known.
    const first = chain?.audio.first
    const dts =
      chain === undefined || first === undefined
        ? rescale(position, OPUS_RATE, this.#sampleRate)
        : this.#ticks(first) + chain.framer.next
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
    const channels = this.#options.channels ?? channelsOf(packet)
    if (channels === undefined) return undefined
    const bitRate = this.#options.bitRate ?? (channels === 1 ? 64_000 : 128_000)
    const encoderName = this.#options.encoder ?? 'aac'
    const sampleRate = this.#sampleRate
    const encoder = new NodeAvAacEncoder(this.#nodeAv, { encoder: encoderName, sampleRate, channels, bitRate })
    const framer = new AacFramer(encoder, channels, (data, position) => this.#frame(data, position))
    const write = (planes: readonly Float32Array[], samples: number): void => framer.write(planes, samples)
    const resampler =
      sampleRate === OPUS_RATE ? undefined : new NodeAvResampler(this.#nodeAv, channels, OPUS_RATE, sampleRate)
    const audio = new ContinuousAudio(
      channels,
      resampler === undefined ? write : (planes, samples) => resampler.convert(planes, samples, write),
    )
    this.#configuration = {
      kind: 'audio',
      codec: 'aac',
      codecString: 'mp4a.40.2',
      sampleRate,
      channels,
      audioSpecificConfig: buildAudioSpecificConfig({ objectType: 2, sampleRate, channels }),
    }
    const decoder = new NodeAvOpusDecoder(this.#nodeAv, channels)
    this.#chain = { channels, decoder, audio, framer, encoder, resampler }
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

  #ticks(position: number): number {
    return rescale(position, OPUS_RATE, this.#sampleRate)
  }
}

function channelsOf(packet: Uint8Array): 1 | 2 | undefined {
  try {
    return parseOpusToc(packet).stereo ? 2 : 1
  } catch {
    return undefined
  }
}

function checkOptions({ track, sampleRate, channels, bitRate, encoder, untilUs }: AacTranscoderOptions): void {
  if (track.codec !== 'opus') throw new ConfigurationError('track.codec', "must be 'opus'", track.codec)
  if (track.clockRate !== OPUS_RATE || timescaleOf(track) !== OPUS_RATE) {
    throw new ConfigurationError('track.clockRate', 'clockRate and timescale of Opus must be 48000', track.clockRate)
  }
  if (sampleRate !== undefined && sampleRate !== 48_000 && sampleRate !== 44_100) {
    throw new ConfigurationError('sampleRate', 'must be 44100 or 48000', sampleRate)
  }
  if (channels !== undefined && channels !== 1 && channels !== 2) {
    throw new ConfigurationError('channels', 'must be 1 or 2', channels)
  }
  if (bitRate !== undefined && !(Number.isInteger(bitRate) && bitRate >= 8_000 && bitRate <= 320_000)) {
    throw new ConfigurationError('bitRate', 'must be an integer from 8000 to 320000', bitRate)
  }
  if (encoder !== undefined && encoder !== 'aac' && encoder !== 'libfdk_aac') {
    throw new ConfigurationError('encoder', "must be 'aac' or 'libfdk_aac'", encoder)
  }
  if (untilUs !== undefined && !Number.isSafeInteger(untilUs)) {
    throw new ConfigurationError('untilUs', 'must be an integer number of microseconds', untilUs)
  }
}
