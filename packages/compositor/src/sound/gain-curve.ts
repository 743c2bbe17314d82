/** A gain that moves in straight lines: each aim is reached after `rampSamples`. */
export class GainCurve {
  readonly #rampSamples: number
  #from: number
  #target: number
  #left = 0

  constructor(rampSamples: number, gain: number) {
    this.#rampSamples = rampSamples
    this.#from = gain
    this.#target = gain
  }

  /** The gain where it does not move, else `undefined`. */
  get steady(): number | undefined {
    return this.#left === 0 ? this.#target : undefined
  }

  /** The gain where the movement began. */
  get start(): number {
    return this.#from
  }

  /** Takes this gain at once. */
  jump(gain: number): void {
    this.#from = gain
    this.#target = gain
    this.#left = 0
  }

  aim(target: number): void {
    if (target === this.#target) return
    this.#from = this.#now()
    this.#target = target
    this.#left = this.#rampSamples
  }

  /** Writes the gains of the next samples to `curve` from index `from` to `to`. */
  fill(curve: Float64Array, from: number, to: number): void {
    let index = from
    for (; index < to && this.#left > 0; index++) {
      this.#left--
      curve[index] = this.#now()
    }
    curve.fill(this.#target, index, to)
  }

  #now(): number {
    return this.#target + (this.#from - this.#target) * (this.#left / this.#rampSamples)
  }
}
