import type { SourceClock } from './source-clock.js'
import { isTimestampJump } from './timestamp-jump.js'

/** Sources of one track kept; one that restarts more often is broken in other ways. Live, those that may still matter. */
const MAX_SOURCES = 4096
const MAX_RECENT_SOURCES = 4

/** The sources of one track, one after the other: a new one with each epoch, and where RTP time jumps within it. */
export class SourceTrack {
  readonly #maxSources: number
  readonly #sources: SourceClock[] = []
  /** Of the newest unit, seconds. */
  #lastRtp = 0
  #lastArrival: number | undefined

  constructor(live: boolean) {
    this.#maxSources = live ? MAX_RECENT_SOURCES : MAX_SOURCES
  }

  get sources(): readonly SourceClock[] {
    return this.#sources
  }

  /** The next source takes the place of the oldest. */
  get isFull(): boolean {
    return this.#sources.length >= this.#maxSources
  }

  add(source: SourceClock): void {
    this.#sources.push(source)
    if (this.#sources.length > this.#maxSources) this.#sources.shift()
  }

  newestOf(epoch: number): SourceClock | undefined {
    return this.#sources.findLast((source) => source.epoch === epoch)
  }

  /** Whether a unit that `source` goes on with has jumped in RTP time; seconds. */
  hasJumped(source: SourceClock, rtp: number, arrival: number | undefined): boolean {
    if (arrival === undefined || this.#lastArrival === undefined || source.firstRtp === undefined) return false
    return source === this.#sources.at(-1) && isTimestampJump(rtp - this.#lastRtp, arrival - this.#lastArrival)
  }

  /** A unit has come; seconds. */
  passed(rtp: number, arrival: number | undefined): void {
    this.#lastRtp = rtp
    this.#lastArrival = arrival
  }

  /** The source that a unit belongs to: by its arrival, or else by its RTP time. */
  sourceOf(epoch: number, rtp: number, arrivalUs: number | undefined): SourceClock | undefined {
    for (let i = this.#sources.length - 1; i >= 0; i--) {
      const source = this.#sources[i] as SourceClock
      if (source.epoch !== epoch) continue
      const isFirst = i === 0 || (this.#sources[i - 1] as SourceClock).epoch !== epoch
      if (isFirst) return source
      if (arrivalUs === undefined ? (source.firstRtp ?? 0) <= rtp : source.fromUs <= arrivalUs) return source
    }
    return undefined
  }
}
