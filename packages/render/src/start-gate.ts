import type { Configuration, Emit, EncodedSample, TimedItem, Track } from '@rushes/media'
import { ticksToUs, timescaleOf } from '@rushes/media'
import type { OutputStart } from './output.js'

/** How long a track that was announced is waited for, in microseconds of media time. */
const PATIENCE_US = 2_000_000

/**
 * Holds the first samples of an output until it is known which tracks there are and when the earliest of them starts:
 * a container's head needs both. At most two seconds of media are held.
 */
export class StartGate {
  readonly #tracks = new Map<string, Track>()
  readonly #seen = new Set<string>()
  readonly #configurations = new Map<string, Configuration>()
  #held: TimedItem[] = []
  #firstDtsUs: number | undefined
  #startUs = Number.POSITIVE_INFINITY
  #ready = false
  #open: Emit<TimedItem> | undefined

  addTrack(track: Track): void {
    this.#tracks.set(track.id, track)
  }

  push(item: TimedItem): void {
    if (this.#open !== undefined) {
      this.#open(item)
      return
    }
    this.#held.push(item)
    if (item.type === 'sample') this.#see(item)
  }

  /** Enough is known to open. */
  get ready(): boolean {
    return this.#ready && this.#open === undefined
  }

  /** The source has ended: what has been seen is all there is. */
  end(): void {
    if (this.#seen.size > 0) this.#ready = true
  }

  /** Tracks are those announced, video first. */
  get start(): OutputStart {
    const tracks = [...this.#tracks.values()].sort((a, b) => rank(a) - rank(b))
    return { tracks, startUs: this.#startUs, configurations: this.#configurations }
  }

  /** Which of the tracks have sent something so far. */
  hasSeen(trackId: string): boolean {
    return this.#seen.has(trackId)
  }

  /** Lets go what is held, and from now on everything at once. */
  open(into: Emit<TimedItem>): void {
    const held = this.#held
    this.#held = []
    this.#open = into
    for (const item of held) into(item)
  }

  #see(sample: EncodedSample): void {
    const track = this.#tracks.get(sample.trackId)
    if (track === undefined) return
    this.#seen.add(sample.trackId)
    if (sample.configuration !== undefined && !this.#configurations.has(sample.trackId)) {
      this.#configurations.set(sample.trackId, sample.configuration)
    }
    this.#startUs = Math.min(this.#startUs, ticksToUs(sample.pts, timescaleOf(track)))
    const dtsUs = ticksToUs(sample.dts, timescaleOf(track))
    this.#firstDtsUs ??= dtsUs
    if (this.#seen.size === this.#tracks.size || dtsUs - this.#firstDtsUs > PATIENCE_US) this.#ready = true
  }
}

function rank(track: Track): number {
  return track.kind === 'video' ? 0 : 1
}
