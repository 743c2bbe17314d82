/** The cut: interleaved samples into segments and playlists (RFC 8216). */

import {
  ConfigurationError,
  type Emit,
  type EncodedSample,
  type KeyframeNeeded,
  type OutputObject,
  type Signal,
  type Stage,
  type TimedItem,
  type Track,
  ticksToUs,
} from '@rushes/media'
import type { Boundary, BoundaryQueue } from './boundary-queue.js'
import { judgeCut } from './cut-rule.js'
import { HlsPublisher, type HlsSummary } from './hls-publisher.js'
import { type HlsSegmenterOptions, longestUs, resolveOptions, type SegmenterSettings } from './segmenter-options.js'
import { TrackState } from './track-state.js'

/** Counters of an {@link HlsSegmenter}. */
export interface HlsSegmenterStats {
  /** Segments emitted. */
  readonly segments: number
  /** Samples written into segments. */
  readonly samples: number
  /** Segments in which the main video begins without a keyframe. */
  readonly overdueCuts: number
  /** Holes that no segment of `event` or `live` could span. */
  readonly holes: number
  /** Video samples left out while a keyframe was waited for. */
  readonly droppedVideo: number
  /** Samples of a late track left out before the cut with which it begins. */
  readonly heldOff: number
  /** Keyframes asked for through `onSignal`. */
  readonly keyframeRequests: number
  /** Items dropped because their track is not known. */
  readonly unknownTrack: number
  /** Segments that left the sliding window. */
  readonly removedSegments: number
  /** Bytes of the open segment, which are all the media that is held. */
  readonly openBytes: number
}

/** How segmenters of one presentation keep step; not for hosts. */
interface SegmenterLink {
  /** Told where each segment begins. */
  readonly onBegin?: (boundary: Boundary) => void
  /** Where to cut, in place of the rules: only the ceiling holds beside it. */
  readonly boundaries?: BoundaryQueue
}

// Longer than any step between pictures of a running camera (real senders: up to 83 ms).
const SOUND_AHEAD_US = 500_000

interface OpenSegment {
  startUs: number
  /** The latest presentation end of what is in it. */
  endUs: number
  /** The latest presentation end of its video; -Infinity without any. */
  videoEndUs: number
  /** No segment ends where this one starts: its earliest sample says where that is. */
  readonly floating: boolean
  readonly discontinuity: boolean
  readonly body: Uint8Array[]
  bytes: number
  /** Time within it without any sample. */
  holeUs: number
  /** Its keyframe has been asked for. */
  asked: boolean
}

/**
 * Cuts interleaved samples into segments of a format and writes the playlists; the README has the rules.
 * Holds the bytes of the open segment, and of those before it a line of the playlist each.
 */
export class HlsSegmenter implements Stage<TimedItem, OutputObject> {
  readonly #settings: SegmenterSettings
  readonly #onSignal: Emit<Signal> | undefined
  readonly #link: SegmenterLink
  readonly #publisher: HlsPublisher
  readonly #tracks = new Map<string, TrackState>()
  // On whose keyframes is cut: the first video track that has not ended.
  #main: TrackState | undefined
  #open: OpenSegment | undefined
  #opened = 0
  // Where the last segment ended, and whether the next one starts there or after a hole.
  #endUs = Number.NEGATIVE_INFINITY
  #afterHole = true
  #discontinuityNext: boolean
  // 'clean': a late track waits for the main video's keyframe. 'anywhere': the segment is full already.
  #cutNext: 'no' | 'clean' | 'anywhere' = 'no'
  #allIndependent = true
  #stats = { samples: 0, overdueCuts: 0, holes: 0, droppedVideo: 0, heldOff: 0, keyframeRequests: 0, unknownTrack: 0 }
  readonly #collect: Emit<Uint8Array> = (bytes) => {
    if (this.#open === undefined) return
    this.#open.body.push(bytes)
    this.#open.bytes += bytes.byteLength
  }

  /** Throws `ConfigurationError`. `link` is for {@link RenditionSegmenter}. */
  constructor(options: HlsSegmenterOptions, link: SegmenterLink = {}) {
    this.#settings = resolveOptions(options)
    this.#link = link
    this.#onSignal = options.onSignal
    this.#publisher = new HlsPublisher(this.#settings, options.onRemoved)
    this.#discontinuityNext = options.resume !== undefined
    for (const track of options.format.tracks) this.#tracks.set(track.id, new TrackState(track, false))
    this.#chooseMain()
  }

  /**
   * Announces a track that starts late. With its first sample a new segment begins, after EXT-X-DISCONTINUITY. While
   * the main video runs that is at its next keyframe, which is asked for; what the late track sends until then is left
   * out and counted `heldOff`.
   */
  addTrack(track: Track): void {
    if (this.#tracks.has(track.id)) throw new ConfigurationError('track.id', 'must be unique', track.id)
    this.#tracks.set(track.id, new TrackState(track, true))
  }

  get stats(): HlsSegmenterStats {
    const { segments, removed: removedSegments } = this.#publisher
    return { segments, ...this.#stats, removedSegments, openBytes: this.#open?.bytes ?? 0 }
  }

  /** What has been written so far; complete after `flush`. */
  summary(): HlsSummary {
    return this.#publisher.summary(this.#independent)
  }

  push(item: TimedItem, emit: Emit<OutputObject>): void {
    const state = this.#tracks.get(item.trackId)
    if (state === undefined) this.#stats.unknownTrack++
    else if (item.type === 'sample') this.#onSample(state, item, emit)
    else if (item.type === 'watermark') this.#onTime(ticksToUs(item.dts, state.timescale), emit)
    else {
      state.ended = true
      this.#chooseMain()
    }
  }

  /** `leastTargetDuration`: whole seconds, where `vod` has to agree with another rendition. */
  flush(emit: Emit<OutputObject>, leastTargetDuration = 1): void {
    this.#publisher.raiseTargetDuration(leastTargetDuration)
    const isEnded = this.endSegment(emit)
    if (!isEnded || this.#settings.playlistType === 'vod') this.#publisher.finish(this.#independent, emit)
  }

  /** Publishes the last segment. False: there was none, or it has been done before. */
  endSegment(emit: Emit<OutputObject>): boolean {
    if (this.#open === undefined) return false
    this.#close(this.#open.endUs, true, emit)
    return true
  }

  get #independent(): boolean {
    return this.#settings.playlistType === 'vod' ? this.#allIndependent : this.#settings.independentSegments
  }

  #onSample(state: TrackState, sample: EncodedSample, emit: Emit<OutputObject>): void {
    state.observe(sample)
    if (this.#main === undefined && !state.pending) this.#chooseMain()
    if (state.video && !this.#isUsable(state, sample)) {
      this.#stats.droppedVideo++
      this.#leaveOut(state, sample)
      this.#onTime(ticksToUs(sample.dts, state.timescale), emit)
      return
    }
    state.seen = true
    if (this.#open !== undefined && !this.#makeRoom(this.#open, state, sample, emit)) return
    if (this.#open === undefined) this.#begin(ticksToUs(sample.pts, state.timescale))
    if (this.#open !== undefined) this.#write(this.#open, state, sample)
  }

  /** Whether a decoder can do something with this picture, where the output promises as much. */
  #isUsable(state: TrackState, { keyframe }: EncodedSample): boolean {
    if (keyframe) {
      state.waiting = false
      state.asked = false
      return true
    }
    const { overdue, independentSegments } = this.#settings
    if (independentSegments || (overdue === 'discontinuity' && state === this.#main)) {
      if (this.#open === undefined || state.inSegment !== this.#opened) state.waiting = true
    }
    if (!state.waiting) return true
    if (!state.asked) this.#ask(state, state.inSegment === 0 ? 'start' : 'boundary-overdue')
    return false
  }

  /** Cuts before the sample where a rule says so. False: the sample cannot be used. */
  #makeRoom(open: OpenSegment, state: TrackState, sample: EncodedSample, emit: Emit<OutputObject>): boolean {
    const boundaryUs = state.boundaryUs(sample)
    const led = this.#link.boundaries?.takeUntil(boundaryUs)
    if (led !== undefined) {
      if (led.discontinuity || state.changesConfiguration(sample)) this.#discontinuityNext = true
      this.#close(boundaryUs, false, emit)
      return true
    }
    const changed = state.changesConfiguration(sample)
    const forced = changed || state.pending || this.#cutNext !== 'no'
    const clean = this.#link.boundaries === undefined && this.#isCleanCut(open, state, sample)
    const declared = this.#settings.targetDuration !== undefined
    // A hole costs no memory: vod, which declares no ceiling, does not count it.
    const holeUs = declared ? 0 : open.holeUs + Math.max(0, ticksToUs(sample.pts, state.timescale) - open.endUs)
    const verdict = judgeCut(
      {
        boundaryUs: boundaryUs - open.startUs,
        endUs: state.endUs(sample) - open.startUs - holeUs,
        clean: clean || this.#cutNext === 'anywhere',
        video: state.video,
        forced,
        keyframeIntervalUs: state.keyframeIntervalUs,
      },
      this.#settings,
    )
    if (verdict === 'stay') {
      // What changed without a cut shows at the next one.
      if (changed) this.#discontinuityNext = true
      if (!state.pending) return true
      this.#holdOff(open, state, sample)
      return false
    }
    if (verdict === 'overdue' && state === this.#main && this.#settings.overdue === 'discontinuity') {
      this.#stats.droppedVideo++
      state.waiting = true
      state.asked = open.asked
      this.#cutNext = 'anywhere'
      return false
    }
    if (forced) this.#discontinuityNext = true
    this.#close(boundaryUs, false, emit)
    return true
  }

  #isCleanCut(open: OpenSegment, state: TrackState, sample: EncodedSample): boolean {
    if (state.video) return sample.keyframe && (state === this.#main || !this.#hasMainVideo)
    return !this.#hasMainVideo && this.#isSoundAlone(open, state, sample)
  }

  /** A late track cannot begin in the middle of a segment, whose tables do not name it. */
  #holdOff(open: OpenSegment, state: TrackState, sample: EncodedSample): void {
    this.#stats.heldOff++
    this.#leaveOut(state, sample)
    if (state.video) state.waiting = true
    if (this.#cutNext === 'no') this.#cutNext = 'clean'
    if (open.asked || this.#main === undefined) return
    open.asked = true
    this.#ask(this.#main, 'boundary-overdue')
  }

  #leaveOut(state: TrackState, sample: EncodedSample): void {
    if (sample.configuration !== undefined) state.missedConfiguration = sample.configuration
  }

  /** Time goes on without a sample that is used: a segment that nothing can join any more is published. */
  #onTime(us: number, emit: Emit<OutputObject>): void {
    const open = this.#open
    const { targetDuration } = this.#settings
    if (open === undefined || targetDuration === undefined) return
    if (us - open.startUs > longestUs(targetDuration)) this.#close(us, false, emit)
    else this.#askBeforeOverdue(open, us)
  }

  #begin(ptsUs: number): void {
    const { format } = this.#settings
    const first = this.#opened === 0
    for (const state of this.#tracks.values()) {
      // The header of fragments describes tracks by their first sample: one that has sent none so far begins late.
      if (!first && !state.seen && format.container === 'cmaf') state.pending = true
      if (!state.pending || !(first || state.seen)) continue
      if (!state.announced) format.addTrack(state.track)
      state.announced = true
      state.pending = false
      if (!first) this.#discontinuityNext = true
    }
    this.#chooseMain()
    if (this.#link.boundaries?.takeUntil(ptsUs)?.discontinuity === true) this.#discontinuityNext = true
    const discontinuity = this.#discontinuityNext
    this.#opened++
    this.#open = {
      startUs: this.#afterHole ? Math.max(ptsUs, this.#endUs) : this.#endUs,
      endUs: Number.NEGATIVE_INFINITY,
      videoEndUs: Number.NEGATIVE_INFINITY,
      floating: this.#afterHole,
      discontinuity,
      body: [],
      bytes: 0,
      holeUs: 0,
      asked: false,
    }
    this.#discontinuityNext = false
    this.#cutNext = 'no'
    this.#link.onBegin?.({ startUs: this.#open.startUs, discontinuity })
    format.begin({ discontinuity }, this.#collect)
  }

  #write(open: OpenSegment, state: TrackState, sample: EncodedSample): void {
    const ptsUs = ticksToUs(sample.pts, state.timescale)
    if (this.#settings.targetDuration === undefined && open.endUs !== Number.NEGATIVE_INFINITY) {
      open.holeUs += Math.max(0, ptsUs - open.endUs)
    }
    open.endUs = Math.max(open.endUs, state.endUs(sample))
    if (state.video) open.videoEndUs = Math.max(open.videoEndUs, state.endUs(sample))
    if (open.floating && ptsUs < open.startUs && open.endUs - ptsUs <= this.#settings.limitUs) {
      open.startUs = Math.max(ptsUs, this.#endUs)
    }
    if (state.video && !sample.keyframe && state.inSegment !== this.#opened) {
      this.#allIndependent = false
      if (state === this.#main) this.#stats.overdueCuts++
    }
    state.inSegment = this.#opened
    const configuration = sample.configuration ?? state.missedConfiguration
    if (configuration !== undefined) {
      state.configuration = configuration
      this.#publisher.facts.add(state.track, configuration)
    }
    this.#stats.samples++
    const missed = state.missedConfiguration !== undefined && sample.configuration === undefined
    state.missedConfiguration = undefined
    this.#settings.format.push(missed ? withConfiguration(sample, configuration) : sample, this.#collect)
    // Sound may run a little ahead of the keyframe that is just coming; only a picture shows that it is none.
    this.#askBeforeOverdue(open, state === this.#main ? ptsUs : ptsUs - SOUND_AHEAD_US)
  }

  #close(boundaryUs: number, last: boolean, emit: Emit<OutputObject>): void {
    const open = this.#open
    if (open === undefined) return
    const { format, targetDuration } = this.#settings
    const longest = targetDuration === undefined ? Number.POSITIVE_INFINITY : longestUs(targetDuration)
    let endUs = Math.max(boundaryUs, open.startUs + 1)
    this.#afterHole = endUs - open.startUs > longest
    if (this.#afterHole) {
      endUs = Math.min(Math.max(open.endUs, open.startUs + 1), open.startUs + longest)
      this.#discontinuityNext = true
      if (!last) this.#stats.holes++
    }
    format.end(this.#collect)
    const { startUs, discontinuity, body, bytes } = open
    this.#open = undefined
    this.#endUs = endUs
    const initialization = format.initialization?.()
    this.#publisher.publish(
      { startUs, endUs, discontinuity, body, bytes, initialization },
      this.#independent,
      last,
      emit,
    )
  }

  /** There is video, and this segment has some: it is not cut on anything else. */
  get #hasMainVideo(): boolean {
    return this.#main !== undefined && this.#main.inSegment === this.#opened
  }

  /** Sound that ends a moment after its video stays with it: a segment of its own would be a stub without a picture. */
  #isSoundAlone(open: OpenSegment, state: TrackState, sample: EncodedSample): boolean {
    return ticksToUs(sample.pts, state.timescale) - open.videoEndUs >= this.#settings.aimUs
  }

  #chooseMain(): void {
    this.#main = undefined
    for (const state of this.#tracks.values()) {
      if (!state.video || state.pending || state.ended) continue
      this.#main = state
      return
    }
  }

  #askBeforeOverdue(open: OpenSegment, us: number): void {
    if (open.asked || this.#main === undefined || !this.#hasMainVideo) return
    if (us - open.startUs < this.#settings.requestUs) return
    open.asked = true
    this.#ask(this.#main, 'boundary-overdue')
  }

  #ask(state: TrackState, reason: KeyframeNeeded['reason']): void {
    state.asked = true
    this.#stats.keyframeRequests++
    this.#onSignal?.({ type: 'keyframe-needed', trackId: state.track.id, reason })
  }
}

/** The sample with the configuration that went past with one before it. Its bytes are not touched, nor joined. */
function withConfiguration(sample: EncodedSample, configuration: EncodedSample['configuration']): EncodedSample {
  const { trackId, pieces, pts, dts, duration, keyframe } = sample
  return {
    type: 'sample',
    trackId,
    get data() {
      return sample.data
    },
    ...(pieces === undefined ? {} : { pieces }),
    pts,
    dts,
    ...(duration === undefined ? {} : { duration }),
    keyframe,
    ...(configuration === undefined ? {} : { configuration }),
    discontinuity: true,
  }
}
