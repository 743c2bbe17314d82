import {
  type AacEncoder,
  createAacEncoder,
  createPcmDecoder,
  type PcmDecoder,
  type PositionedPcmSink,
} from '@rushes/codecs'
import { type AudioTrack, ConfigurationError, type Emit, type EncodedSample, type TimedItem } from '@rushes/media'
import { type CompositeSoundOptions, checkCompositeSoundOptions } from './composite-sound-options.js'
import { SoundMixer, type SoundMixerStats } from './sound-mixer.js'

const AAC_FRAME_SAMPLES = 1024
/** A second: the limiter has then come back from whatever was before. */
const RUN_UP_FRAMES = 48
/** Items that wait for their decoder, which takes milliseconds: a minute of packets. More are dropped and counted. */
const MAX_WAITING_ITEMS = 3000

/** Counters since the start, over all tracks. Samples are per channel. */
export interface CompositeSoundStats extends SoundMixerStats {
  /** Tracks that were added. */
  readonly tracks: number
  /** Packets that came in. */
  readonly packetsIn: number
  /** Packets that could not be decoded: as if they had been lost. */
  readonly decodeErrors: number
  /** Items of tracks that are not there, or too many that came before their decoder was made. */
  readonly strayItems: number
  /** AAC frames that went out. */
  readonly framesOut: number
}

interface Source {
  readonly track: AudioTrack
  /** `undefined` while it is made: items wait. */
  decoder: PcmDecoder | undefined
  readonly waiting: TimedItem[]
  readonly sink: PositionedPcmSink
}

/**
 * The sound of a composite: packets of many tracks in, one AAC track out, which has no hole from its start to its end.
 * Its calls are synchronous, but for the making of decoders.
 */
export class CompositeSound {
  readonly #options: CompositeSoundOptions
  readonly #sampleRate: 44_100 | 48_000
  readonly #channels: 1 | 2
  readonly #encoder: AacEncoder
  readonly #mixer: SoundMixer
  readonly #sources = new Map<string, Source>()
  /** Where the first frame that is given out lies, in samples. */
  readonly #first: number
  #emit: Emit<TimedItem> = () => {}
  #configuration: EncodedSample['configuration']
  #askedUs: number
  #watermark = Number.NEGATIVE_INFINITY
  #closed = false
  #tracks = 0
  #packetsIn = 0
  #decodeErrors = 0
  #strayItems = 0
  readonly #mixed: PositionedPcmSink = (planes, samples) => this.#encoder.push(planes, samples, this.#encoded)
  readonly #encoded: Emit<EncodedSample> = (sample) => this.#frame(sample)

  private constructor(options: CompositeSoundOptions, first: number, mixer: SoundMixer, encoder: AacEncoder) {
    this.#options = options
    this.#sampleRate = options.sampleRate ?? 48_000
    this.#channels = options.channels ?? 2
    this.#first = first
    this.#mixer = mixer
    this.#encoder = encoder
    this.#askedUs = options.startUs ?? 0
  }

  /** Rejects with `BAD_CONFIGURATION`, `CODECS_NODE_AV_MISSING` or `CODECS_NO_SUCH_CODEC`. */
  static async create(options: CompositeSoundOptions = {}): Promise<CompositeSound> {
    checkCompositeSoundOptions(options)
    const { sampleRate = 48_000, channels = 2, bitRate, encoder: encoderName, startUs = 0 } = options
    const firstFrame = Math.floor((startUs * sampleRate) / 1_000_000 / AAC_FRAME_SAMPLES)
    const position = Math.max(0, firstFrame - RUN_UP_FRAMES) * AAC_FRAME_SAMPLES
    const mixer = new SoundMixer({ ...options, position })
    const encoder = await createAacEncoder({
      trackId: options.trackId ?? 'composite-audio',
      sampleRate,
      channels,
      position,
      ...(bitRate === undefined ? {} : { bitRate }),
      ...(encoderName === undefined ? {} : { encoder: encoderName }),
    })
    return new CompositeSound(options, firstFrame * AAC_FRAME_SAMPLES, mixer, encoder)
  }

  /** What comes out. */
  get track(): AudioTrack {
    return this.#encoder.track
  }

  get stats(): CompositeSoundStats {
    let decodeErrors = this.#decodeErrors
    for (const { decoder } of this.#sources.values()) decodeErrors += decoder?.stats.decodeErrors ?? 0
    return {
      ...this.#mixer.stats,
      tracks: this.#tracks,
      packetsIn: this.#packetsIn,
      decodeErrors,
      strayItems: this.#strayItems,
      framesOut: this.#encoder.stats.framesOut,
    }
  }

  /**
   * Recording time before which nothing more will come: the least of all tracks that have not ended, Infinity without
   * any.
   */
  get knownUntilUs(): number {
    let known = Number.POSITIVE_INFINITY
    for (const { decoder } of this.#sources.values()) {
      known = Math.min(known, decoder?.knownUntilUs ?? Number.NEGATIVE_INFINITY)
    }
    return Math.max(this.#askedUs, known)
  }

  /**
   * Adds a track. It counts at once: its items are taken, and `knownUntilUs` waits for it. An id may come again when its
   * track has ended. Rejects with `BAD_CONFIGURATION` where the codec is none of Opus, G.711 and G.722 or the id is taken.
   */
  async addTrack(track: AudioTrack, participantId: string): Promise<void> {
    if (this.#sources.has(track.id)) {
      throw new ConfigurationError('track.id', 'must not be that of another track', track.id)
    }
    const { id } = track
    const sink: PositionedPcmSink = (planes, samples, position) => this.#mixer.write(id, planes, samples, position)
    const source: Source = { track, decoder: undefined, waiting: [], sink }
    this.#sources.set(id, source)
    this.#mixer.addSource(id, participantId)
    this.#tracks++
    const { concealment, onConcealed } = this.#options
    const channels = this.#channels === 1 ? 1 : saysStereo(track) ? 2 : undefined
    try {
      const decoder = await createPcmDecoder({
        track,
        sampleRate: this.#sampleRate,
        ...(channels === undefined || track.codec !== 'opus' ? {} : { channels }),
        ...(concealment === undefined ? {} : { concealment }),
        ...(onConcealed === undefined ? {} : { onConcealed }),
      })
      if (this.#closed) {
        decoder.close()
        return
      }
      source.decoder = decoder
    } catch (error) {
      this.#remove(id)
      throw error
    }
    // What the mix has gone past meanwhile is past for the track too.
    source.decoder.advance(this.#askedUs, sink)
    for (const item of source.waiting.splice(0)) this.#decode(source, item)
  }

  /** Takes what a track brings: packets, watermarks, its end. What does not belong here is counted. */
  push(item: TimedItem): void {
    const source = this.#sources.get(item.trackId)
    if (item.type === 'sample') this.#packetsIn++
    if (source === undefined) this.#strayItems++
    else if (source.decoder !== undefined) this.#decode(source, item)
    else if (source.waiting.length < MAX_WAITING_ITEMS || item.type === 'track-end') source.waiting.push(item)
    else this.#strayItems++
  }

  /**
   * Mixes what is before `timeUs`, and emits AAC samples and a watermark. Beyond `knownUntilUs` what is missing is
   * silence, and what comes for it later is dropped and counted. A time before the last one does nothing.
   */
  mixUntil(timeUs: number, emit: Emit<TimedItem>): void {
    if (this.#closed || timeUs <= this.#askedUs) return
    this.#emit = emit
    this.#askedUs = timeUs
    this.#advance(timeUs)
    this.#mixer.mixTo(this.#positionOf(timeUs), this.#mixed)
    const dts = Math.max(this.#first, this.#encoder.next)
    if (dts <= this.#watermark) return
    this.#watermark = dts
    emit({ type: 'watermark', trackId: this.track.id, dts })
  }

  /** `db`: -Infinity to 24. From `atUs` on, or from what is mixed next; it moves within 10 ms. */
  setGain(participantId: string, db: number, atUs?: number): void {
    this.#mixer.setGain(participantId, db, this.#optionalPositionOf(atUs))
  }

  setMuted(participantId: string, muted: boolean, atUs?: number): void {
    this.#mixer.setMuted(participantId, muted, this.#optionalPositionOf(atUs))
  }

  /** While there is anybody solo, all others are silent. */
  setSolo(participantId: string, solo: boolean, atUs?: number): void {
    this.#mixer.setSolo(participantId, solo, this.#optionalPositionOf(atUs))
  }

  /** Emits the rest, to the sample at `endUs`, and the track's end. Closes. `endUs`: the latest time of `mixUntil`. */
  flush(emit: Emit<TimedItem>, endUs: number = this.#askedUs): void {
    if (this.#closed) return
    this.#emit = emit
    this.#advance(endUs)
    this.#mixer.flush(this.#positionOf(endUs), this.#mixed)
    this.#encoder.flush(this.#encoded)
    emit({ type: 'track-end', trackId: this.track.id })
    this.close()
  }

  /** Gives native memory back. Idempotent. */
  close(): void {
    this.#closed = true
    for (const id of [...this.#sources.keys()]) this.#remove(id)
    this.#encoder.close()
  }

  #decode(source: Source, item: TimedItem): void {
    source.decoder?.push(item, source.sink)
    if (item.type === 'track-end') this.#remove(item.trackId)
  }

  #advance(timeUs: number): void {
    for (const { decoder, sink } of this.#sources.values()) decoder?.advance(timeUs, sink)
  }

  #remove(id: string): void {
    const decoder = this.#sources.get(id)?.decoder
    this.#sources.delete(id)
    this.#mixer.removeSource(id)
    this.#decodeErrors += decoder?.stats.decodeErrors ?? 0
    decoder?.close()
  }

  #frame(sample: EncodedSample): void {
    const { configuration } = sample
    if (sample.pts < this.#first) {
      this.#configuration = configuration ?? this.#configuration
      return
    }
    const pending = this.#configuration
    this.#configuration = undefined
    this.#emit(pending === undefined ? sample : { ...sample, configuration: pending })
  }

  #positionOf(timeUs: number): number {
    return Math.floor((timeUs * this.#sampleRate) / 1_000_000)
  }

  #optionalPositionOf(timeUs: number | undefined): number | undefined {
    return timeUs === undefined ? undefined : this.#positionOf(timeUs)
  }
}

/** The sender may send stereo (RFC 7587 §6.1): the first packet alone need not show it. */
function saysStereo({ fmtp = '' }: AudioTrack): boolean {
  return /(?:^|[;\s])(?:sprop-)?stereo=1(?:$|[;\s])/.test(fmtp)
}
