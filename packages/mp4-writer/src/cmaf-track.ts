import { type Configuration, type EncodedSample, rescale, type Track, timescaleOf, usToTicks } from '@rushes/media'
import type { FragmentTrack } from './fragment.js'
import { FragmentPayload } from './fragment-payload.js'
import { describeSamples, type SampleDescription } from './sample-description.js'
import { payloadLength, payloadOf } from './sample-payload.js'
import type { IndexedSample } from './track-index.js'

/** What became of a sample. */
export type CmafVerdict = 'taken' | 'unconfigured' | 'out-of-order' | 'before-zero'

/** A longer step is a hole and says nothing about the length of a sample. */
const LONGEST_STEP_SECONDS = 0.5
/** The longest that a sample may last: durations have 32 bits, of which some readers take one for a sign. */
const LONGEST_DURATION_TICKS = 0x7fffffff
/** What fills holes in Opus comes so far behind the other tracks. */
const SLACK_US = 20_000

/** One track of a {@link CmafFormat}: its samples of the open fragment, in ticks of media time. */
export class CmafTrack {
  readonly track: Track
  readonly number: number
  readonly timescale: number
  readonly #shiftTicks: number
  pending: IndexedSample[] = []
  readonly #payload = new FragmentPayload()
  /** The first of the segment, or of those before. */
  #configuration: Configuration | undefined
  #described: { readonly configuration: Configuration; readonly description: SampleDescription } | undefined
  #inSegment = false
  #lastDts = Number.NEGATIVE_INFINITY
  /** The shortest step between samples of the segment, ticks: the length of one that does not say. */
  #shortestStep: number | undefined

  constructor(track: Track, number: number, shiftUs: number) {
    this.track = track
    this.number = number
    this.timescale = timescaleOf(track)
    this.#shiftTicks = usToTicks(shiftUs, this.timescale)
  }

  /** Throws `MP4_UNSUPPORTED_CODEC`. */
  describe(): SampleDescription | undefined {
    const configuration = this.#configuration
    if (configuration === undefined) return undefined
    if (this.#described?.configuration !== configuration) {
      this.#described = { configuration, description: describeSamples(configuration) }
    }
    return this.#described?.description
  }

  beginSegment(): void {
    this.#inSegment = false
  }

  /** Media time of the sample's decoding, microseconds. */
  mediaUs(sample: EncodedSample): number {
    return rescale(sample.dts + this.#shiftTicks, this.timescale, 1_000_000)
  }

  /** Whether the hole before this sample is longer than a sample may last: it must begin a fragment then. */
  isBeyondFragment(sample: EncodedSample): boolean {
    return this.pending.length > 0 && sample.dts + this.#shiftTicks - this.#lastDts > LONGEST_DURATION_TICKS
  }

  add(sample: EncodedSample): CmafVerdict {
    const configuration = sample.configuration
    // Within a segment the initialization cannot change: the next one's says what is new.
    if (configuration !== undefined && (!this.#inSegment || this.#configuration === undefined)) {
      this.#configuration = configuration
    }
    if (this.#configuration === undefined) return 'unconfigured'
    const dts = sample.dts + this.#shiftTicks
    if (dts < 0) return 'before-zero'
    if (!(dts > this.#lastDts)) return 'out-of-order'
    this.#observeStep(dts - this.#lastDts)
    this.#inSegment = true
    this.#lastDts = dts
    const payload = payloadOf(this.track, sample)
    const sizeBytes = payloadLength(payload)
    this.#payload.append(payload, sizeBytes)
    const pts = sample.pts + this.#shiftTicks
    this.pending.push({ dts, pts, sizeBytes, keyframe: sample.keyframe, duration: sample.duration ?? 0 })
    return 'taken'
  }

  /**
   * The samples of the fragment that ends. The last one lasts until about `untilUs`, before which no other comes: players
   * have no hole then where a track was silent to the end of the segment.
   */
  takeFragment(untilUs: number): Pick<FragmentTrack, 'samples' | 'data'> {
    const samples = this.pending
    const last = samples.at(-1)
    if (last !== undefined) {
      const guess = this.#shortestStep ?? Math.round(this.timescale / (this.track.kind === 'video' ? 30 : 50))
      const own = last.duration > 0 ? last.duration : guess
      const reach = Math.floor(((untilUs - SLACK_US) * this.timescale) / 1_000_000) - last.dts
      samples[samples.length - 1] = { ...last, duration: Math.min(Math.max(own, reach), LONGEST_DURATION_TICKS) }
    }
    this.pending = []
    return { samples, data: this.#payload.take() }
  }

  /** Where steps differ the shortest one is taken, so that a fragment does not reach into the next. */
  #observeStep(step: number): void {
    if (step > this.timescale * LONGEST_STEP_SECONDS) return
    const isFirst = !this.#inSegment || this.#shortestStep === undefined
    this.#shortestStep = isFirst ? step : Math.min(step, this.#shortestStep as number)
  }
}
