/** A picture rate is believed to have changed when it is off by so much. */
const TOLERANCE = 0.15
/** Share of each new interval in the mean: about the last 16 pictures count. */
const SHARE = 1 / 16
/** A longer pause is no picture rate, in seconds. */
const MAX_INTERVAL = 1

/** How many pictures there really are in a second, from times that may be irregular. */
export class PictureRate {
  #interval: number
  #believed: number
  #last: number | undefined

  /** @param expected pictures per second */
  constructor(expected: number) {
    this.#interval = 1 / expected
    this.#believed = expected
  }

  /** Takes the next picture's time in seconds; `true` where `perSecond` has changed by it. */
  see(seconds: number): boolean {
    const interval = seconds - (this.#last ?? seconds - this.#interval)
    this.#last = seconds
    if (interval <= 0) return false
    this.#interval += (Math.min(interval, MAX_INTERVAL) - this.#interval) * SHARE
    const now = 1 / this.#interval
    if (Math.abs(now / this.#believed - 1) < TOLERANCE) return false
    this.#believed = now
    return true
  }

  /** Pictures per second. */
  get perSecond(): number {
    return this.#believed
  }
}
