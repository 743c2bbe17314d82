/**
 * A guess of lost sound from the sound before it, for codecs that have none of their own: the last period of the voice
 * is repeated and faded out (after ITU-T G.711 Appendix I, without its delay of 3.75 ms).
 */
export class WaveformConcealer {
  readonly #minPeriod: number
  readonly #maxPeriod: number
  readonly #template: number
  readonly #fadeFrom: number
  readonly #fadeTo: number
  /** Cross-fade from the guess to what comes after the loss. */
  readonly #joint: number
  /** The newest sound; its end is the present. */
  readonly #history: Float32Array
  readonly #cycle: Float32Array
  #period = 0
  /** Samples guessed since the last real one. */
  #concealed = 0
  #step = 0

  /** @param sampleRate Hz */
  constructor(sampleRate: number) {
    // 66 to 200 Hz, as in the Appendix; a voice above is met by a multiple of its period.
    this.#minPeriod = sampleRate / 200
    this.#maxPeriod = (sampleRate * 15) / 1000
    this.#template = sampleRate / 50
    this.#fadeFrom = sampleRate / 100
    this.#fadeTo = (sampleRate * 60) / 1000
    this.#joint = sampleRate / 200
    this.#history = new Float32Array(this.#template + 2 * this.#maxPeriod)
    this.#cycle = new Float32Array(this.#maxPeriod)
  }

  /** After so many samples the guess has faded to nothing: 60 ms. */
  get maxConcealedSamples(): number {
    return this.#fadeTo
  }

  /** Real sound: remembered, and its beginning joined to a guess before it. */
  pass(plane: Float32Array, samples: number): void {
    if (this.#concealed > 0) {
      const joint = Math.min(this.#joint, samples)
      for (let index = 0; index < joint; index++) {
        const share = (index + 0.5) / joint
        plane[index] = plane[index]! * share + this.#guess() * (1 - share)
      }
      this.#concealed = 0
    }
    this.#remember(plane, samples)
  }

  /** Writes the guess of the next `samples` samples. */
  conceal(plane: Float32Array, samples: number): void {
    if (this.#concealed === 0) this.#prepare()
    for (let index = 0; index < samples; index++) plane[index] = this.#guess()
    this.#remember(plane, samples)
  }

  reset(): void {
    this.#history.fill(0)
    this.#concealed = 0
  }

  #guess(): number {
    const at = this.#concealed++
    const faded = (at - this.#fadeFrom) / (this.#fadeTo - this.#fadeFrom)
    const gain = Math.max(0, 1 - Math.max(0, faded))
    const quarter = this.#period >> 2
    // The step from the last real sample into the cycle is spread over a quarter of a period.
    const bridge = at < quarter ? this.#step * (1 - (at + 1) / (quarter + 1)) : 0
    return gain * (this.#cycle[at % this.#period]! + bridge)
  }

  #prepare(): void {
    const history = this.#history
    const end = history.length
    const period = this.#findPeriod()
    this.#period = period
    this.#step = history[end - 1]! - history[end - 1 - period]!
    const quarter = period >> 2
    for (let index = 0; index < period; index++) {
      const here = history[end - period + index]!
      // Its last quarter becomes that of the period before, which leads back to the beginning of the cycle.
      const share = Math.max(0, (index - (period - quarter) + 1) / (quarter + 1))
      this.#cycle[index] = here * (1 - share) + history[end - 2 * period + index]! * share
    }
  }

  /** The shift at which the last 20 ms are most like what was before them. */
  #findPeriod(): number {
    const history = this.#history
    const from = history.length - this.#template
    let best = this.#maxPeriod
    let bestScore = 0
    for (let period = this.#minPeriod; period <= this.#maxPeriod; period++) {
      let product = 0
      let energy = 0
      for (let index = from; index < history.length; index++) {
        const earlier = history[index - period]!
        product += history[index]! * earlier
        energy += earlier * earlier
      }
      const score = product <= 0 ? 0 : (product * product) / energy
      if (score > bestScore) {
        best = period
        bestScore = score
      }
    }
    return best
  }

  #remember(plane: Float32Array, samples: number): void {
    const history = this.#history
    const count = Math.min(samples, history.length)
    history.copyWithin(0, count)
    history.set(plane.subarray(samples - count, samples), history.length - count)
  }
}
