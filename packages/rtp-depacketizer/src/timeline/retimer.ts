/**
 * How a live track moves from what was believed of its clock to what is known now, without stepping back: the rate of
 * its time is bent until the two meet. A finished take needs none of this.
 */
export class Retimer {
  readonly #clockRate: number
  #lastRtp: number | undefined
  /** Recording time less RTP time that is in use, in ticks. */
  #offset = 0
  #steps = 0

  constructor(clockRate: number) {
    this.#clockRate = clockRate
  }

  /** Corrections too large to bend: times that jumped forward. */
  get steps(): number {
    return this.#steps
  }

  /** The recording time to use for `rtp`, whose best known time is `wanted`; both in ticks. */
  apply(rtp: number, wanted: number): number {
    const wantedOffset = wanted - rtp
    if (this.#lastRtp === undefined) {
      this.#offset = wantedOffset
      this.#lastRtp = rtp
      return wanted
    }
    const error = wantedOffset - this.#offset
    const elapsed = Math.max(0, rtp - this.#lastRtp)
    if (rtp > this.#lastRtp) this.#lastRtp = rtp
    if (error > STEP_SECONDS * this.#clockRate) {
      this.#offset = wantedOffset
      this.#steps++
    } else {
      const rate = error < -STEP_SECONDS * this.#clockRate ? FAST_RATE : SLEW_RATE
      this.#offset += Math.max(-elapsed * rate, Math.min(elapsed * rate, error))
    }
    return rtp + this.#offset
  }
}

/** Audio that is resampled by 2 % is a third of a semitone off for as long as it lasts: 2.5 s for an error of 50 ms. */
const SLEW_RATE = 0.02
/** An error above this is no drift and no jitter: forward it is taken at once, backward at half speed. */
const STEP_SECONDS = 0.5
const FAST_RATE = 0.5
