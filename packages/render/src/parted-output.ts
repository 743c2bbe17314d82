import type { Configuration, EncodedSample, TimedItem, Track } from '@rushes/media'
import { nalPiecesOf, piecesLength, ticksToUs, timescaleOf } from '@rushes/media'
import type { ManifestOutput } from './manifest.js'
import type { Output, OutputStart, PartOutput } from './output.js'
import { sampleWith } from './sample-with.js'

/** When a new part begins: at the first keyframe after either. */
export interface PartLimits {
  /** Microseconds of media. */
  readonly lengthUs: number
  /** Bytes of the samples, before the container adds its own. */
  readonly bytes: number
}

/** Makes one part; parts are numbered from 1. */
export type CreatePart = (start: OutputStart, part: number) => Promise<PartOutput>

/**
 * One output in several files. A part ends where the next one's first picture stands: before a keyframe, or before any
 * sound where there is no video. Its tracks are those that have sent something and have not ended.
 */
export class PartedOutput implements Output {
  readonly #limits: PartLimits
  readonly #create: CreatePart
  readonly #tracks = new Map<string, Track>()
  readonly #seen = new Set<string>()
  readonly #ended = new Set<string>()
  readonly #configurations = new Map<string, Configuration>()
  readonly #finished: ManifestOutput[] = []
  #current: PartOutput
  #part = 1
  #startUs: number
  #bytes = 0
  /** Tracks that have a sample in this part. */
  #begun = new Set<string>()
  /** From the first sample of the next part on, until `drain` has opened it. */
  #held: TimedItem[] | undefined

  private constructor(current: PartOutput, start: OutputStart, limits: PartLimits, create: CreatePart) {
    this.#current = current
    this.#startUs = start.startUs
    this.#limits = limits
    this.#create = create
    for (const track of start.tracks) this.#tracks.set(track.id, track)
  }

  static async create(start: OutputStart, limits: PartLimits, create: CreatePart): Promise<PartedOutput> {
    return new PartedOutput(await create(start, 1), start, limits, create)
  }

  addTrack(track: Track): void {
    this.#tracks.set(track.id, track)
    this.#current.addTrack(track)
  }

  push(item: TimedItem): void {
    if (this.#held !== undefined) {
      this.#held.push(item)
      return
    }
    if (item.type === 'sample') {
      if (this.#begun.size > 0 && this.#isBoundary(item)) {
        this.#held = [item]
        return
      }
      this.#pushSample(item)
    } else {
      if (item.type === 'track-end') this.#ended.add(item.trackId)
      this.#current.push(item)
    }
  }

  async drain(): Promise<void> {
    while (this.#held !== undefined) {
      const held = this.#held
      this.#held = undefined
      await this.#nextPart(held[0] as EncodedSample)
      // Where a batch is longer than a part, this holds again.
      for (const item of held) this.push(item)
    }
    await this.#current.drain()
  }

  async finish(): Promise<ManifestOutput[]> {
    await this.drain()
    return [...this.#finished, ...(await this.#current.finish(true))]
  }

  async abort(): Promise<void> {
    await this.#current.abort()
  }

  async #nextPart(first: EncodedSample): Promise<void> {
    this.#finished.push(...(await this.#current.finish(false)))
    const track = this.#tracks.get(first.trackId) as Track
    const tracks = [...this.#tracks.values()].filter(({ id }) => this.#seen.has(id) && !this.#ended.has(id))
    this.#startUs = ticksToUs(first.dts, timescaleOf(track))
    this.#bytes = 0
    this.#begun = new Set()
    this.#part += 1
    const start = { tracks, startUs: this.#startUs, configurations: this.#configurations }
    this.#current = await this.#create(start, this.#part)
    for (const late of this.#tracks.values()) {
      if (!this.#seen.has(late.id) && !this.#ended.has(late.id)) this.#current.addTrack(late)
    }
  }

  #isBoundary(sample: EncodedSample): boolean {
    const track = this.#tracks.get(sample.trackId)
    if (track === undefined || !sample.keyframe || this.#mainTrack()?.id !== track.id) return false
    const us = ticksToUs(sample.dts, timescaleOf(track))
    return us - this.#startUs >= this.#limits.lengthUs || this.#bytes >= this.#limits.bytes
  }

  #mainTrack(): Track | undefined {
    let main: Track | undefined
    for (const track of this.#tracks.values()) {
      if (this.#ended.has(track.id) || !this.#seen.has(track.id)) continue
      if (track.kind === 'video') return track
      main ??= track
    }
    return main
  }

  #pushSample(sample: EncodedSample): void {
    const { trackId } = sample
    if (sample.configuration !== undefined) this.#configurations.set(trackId, sample.configuration)
    const isFirst = !this.#begun.has(trackId)
    if (isFirst) {
      // A second camera begins with its own keyframe.
      if (!sample.keyframe) return
      this.#begun.add(trackId)
      this.#seen.add(trackId)
    }
    for (const pieces of nalPiecesOf(sample)) this.#bytes += piecesLength(pieces)
    const configuration = isFirst ? (sample.configuration ?? this.#configurations.get(trackId)) : undefined
    this.#current.push(configuration === undefined ? sample : sampleWith(sample, { configuration }))
  }
}
