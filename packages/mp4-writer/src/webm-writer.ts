import {
  type Configuration,
  ConfigurationError,
  type EncodedSample,
  rescale,
  type TimedItem,
  type Track,
  ticksToUs,
  timescaleOf,
  usToTicks,
} from '@rushes/media'
import type { Mp4Metadata } from './file-tags.js'
import type { Mp4Summary } from './mp4-writer.js'
import { payloadLength, payloadOf } from './sample-payload.js'
import { buildCluster, type PendingBlock } from './webm-cluster.js'
import { WebmError, webmWriteError } from './webm-errors.js'
import { WebmFile } from './webm-file.js'
import { type CuePoint, checkWebmCodec, type WebmTrack } from './webm-header.js'
import { WriteQueue } from './write-queue.js'

/** A cluster ends early at this size, which the container's guidelines ask for and which bounds memory. */
const MAX_CLUSTER_BYTES = 5 * 1024 * 1024
/** Block times are 16 bit: no cluster may span more, whatever the times of its samples. */
const MAX_BLOCK_SPAN_MS = 30_000
/** A file without video has a place to jump to so often; one with video at its keyframes, and no more often either. */
const CUE_INTERVAL_MS = 500

/** How a WebM file is written. */
export interface WebmWriterOptions {
  /** The finished file. Its folder is made; a file that stands there is replaced at the end. */
  readonly path: string
  /** VP8, VP9, AV1 and Opus. A track that never gets a sample is left out. */
  readonly tracks: readonly Track[]
  /** Recording time at media time zero, in microseconds. */
  readonly originUs: number
  /** Seconds from one cluster to the next, 0.1 to 5: what a crash costs. @defaultValue 1 */
  readonly clusterDuration?: number
  readonly metadata?: Mp4Metadata
}

/** A finished file. */
export type WebmSummary = Mp4Summary

/** Counters since the start. */
export interface WebmWriterStats {
  readonly samples: number
  readonly clusters: number
  /** Samples before their track's first configuration. */
  readonly unconfiguredSamples: number
  /** Samples whose decoding time does not come after the one before. */
  readonly outOfOrderSamples: number
  /** Samples before media time zero: pictures are moved there, sound is left out. */
  readonly beforeZeroSamples: number
}

interface TrackState {
  readonly track: Track
  readonly number: number
  readonly timescale: number
  readonly originTicks: number
  configuration: Configuration | undefined
  samples: number
  lastDts: number
  lastStep: number
  firstPts: number
  /** Ticks of media time. */
  endPts: number
}

/** Opens the temporary file. Rejects with `WEBM_WRITE_FAILED`, `WEBM_UNSUPPORTED_CODEC`. */
export async function createWebmWriter(options: WebmWriterOptions): Promise<WebmWriter> {
  const writer = new WebmWriter(options)
  await writer.open()
  return writer
}

/**
 * One WebM file (RFC 9559, the WebM guidelines), with the contract of `Mp4Writer`: a hidden name beside its own while it
 * grows, playable up to its last cluster; samples in decoding order across tracks; a silent track holds nothing up, a
 * late one is taken up. Written here and not by a library, whose files hold everything back while one track is silent
 * and take no late track.
 */
export class WebmWriter {
  readonly #options: WebmWriterOptions
  readonly #file: WebmFile
  readonly #clusterMs: number
  readonly #queue: WriteQueue<WebmError>
  readonly #tracks = new Map<string, TrackState>()
  #state: 'open' | 'finished' | 'aborted' = 'open'
  #blocks: PendingBlock[] = []
  #pendingBytes = 0
  #clusterStartMs: number | undefined
  readonly #cues: CuePoint[] = []
  #stats = { samples: 0, clusters: 0, unconfiguredSamples: 0, outOfOrderSamples: 0, beforeZeroSamples: 0 }

  /** Use {@link createWebmWriter}. */
  constructor(options: WebmWriterOptions) {
    checkOptions(options)
    this.#options = options
    this.#file = new WebmFile(options.path, options.metadata ?? {})
    this.#queue = new WriteQueue((cause) => webmWriteError(this.#file.path, cause))
    this.#clusterMs = Math.round((options.clusterDuration ?? 1) * 1000)
    for (const track of options.tracks) this.addTrack(track)
  }

  /** Counters since the start. */
  get stats(): WebmWriterStats {
    return { ...this.#stats }
  }

  /** Announces a track that starts late. Throws `WEBM_UNSUPPORTED_CODEC`. */
  addTrack(track: Track): void {
    checkWebmCodec(track.codec)
    if (this.#tracks.has(track.id)) throw new ConfigurationError('tracks', 'ids must differ', track.id)
    const timescale = timescaleOf(track)
    this.#tracks.set(track.id, {
      track,
      number: this.#tracks.size + 1,
      timescale,
      originTicks: usToTicks(this.#options.originUs, timescale),
      configuration: undefined,
      samples: 0,
      lastDts: Number.NEGATIVE_INFINITY,
      lastStep: Math.round(timescale / (track.kind === 'video' ? 30 : 50)),
      firstPts: Number.POSITIVE_INFINITY,
      endPts: Number.NEGATIVE_INFINITY,
    })
  }

  /** Called by {@link createWebmWriter}. */
  async open(): Promise<void> {
    try {
      await this.#file.open()
    } catch (cause) {
      await this.abort()
      throw webmWriteError(this.#file.path, cause)
    }
  }

  /**
   * Takes one item. Returns a promise only where the disk is behind: wait for it before the next write. Throws, or
   * rejects with, what an earlier write met: `WEBM_NO_SPACE`, `WEBM_WRITE_FAILED`; `WEBM_UNKNOWN_TRACK`, `WEBM_CLOSED`.
   */
  write(item: TimedItem): void | Promise<void> {
    this.#check()
    const state = this.#tracks.get(item.trackId)
    if (state === undefined) throw new WebmError('WEBM_UNKNOWN_TRACK', `no track has the id ${item.trackId}`)
    if (item.type === 'track-end') return
    if (item.type === 'watermark') return this.#endClusterBefore(this.#mediaMs(state, item.dts), false, 0)
    return this.#add(state, item)
  }

  /** Ends the file and gives it its name. Rejects as `Mp4Writer.finish` does, with the codes of WebM. */
  async finish(): Promise<WebmSummary> {
    if (this.#queue.failure !== undefined) await this.abort()
    this.#check()
    this.#state = 'finished'
    try {
      void this.#endCluster()
      await this.#queue.idle()
      if (this.#queue.failure !== undefined) throw this.#queue.failure
      const tracks = this.#headerTracks()
      if (tracks.length === 0) throw new WebmError('WEBM_NO_MEDIA', `no sample was written to ${this.#options.path}`)
      const summary = this.#summary()
      const bytes = await this.#file.finish(tracks, this.#cues, summary.durationUs / 1000)
      return { ...summary, bytes }
    } catch (cause) {
      await this.#file.remove()
      throw webmWriteError(this.#options.path, cause)
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
    if (this.#state !== 'open') throw new WebmError('WEBM_CLOSED', `the writer is ${this.#state}`)
  }

  #mediaMs({ originTicks, timescale }: TrackState, ticks: number): number {
    return rescale(ticks - originTicks, timescale, 1000)
  }

  #add(state: TrackState, sample: EncodedSample): void | Promise<void> {
    state.configuration ??= sample.configuration
    if (state.configuration === undefined) {
      this.#stats.unconfiguredSamples++
      return
    }
    const step = sample.dts - state.lastDts
    if (!(step > 0)) {
      this.#stats.outOfOrderSamples++
      return
    }
    // A longer step is a hole and says nothing about the length of a sample.
    if (step <= state.timescale / 2) state.lastStep = step
    state.lastDts = sample.dts
    const isVideo = state.track.kind === 'video'
    const timeMs = this.#mediaMs(state, sample.pts)
    if (timeMs < 0) {
      this.#stats.beforeZeroSamples++
      if (!isVideo) return
    }
    const waiting = this.#endClusterBefore(Math.max(0, timeMs), isVideo && sample.keyframe, MAX_BLOCK_SPAN_MS)
    const payload = payloadOf(state.track, sample)
    this.#blocks.push({ track: state.number, timeMs: Math.max(0, timeMs), keyframe: sample.keyframe, payload })
    this.#pendingBytes += payloadLength(payload)
    this.#stats.samples++
    state.samples++
    const pts = sample.pts - state.originTicks
    state.firstPts = Math.min(state.firstPts, pts)
    state.endPts = Math.max(state.endPts, pts + (sample.duration ?? state.lastStep))
    return waiting
  }

  /** A cluster ends by time, by size, and before a keyframe once it is half full, so that players jump to its start. */
  #endClusterBefore(ms: number, atKeyframe: boolean, maxSpanMs: number): void | Promise<void> {
    const start = this.#clusterStartMs
    if (start === undefined) {
      this.#clusterStartMs = ms
      return
    }
    const span = ms - start
    const isDue =
      span >= (atKeyframe ? this.#clusterMs / 2 : this.#clusterMs) || this.#pendingBytes >= MAX_CLUSTER_BYTES
    // A watermark may have run ahead of the samples of another track: the cluster begins with what comes.
    const isBackTooFar = maxSpanMs > 0 && span < 0 && this.#blocks.some(({ timeMs }) => timeMs - ms > maxSpanMs)
    if (!isDue && !isBackTooFar) {
      this.#clusterStartMs = Math.min(start, ms)
      return
    }
    this.#clusterStartMs = ms
    return this.#endCluster()
  }

  #endCluster(): void | Promise<void> {
    const blocks = this.#blocks
    if (blocks.length === 0) return
    const cluster = buildCluster(blocks)
    const position = this.#file.place(cluster.byteLength)
    this.#addCue(blocks, position)
    this.#blocks = []
    this.#pendingBytes = 0
    this.#stats.clusters++
    return this.#queue.add(() => this.#file.write(cluster, position, this.#headerTracks()))
  }

  /** 24 bytes for each keyframe at most twice a second: 170 KB an hour. */
  #addCue(blocks: readonly PendingBlock[], clusterPosition: number): void {
    const videoNumber = [...this.#tracks.values()].find(
      ({ track, samples }) => track.kind === 'video' && samples > 0,
    )?.number
    const block = blocks.find(({ track, keyframe }) => keyframe && (videoNumber === undefined || track === videoNumber))
    const last = this.#cues.at(-1)
    if (block === undefined || (last !== undefined && block.timeMs - last.timeMs < CUE_INTERVAL_MS)) return
    this.#cues.push({ timeMs: block.timeMs, track: block.track, clusterPosition })
  }

  #headerTracks(): WebmTrack[] {
    const tracks: WebmTrack[] = []
    for (const { number, configuration, samples } of this.#tracks.values()) {
      if (configuration !== undefined && samples > 0) tracks.push({ number, configuration })
    }
    return tracks
  }

  #summary(): WebmSummary {
    const { originUs, path } = this.#options
    let endUs = 0
    const tracks: Mp4Summary['tracks'][number][] = []
    for (const { track, timescale, samples, configuration, firstPts, endPts } of this.#tracks.values()) {
      if (configuration === undefined || samples === 0) continue
      const trackEndUs = ticksToUs(endPts, timescale)
      endUs = Math.max(endUs, trackEndUs)
      tracks.push({
        id: track.id,
        codecString: configuration.codecString,
        samples,
        firstPtsUs: ticksToUs(firstPts, timescale) + originUs,
        endUs: trackEndUs + originUs,
        ...(configuration.kind === 'video'
          ? { width: configuration.width, height: configuration.height }
          : { sampleRate: configuration.sampleRate, channels: configuration.channels }),
      })
    }
    return { path, bytes: 0, durationUs: endUs, tracks }
  }
}

function checkOptions({ path, originUs, clusterDuration }: WebmWriterOptions): void {
  if (path === '') throw new ConfigurationError('path', 'must name a file')
  if (!Number.isSafeInteger(originUs)) {
    throw new ConfigurationError('originUs', 'must be an integer number of microseconds', originUs)
  }
  if (clusterDuration !== undefined && !(clusterDuration >= 0.1 && clusterDuration <= 5)) {
    throw new ConfigurationError('clusterDuration', 'must be 0.1 to 5 seconds', clusterDuration)
  }
}
