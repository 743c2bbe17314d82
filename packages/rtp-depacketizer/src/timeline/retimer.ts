/**
 * How a live track moves from what was believed of its clock to what is known now, without stepping back: the rate of
 * its time is bent until the two meet. A finished take needs none of this.
 */
export class Retimer {
  readonly #clockRate: number
  readonly #after: number
  #lastRtp: number | undefined
  /** Recording time less RTP time that is in use, in ticks. */
  #offset = 0
  #steps = 0

  /** @param after ticks: the newest time of the source before, which this one follows */
  constructor(clockRate: number, after: number = Number.NEGATIVE_INFINITY) {
    this.#clockRate = clockRate
    this.#after = after
  }

  /** Corrections too large to bend: times that jumped forward. */
  get steps(): number {
    return this.#steps
  }

  /** The recording time to use for `rtp`, whose best known time is `wanted`; both in ticks. */
  apply(rtp: number, wanted: number): number {
    const wantedOffset = wanted - rtp
    if (this.#lastRtp === undefined) {
      // A little late is bent away; what lies far back would take too long.
      const late = this.#after + MIN_STEP_SECONDS * this.#clockRate - wanted
      this.#offset = wantedOffset + (late > 0 && late < STEP_SECONDS * this.#clockRate ? late : 0)
      this.#lastRtp = rtp
      return rtp + this.#offset
    }
    const error = wantedOffset - this.#offset
    const elapsed = Math.max(0, rtp - this.#lastRtp)
    if (rtp > this.#lastRtp) this.#lastRtp = rtp
    if (error > STEP_SECONDS * this.#clockRate) {
      this.#offset = wantedOffset
      this.#steps++
    } else {
      const rate = rateFor(error / this.#clockRate)
      this.#offset += Math.max(-elapsed * rate, Math.min(elapsed * rate, error))
    }
    return rtp + this.#offset
  }
}

/** Audio that is resampled by 2 % is a third of a semitone off for as long as it lasts: 2.5 s for an error of 50 ms. */
const SLEW_RATE = 0.02
/** More than this is seen and heard as bad sync: it goes in three seconds, for a tone and a half. */
const AUDIBLE_SECONDS = 0.08
const QUICK_RATE = 0.15
/** An error above this is no drift and no jitter: forward it is taken at once, backward at half speed. */
const STEP_SECONDS = 0.5
const FAST_RATE = 0.5
/** Between the last unit of a source and the first of the one that follows it. */
const MIN_STEP_SECONDS = 0.005

function rateFor(errorSeconds: number): number {
  if (errorSeconds < -STEP_SECONDS) return FAST_RATE
  return Math.abs(errorSeconds) > AUDIBLE_SECONDS ? QUICK_RATE : SLEW_RATE
}
