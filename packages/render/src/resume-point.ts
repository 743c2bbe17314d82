import { type MediaPlaylist, parseMediaPlaylist } from '@rushes/hls-segmenter'
import type { Configuration, EncodedSample, Track } from '@rushes/media'
import { ticksToUs, timescaleOf } from '@rushes/media'
import type { PublishedPlaylist } from './output.js'
import { sampleWith } from './sample-with.js'

/**
 * Times of a live render and of the one that goes on with it differ while sender reports are missing, and the playlist's
 * dates have whole milliseconds. A keyframe so little before the end of the last segment is the one that ended it.
 */
const TOLERANCE_US = 100_000

/** Where an output goes on that an earlier render has left behind in the middle. */
export class ResumePoint {
  readonly playlist: MediaPlaylist
  readonly bytes: number
  /** Start of its first segment, microseconds of recording time. */
  readonly startUs: number
  /** End of its last segment. */
  readonly endUs: number
  readonly #toleranceUs: number
  readonly #begun = new Set<string>()
  readonly #pending = new Map<string, Configuration>()

  /** `undefined` where nothing can be gone on with: no segment yet, or no dates to find the place by. */
  static of(
    published: PublishedPlaylist,
    startedAtUs: number,
    toleranceUs: number = TOLERANCE_US,
  ): ResumePoint | undefined {
    const playlist = parseMediaPlaylist(published.text)
    const first = playlist.segments[0]
    const last = playlist.segments.at(-1)
    if (first?.programDateTimeMs === undefined || last?.programDateTimeMs === undefined) return undefined
    const startUs = first.programDateTimeMs * 1000 - startedAtUs
    const endUs = last.programDateTimeMs * 1000 - startedAtUs + last.durationUs
    return new ResumePoint(playlist, published.bytes, startUs, endUs, toleranceUs)
  }

  private constructor(playlist: MediaPlaylist, bytes: number, startUs: number, endUs: number, toleranceUs: number) {
    this.#toleranceUs = toleranceUs
    this.playlist = playlist
    this.bytes = bytes
    this.startUs = startUs
    this.endUs = endUs
  }

  /** The sample as it goes into the output; `undefined` when it is there already, or cannot be decoded from here on. */
  admit(sample: EncodedSample, track: Track): EncodedSample | undefined {
    if (this.#begun.has(sample.trackId)) return sample
    const us = ticksToUs(sample.pts, timescaleOf(track))
    if (us < this.endUs - (track.kind === 'video' ? this.#toleranceUs : 0) || !sample.keyframe) {
      if (sample.configuration !== undefined) this.#pending.set(sample.trackId, sample.configuration)
      return undefined
    }
    this.#begun.add(sample.trackId)
    const configuration = sample.configuration ?? this.#pending.get(sample.trackId)
    this.#pending.delete(sample.trackId)
    return configuration === undefined ? sample : sampleWith(sample, { configuration })
  }
}
