/** What the segmenter remembers of one track. */

import { isSameVideoConfiguration } from '@rushes/bitstream'
import { type Configuration, type EncodedSample, type Track, ticksToUs, timescaleOf } from '@rushes/media'

// A longer step is a hole and says nothing about the length of a sample.
const LONGEST_STEP_SECONDS = 1

/** One track of the segmenter's input. */
export class TrackState {
  readonly track: Track
  readonly timescale: number
  readonly video: boolean
  /** Not part of the format yet: it waits for a cut. */
  pending: boolean
  /** The format knows it. */
  announced: boolean
  /** A sample that can be used has come. */
  seen = false
  ended = false
  /** Its video cannot be used until the next keyframe, which has been asked for. */
  waiting: boolean
  asked = false
  /** The number of the last segment that holds samples of it; the first one is 1. */
  inSegment = 0
  /** What the samples written last were coded with. */
  configuration: Configuration | undefined
  /** Of samples that were left out: it goes with the first one that is written. */
  missedConfiguration: Configuration | undefined
  /** Microseconds between the last two keyframes. */
  keyframeIntervalUs: number | undefined
  #lastKeyframeUs: number | undefined
  #lastDts: number | undefined
  /** Ticks from one sample to the next: the length of one that does not say. */
  #step: number
  /** PTS less DTS of the last keyframe, in ticks: the delay of reordering. */
  #reorderTicks = 0

  constructor(track: Track, pending: boolean) {
    this.track = track
    this.timescale = timescaleOf(track)
    this.video = track.kind === 'video'
    this.pending = pending
    this.announced = !pending
    this.waiting = this.video
    this.#step = Math.round(this.timescale / (this.video ? 30 : 50))
  }

  /** Learns from every sample that comes, used or not. */
  observe(sample: EncodedSample): void {
    this.ended = false
    if (this.#lastDts !== undefined) {
      const step = sample.dts - this.#lastDts
      if (step > 0 && step <= LONGEST_STEP_SECONDS * this.timescale) this.#step = step
    }
    this.#lastDts = sample.dts
    if (!this.video || !sample.keyframe) return
    this.#reorderTicks = sample.pts - sample.dts
    const us = ticksToUs(sample.pts, this.timescale)
    if (this.#lastKeyframeUs !== undefined) this.keyframeIntervalUs = us - this.#lastKeyframeUs
    this.#lastKeyframeUs = us
  }

  /** Where its presentation ends, in microseconds; estimated where the sample has no duration. */
  endUs({ pts, duration }: EncodedSample): number {
    return ticksToUs(pts + (duration ?? this.#step), this.timescale)
  }

  /**
   * The earliest time that is presented from this sample on, in microseconds: its PTS, unless pictures that are
   * decoded later may be shown before it.
   */
  boundaryUs({ pts, dts, keyframe }: EncodedSample): number {
    return ticksToUs(keyframe ? pts : Math.min(pts, dts + this.#reorderTicks), this.timescale)
  }

  /** Whether a decoder has to start anew at this sample. Parameter sets may differ in bytes and say the same. */
  changesConfiguration({ configuration, keyframe }: EncodedSample): boolean {
    const before = this.configuration
    if (configuration === undefined || before === undefined || !keyframe) return false
    if (configuration.kind === 'video') {
      return before.kind !== 'video' || !isSameVideoConfiguration(before, configuration)
    }
    if (before.kind !== 'audio' || before.codecString !== configuration.codecString) return true
    return before.sampleRate !== configuration.sampleRate || before.channels !== configuration.channels
  }
}
