import {
  type Configuration,
  ConfigurationError,
  type EncodedSample,
  type TimedItem,
  type Track,
  ticksToUs,
  timescaleOf,
  usToTicks,
} from '@rushes/media'
import { Mp4Error, writeError } from './errors.js'
import type { Mp4Metadata } from './file-tags.js'
import { buildFragment, type Fragment } from './fragment.js'
import { FragmentPayload } from './fragment-payload.js'
import { FragmentedFile } from './fragmented-file.js'
import { fragmentShift, type MovieTrack } from './movie.js'
import { describeSamples, type SampleDescription } from './sample-description.js'
import { checkCodec } from './sample-entry.js'
import { payloadLength, payloadOf } from './sample-payload.js'
import { type IndexedSample, TrackIndex } from './track-index.js'
import { WriteQueue } from './write-queue.js'

/** A fragment ends early at this size, so that no bit rate makes memory grow. */
const MAX_FRAGMENT_BYTES = 8 * 1024 * 1024

/** How an MP4 file is written. */
export interface Mp4WriterOptions {
  /** The finished file. Its folder is made; a file that stands there is replaced at the end. */
  readonly path: string
  /** H264, H265, VP9, AV1, AAC and Opus. A track that never gets a sample is left out. */
  readonly tracks: readonly Track[]
  /** Recording time at media time zero, in microseconds. */
  readonly originUs: number
  /** Seconds from one fragment to the next while it is written: what a crash costs. @defaultValue 1 */
  readonly fragmentDuration?: number
  /**
   * `end`: the finished file is copied once, so that the movie box comes first. `false`: it is finished in place, with
   * the movie box last. @defaultValue 'end'
   */
  readonly fastStart?: 'end' | false
  readonly metadata?: Mp4Metadata
}

/** A track of a finished file. Times are recording time. */
export interface Mp4TrackSummary {
  readonly id: string
  /** RFC 6381. */
  readonly codecString: string
  readonly samples: number
  readonly firstPtsUs: number
  readonly endUs: number
  /** Pixels, of the first configuration. */
  readonly width?: number
  readonly height?: number
  /** Hz. */
  readonly sampleRate?: number
  readonly channels?: number
}

/** A finished file. */
export interface Mp4Summary {
  readonly path: string
  readonly bytes: number
  /** From media time zero to the end of the last sample. */
  readonly durationUs: number
  readonly tracks: readonly Mp4TrackSummary[]
}

/** Counters since the start. */
export interface Mp4WriterStats {
  readonly samples: number
  readonly fragments: number
  /** Samples before their track's first configuration. */
  readonly unconfiguredSamples: number
  /** Samples whose decoding time does not come after the one before. */
  readonly outOfOrderSamples: number
}

interface TrackState {
  readonly track: Track
  readonly number: number
  readonly timescale: number
  readonly originTicks: number
  readonly index: TrackIndex
  configuration: Configuration | undefined
  description: SampleDescription | undefined
  pending: IndexedSample[]
  readonly payload: FragmentPayload
  lastDts: number
  lastDelta: number
}

/** Opens the temporary file. Rejects with `MP4_WRITE_FAILED`, `MP4_UNSUPPORTED_CODEC`. */
export async function createMp4Writer(options: Mp4WriterOptions): Promise<Mp4Writer> {
  const writer = new Mp4Writer(options)
  await writer.open()
  return writer
}

/**
 * One MP4 file. While it is written it is a fragmented file with a hidden name beside its own (`.name.part`) that can
 * be played up to its last fragment, whatever happens; its own name appears when it is whole.
 * Samples come in decoding order across tracks; a silent track holds nothing up.
 */
export class Mp4Writer {
  readonly #options: Mp4WriterOptions
  readonly #file: FragmentedFile
  readonly #fragmentUs: number
  readonly #tracks = new Map<string, TrackState>()
  #state: 'open' | 'finished' | 'aborted' = 'open'
  readonly #queue: WriteQueue<Mp4Error>
  #pendingBytes = 0
  #fragmentStartUs: number | undefined
  #samples = 0
  #fragments = 0
  #unconfiguredSamples = 0
  #outOfOrderSamples = 0

  /** Use {@link createMp4Writer}. */
  constructor(options: Mp4WriterOptions) {
    checkOptions(options)
    this.#options = options
    this.#file = new FragmentedFile(options.path, options.metadata ?? {})
    this.#queue = new WriteQueue((cause) => writeError(this.#file.path, cause))
    this.#fragmentUs = Math.round((options.fragmentDuration ?? 1) * 1_000_000)
    for (const track of options.tracks) this.addTrack(track)
  }

  /** Counters since the start. */
  get stats(): Mp4WriterStats {
    return {
      samples: this.#samples,
      fragments: this.#fragments,
      unconfiguredSamples: this.#unconfiguredSamples,
      outOfOrderSamples: this.#outOfOrderSamples,
    }
  }

  /** Announces a track that starts late. Throws `MP4_UNSUPPORTED_CODEC`. */
  addTrack(track: Track): void {
    checkCodec(track.codec)
    if (this.#tracks.has(track.id)) throw new ConfigurationError('tracks', 'ids must differ', track.id)
    const timescale = timescaleOf(track)
    this.#tracks.set(track.id, {
      track,
      number: this.#tracks.size + 1,
      timescale,
      originTicks: usToTicks(this.#options.originUs, timescale),
      index: new TrackIndex(),
      configuration: undefined,
      description: undefined,
      pending: [],
      payload: new FragmentPayload(),
      lastDts: Number.NEGATIVE_INFINITY,
      lastDelta: 0,
    })
  }

  /** Called by {@link createMp4Writer}. */
  async open(): Promise<void> {
    try {
      await this.#file.open()
    } catch (cause) {
      await this.abort()
      throw writeError(this.#file.path, cause)
    }
  }

  /**
   * Takes one item. Returns a promise only where the disk is behind: wait for it before the next write. Throws, or
   * rejects with, what an earlier write met: `MP4_NO_SPACE`, `MP4_WRITE_FAILED`; `MP4_UNKNOWN_TRACK`, `MP4_CLOSED`.
   */
  write(item: TimedItem): void | Promise<void> {
    this.#check()
    const state = this.#tracks.get(item.trackId)
    if (state === undefined) throw new Mp4Error('MP4_UNKNOWN_TRACK', `no track has the id ${item.trackId}`)
    if (item.type === 'track-end') return
    // A watermark moves time on too, so that what came before a silence reaches the disk.
    const waiting = this.#endFragmentBefore(ticksToUs(item.dts, state.timescale))
    if (item.type === 'sample') this.#add(state, item)
    return waiting
  }

  /**
   * Ends the file and gives it its name. Rejects with `MP4_NO_MEDIA` where there was no sample, with `MP4_NO_SPACE` or
   * `MP4_WRITE_FAILED`; nothing is left behind then.
   */
  async finish(): Promise<Mp4Summary> {
    if (this.#queue.failure !== undefined) await this.abort()
    this.#check()
    this.#state = 'finished'
    try {
      void this.#endFragment()
      await this.#queue.idle()
      if (this.#queue.failure !== undefined) throw this.#queue.failure
      const tracks = this.#movieTracks()
      if (tracks.length === 0) throw new Mp4Error('MP4_NO_MEDIA', `no sample was written to ${this.#options.path}`)
      const inPlace = this.#options.fastStart === false
      const bytes = inPlace ? await this.#file.finishInPlace(tracks) : await this.#file.finishByCopy(tracks)
      return this.#summary(bytes)
    } catch (cause) {
      await this.#file.remove()
      throw writeError(this.#options.path, cause)
    }
  }

  /** Removes everything that was written. Never rejects; does nothing once the file is finished. */
  async abort(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'aborted'
    await this.#queue.idle()
    await this.#file.remove()
  }

  #check(): void {
    if (this.#queue.failure !== undefined) throw this.#queue.failure
    if (this.#state !== 'open') throw new Mp4Error('MP4_CLOSED', `the writer is ${this.#state}`)
  }

  #add(state: TrackState, sample: EncodedSample): void {
    if (state.configuration === undefined) {
      if (sample.configuration === undefined) {
        this.#unconfiguredSamples++
        return
      }
      state.configuration = sample.configuration
    }
    const dts = sample.dts - state.originTicks
    const delta = dts - state.lastDts
    if (!(delta > 0)) {
      this.#outOfOrderSamples++
      return
    }
    const isFirst = state.lastDts === Number.NEGATIVE_INFINITY
    // A longer step is a hole and says nothing about the length of a sample.
    if (!isFirst && delta <= state.timescale / 2) state.lastDelta = delta
    state.lastDts = dts
    const payload = payloadOf(state.track, sample)
    const sizeBytes = payloadLength(payload)
    const duration = sample.duration ?? (state.lastDelta > 0 ? state.lastDelta : guessDuration(state))
    const pts = sample.pts - state.originTicks
    state.payload.append(payload, sizeBytes)
    state.pending.push({ dts, pts, sizeBytes, keyframe: sample.keyframe, duration })
    this.#pendingBytes += sizeBytes
    this.#samples++
  }

  #endFragmentBefore(us: number): void | Promise<void> {
    // A watermark may have run ahead of the samples of another track.
    this.#fragmentStartUs = Math.min(this.#fragmentStartUs ?? us, us)
    if (us - this.#fragmentStartUs < this.#fragmentUs && this.#pendingBytes < MAX_FRAGMENT_BYTES) return
    this.#fragmentStartUs = us
    return this.#endFragment()
  }

  #endFragment(): void | Promise<void> {
    const states = [...this.#tracks.values()].filter(({ pending }) => pending.length > 0)
    if (states.length === 0) return
    for (const { index, pending } of states) for (const sample of pending) index.add(sample)
    const fragment = buildFragment(
      ++this.#fragments,
      states.map(({ number, index, pending: samples, payload }) => {
        return { number, shift: fragmentShift(index), samples, data: payload.take() }
      }),
    )
    const place = this.#file.place(fragment.header.byteLength, fragment.dataBytes)
    for (let index = 0; index < states.length; index++) {
      const state = states[index]!
      const offset = fragment.trackOffsets[index]!
      state.index.endChunk(state.pending.length, place.dataPosition + offset, place.dataOffset + offset)
      state.pending = []
    }
    this.#pendingBytes = 0
    return this.#queue.add(() => this.#writeFragment(fragment, place.dataPosition - fragment.header.byteLength))
  }

  async #writeFragment({ header, data }: Fragment, position: number): Promise<void> {
    for (const state of this.#tracks.values()) {
      if (state.configuration === undefined || state.description !== undefined || state.index.samples === 0) continue
      state.description = describeSamples(state.configuration)
    }
    await this.#file.write([header, ...data], position, this.#movieTracks())
  }

  #movieTracks(): MovieTrack[] {
    const tracks: MovieTrack[] = []
    for (const { number, timescale, index, description } of this.#tracks.values()) {
      if (description !== undefined) tracks.push({ number, timescale, index, description })
    }
    return tracks
  }

  #summary(bytes: number): Mp4Summary {
    const tracks: Mp4TrackSummary[] = []
    let endUs = this.#options.originUs
    for (const { track, timescale, originTicks, index, configuration } of this.#tracks.values()) {
      if (configuration === undefined || index.samples === 0) continue
      const trackEndUs = ticksToUs(index.endPts + originTicks, timescale)
      endUs = Math.max(endUs, trackEndUs)
      tracks.push({
        id: track.id,
        codecString: configuration.codecString,
        samples: index.samples,
        firstPtsUs: ticksToUs(index.minPts + originTicks, timescale),
        endUs: trackEndUs,
        ...(configuration.kind === 'video'
          ? { width: configuration.width, height: configuration.height }
          : { sampleRate: configuration.sampleRate, channels: configuration.channels }),
      })
    }
    return { path: this.#options.path, bytes, durationUs: endUs - this.#options.originUs, tracks }
  }
}

/** The only sample of a track: a picture of 1/30 s, a frame of 20 ms. */
function guessDuration({ track, timescale }: TrackState): number {
  return Math.round(track.kind === 'video' ? timescale / 30 : timescale / 50)
}

function checkOptions({ path, originUs, fragmentDuration, fastStart }: Mp4WriterOptions): void {
  if (path === '') throw new ConfigurationError('path', 'must name a file')
  if (!Number.isSafeInteger(originUs)) {
    throw new ConfigurationError('originUs', 'must be an integer number of microseconds', originUs)
  }
  if (fragmentDuration !== undefined && !(fragmentDuration >= 0.1 && fragmentDuration <= 60)) {
    throw new ConfigurationError('fragmentDuration', 'must be 0.1 to 60 seconds', fragmentDuration)
  }
  if (fastStart !== undefined && fastStart !== 'end' && fastStart !== false) {
    throw new ConfigurationError('fastStart', "must be 'end' or false", fastStart)
  }
}
