import { parseOpusToc } from '@rushes/bitstream'
import { type EncodedSample, rescale, type TimedItem, timescaleOf, usToTicks } from '@rushes/media'
import type { AudioDecoder } from './audio-decoder.js'
import { type AudioDecoders, createAudioDecoders } from './audio-decoders.js'
import { ContinuousAudio, type ContinuousAudioStats, type Joint, type PcmSink } from './continuous-audio.js'
import { CodecError } from './errors.js'
import { LossFiller, type LossFillerStats } from './loss-filler.js'
import { loadNodeAv, type NodeAv } from './node-av.js'
import { NodeAvResampler } from './node-av-resampler.js'
import { checkPcmDecoderOptions, type PcmDecoderOptions } from './pcm-decoder-options.js'

/** After a hole of this length the decoder starts anew: what it remembers is another sentence. */
const RESET_AFTER_SECONDS = 1

/**
 * Takes blocks of planar sound, in order and without holes, of at most 2048 samples. `position` is that of the first
 * one, in samples since recording time zero. The planes are read before it returns.
 */
export type PositionedPcmSink = (planes: readonly Float32Array[], samples: number, position: number) => void

/** Counters since the start. Samples are per channel at the input's rate: 48, 16 (G.722) or 8 kHz (G.711). */
export interface PcmDecoderStats extends Readonly<ContinuousAudioStats>, Readonly<LossFillerStats> {
  /** Packets that came in. */
  readonly packetsIn: number
  /** Packets that could not be decoded: as if they had been lost. */
  readonly decodeErrors: number
  /** How often the decoder was started anew. */
  readonly decoderResets: number
  /** Packets after the track's end, or wholly after `untilUs`. */
  readonly latePackets: number
}

/** A track of sound as samples with their places. Its calls are synchronous. */
export interface PcmDecoder {
  /** Told by the first packet, where the options do not. */
  readonly channels: 1 | 2 | undefined
  /** Where the sound begins, in samples since recording time zero; `undefined` before the first packet. */
  readonly first: number | undefined
  /**
   * Recording time before which nothing will come any more: all of it has been given out. Moved by packets, and by
   * watermarks where there are none. -Infinity at first, Infinity after the track's end.
   */
  readonly knownUntilUs: number
  /** A track's end gives out the rest. */
  push(item: TimedItem, sink: PositionedPcmSink): void
  /** Gives out what is before this time at once, as silence where nothing has come: what comes for it later is dropped. */
  advance(timeUs: number, sink: PositionedPcmSink): void
  /** Gives out the rest. Closes the decoder. */
  flush(sink: PositionedPcmSink): void
  readonly stats: PcmDecoderStats
  /** Gives native memory back. Idempotent. */
  close(): void
}

/**
 * Opus, G.711 or G.722 in, continuous sound out, from the first packet's true time to the last one's end. Lost packets
 * are concealed, drift is worked off by resampling, every other hole (DTX, mute) becomes silence of its exact length.
 * Rejects with `CODECS_NODE_AV_MISSING`.
 */
export async function createPcmDecoder(options: PcmDecoderOptions): Promise<PcmDecoder> {
  checkPcmDecoderOptions(options)
  const nodeAv = await loadNodeAv()
  return new TrackPcmDecoder(nodeAv, options, await createAudioDecoders(nodeAv, options.track, options.channels))
}

/** What exists once the first packet has told the channels. */
interface Chain {
  readonly channels: 1 | 2
  readonly decoder: AudioDecoder
  readonly audio: ContinuousAudio
  readonly losses: LossFiller
  readonly resampler: NodeAvResampler | undefined
}

/** The same, from its parts. */
export class TrackPcmDecoder implements PcmDecoder {
  readonly #nodeAv: NodeAv
  readonly #options: PcmDecoderOptions
  readonly #decoders: AudioDecoders
  readonly #sampleRate: number
  /** Hz of the decoded sound: positions count its samples, where nothing else is said. */
  readonly #inputRate: number
  readonly #until: number
  #chain: Chain | undefined
  #state: 'open' | 'ended' | 'closed' = 'open'
  #sink: PositionedPcmSink = () => {}
  readonly #give: PcmSink = (planes, samples) => this.#given(planes, samples)
  /** Where the first and the next sample go out, in samples of the output. */
  #first: number | undefined
  #next = 0
  #watermarkUs = Number.NEGATIVE_INFINITY
  #isNewSource = false
  /** Lost or undecodable before the packet that comes next. */
  #lostPackets = 0
  #packetsIn = 0
  #decodeErrors = 0
  #decoderResets = 0
  #latePackets = 0

  constructor(nodeAv: NodeAv, options: PcmDecoderOptions, decoders: AudioDecoders) {
    const { untilUs } = options
    this.#nodeAv = nodeAv
    this.#options = options
    this.#decoders = decoders
    this.#sampleRate = options.sampleRate ?? 48_000
    this.#inputRate = decoders.sampleRate
    this.#until = untilUs === undefined ? Number.POSITIVE_INFINITY : usToTicks(untilUs, this.#inputRate)
  }

  get channels(): 1 | 2 | undefined {
    return this.#options.channels ?? this.#chain?.channels
  }

  get first(): number | undefined {
    return this.#first
  }

  get knownUntilUs(): number {
    if (this.#state !== 'open') return Number.POSITIVE_INFINITY
    // Rounded down: the sample that holds this time is given out.
    return this.#first === undefined ? this.#watermarkUs : Math.floor((this.#next * 1_000_000) / this.#sampleRate)
  }

  /** No track's end has come, nor has it been flushed or closed. */
  get isOpen(): boolean {
    return this.#state === 'open'
  }

  get stats(): PcmDecoderStats {
    const none = { samplesIn: 0, samplesOut: 0, silenceSamples: 0, droppedSamples: 0, slewedSamples: 0, maxOffset: 0 }
    const { concealedSamples = { fec: 0, plc: 0 }, silencedSamples = 0 } = this.#chain?.losses.stats ?? {}
    return {
      ...(this.#chain?.audio.stats ?? none),
      concealedSamples: { ...concealedSamples },
      silencedSamples,
      packetsIn: this.#packetsIn,
      decodeErrors: this.#decodeErrors,
      decoderResets: this.#decoderResets,
      latePackets: this.#latePackets,
    }
  }

  push(item: TimedItem, sink: PositionedPcmSink): void {
    if (this.#state === 'closed') throw new CodecError('CODECS_CLOSED', 'the decoder has been closed')
    this.#sink = sink
    if (item.type === 'sample') this.#sample(item)
    else if (item.type === 'track-end') this.#end()
    else if (this.#chain?.audio.first === undefined) {
      const us = Math.floor((item.dts * 1_000_000) / timescaleOf(this.#options.track))
      this.#watermarkUs = Math.max(this.#watermarkUs, us)
    } else this.#chain.audio.advance(Math.min(this.#positionOf(item.dts), this.#until))
  }

  advance(timeUs: number, sink: PositionedPcmSink): void {
    if (this.#state !== 'open' || timeUs <= this.knownUntilUs) return
    this.#sink = sink
    const audio = this.#chain?.audio
    if (audio?.first === undefined) {
      this.#watermarkUs = timeUs
      return
    }
    const position = Math.min(usToTicks(timeUs, this.#inputRate), this.#until)
    audio.advance(position)
    // A hole that may still turn out to be drift is silence too: there is no time to wait for what it becomes.
    audio.finish(position)
    audio.flush()
  }

  flush(sink: PositionedPcmSink): void {
    this.#sink = sink
    this.#end()
    this.close()
  }

  close(): void {
    this.#state = 'closed'
    this.#decoders.close()
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
    if (this.#first === undefined) {
      this.#first = rescale(position, this.#inputRate, this.#sampleRate)
      this.#next = this.#first
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

  #end(): void {
    if (this.#state !== 'open') return
    const { audio, resampler } = this.#chain ?? {}
    if (audio !== undefined) {
      if (Number.isFinite(this.#until)) audio.finish(this.#until)
      audio.flush()
      resampler?.flush(this.#give)
    }
    this.#state = 'ended'
  }

  /** Builds everything behind the first packet that can be one; `undefined` before. */
  #chainFor(packet: Uint8Array): Chain | undefined {
    if (this.#chain !== undefined) return this.#chain
    const { track, concealment = 'plc', onConcealed } = this.#options
    const channels = this.#options.channels ?? (track.codec === 'opus' ? channelsOf(packet) : 1)
    if (channels === undefined) return undefined
    const inputRate = this.#inputRate
    const sampleRate = this.#sampleRate
    const resampler =
      sampleRate === inputRate ? undefined : new NodeAvResampler(this.#nodeAv, channels, inputRate, sampleRate)
    const audio = new ContinuousAudio(
      channels,
      resampler === undefined ? this.#give : (planes, samples) => resampler.convert(planes, samples, this.#give),
      inputRate,
    )
    const decoder = this.#decoders.open(channels)
    const losses = new LossFiller(track.id, decoder, audio, concealment, onConcealed)
    this.#chain = { channels, decoder, audio, losses, resampler }
    return this.#chain
  }

  #given(planes: readonly Float32Array[], samples: number): void {
    const position = this.#next
    this.#next += samples
    this.#sink(planes, samples, position)
  }

  /** Samples of the input at a time of its track. */
  #positionOf(ticks: number): number {
    return rescale(ticks, timescaleOf(this.#options.track), this.#inputRate)
  }
}

function channelsOf(packet: Uint8Array): 1 | 2 | undefined {
  try {
    return parseOpusToc(packet).stereo ? 2 : 1
  } catch {
    return undefined
  }
}
