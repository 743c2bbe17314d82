import { amplitudeOf } from './decibels.js'

/** The gain is down before the sample that needs it, in seconds: short enough that no echo ahead of it is heard. */
const LOOK_AHEAD_SECONDS = 0.005
/** And stays down for this long: half a period of 33 Hz, so that it does not ride on the wave itself. */
const HOLD_SECONDS = 0.015
/** Then it comes back with this time constant: over before the ear expects the sounds behind. */
const RELEASE_SECONDS = 0.03
/** So near to 1 it becomes 1: a step of 0.001 dB, which the smoothing spreads. */
const SNAP = 0.9999

/**
 * A look-ahead limiter: no sample is over the ceiling, and where nothing would be, the sound passes to the bit, later by
 * {@link delay} samples. Over all channels the gain is the same. It is the minimum over look-ahead and hold, with a
 * release, smoothed over the look-ahead: so it moves in ramps and is in time everywhere.
 */
export class Limiter {
  /** Samples by which what comes out is later than what went in. */
  readonly delay: number
  /** The largest float that is not over the ceiling. */
  readonly #ceiling: number
  readonly #blockSamples: number
  readonly #release: number
  /** The last `delay` samples that came in, then the block. */
  readonly #held: readonly Float32Array[]
  readonly #out: readonly Float32Array[]
  #isHeldSilent = true
  /** The gain is 1, for all that is held too. */
  #isIdle = true
  /** Sliding minimum of the needed gain: values that rise from the oldest to the newest. */
  readonly #window: number
  readonly #values: Float64Array
  readonly #indexes: Float64Array
  #head = 0
  #tail = 0
  #index = 0
  /** Gains before smoothing, over the look-ahead and the sample itself, and their sum. */
  readonly #gains: Float64Array
  #sum: number
  #gain = 1
  /** How many of them in a row were 1. */
  #ones = 0
  /** Samples whose gain was not 1. */
  limitedSamples = 0
  /** The smallest gain so far. */
  minGain = 1

  constructor(sampleRate: number, channels: number, blockSamples: number, ceilingDb: number) {
    this.delay = Math.round(LOOK_AHEAD_SECONDS * sampleRate)
    const ceiling = amplitudeOf(ceilingDb)
    this.#ceiling = Math.fround(ceiling) <= ceiling ? Math.fround(ceiling) : Math.fround(ceiling * (1 - 2 ** -23))
    this.#blockSamples = blockSamples
    this.#release = 1 - Math.exp(-1 / (RELEASE_SECONDS * sampleRate))
    this.#held = Array.from({ length: channels }, () => new Float32Array(this.delay + blockSamples))
    this.#out = Array.from({ length: channels }, () => new Float32Array(blockSamples))
    this.#window = this.delay + 1 + Math.round(HOLD_SECONDS * sampleRate)
    this.#values = new Float64Array(this.#window + 1)
    this.#indexes = new Float64Array(this.#window + 1)
    this.#gains = new Float64Array(this.delay + 1).fill(1)
    this.#sum = this.#gains.length
  }

  /**
   * Takes one block, `undefined` for silence, and gives the samples from {@link delay} before it on: as many.
   * They hold until the next call.
   */
  process(block: readonly Float32Array[] | undefined): readonly Float32Array[] {
    const isSilent = block === undefined
    if (isSilent && this.#isHeldSilent && this.#isIdle) {
      // What was given out before is not ours to keep.
      for (const plane of this.#out) plane.fill(0)
      return this.#out
    }
    const { delay } = this
    for (let channel = 0; channel < this.#held.length; channel++) {
      const held = this.#held[channel]!
      if (isSilent) held.fill(0, delay)
      else held.set(block[channel]!, delay)
    }
    if (this.#isIdle && (isSilent || this.#peak() <= this.#ceiling)) {
      for (let channel = 0; channel < this.#held.length; channel++) {
        this.#out[channel]!.set(this.#held[channel]!.subarray(0, this.#blockSamples))
      }
    } else this.#limit()
    for (const held of this.#held) held.copyWithin(0, this.#blockSamples)
    this.#isHeldSilent = isSilent
    return this.#out
  }

  #peak(): number {
    let peak = 0
    for (const held of this.#held) {
      for (let index = this.delay; index < held.length; index++) {
        const amplitude = Math.abs(held[index]!)
        if (amplitude > peak) peak = amplitude
      }
    }
    return peak
  }

  #limit(): void {
    const ceiling = this.#ceiling
    for (let at = 0; at < this.#blockSamples; at++) {
      let peak = 0
      for (const held of this.#held) peak = Math.max(peak, Math.abs(held[at + this.delay]!))
      const gain = this.#smoothed(peak > ceiling ? ceiling / peak : 1)
      if (gain < 1) {
        this.limitedSamples++
        if (gain < this.minGain) this.minGain = gain
      }
      for (let channel = 0; channel < this.#held.length; channel++) {
        const sample = this.#held[channel]![at]! * gain
        // The bounds are for the rounding only.
        this.#out[channel]![at] = Math.max(-ceiling, Math.min(ceiling, sample))
      }
    }
    // Nothing that is held needs a gain any more, and the smoothing has forgotten those before.
    this.#isIdle = this.#ones >= this.#gains.length && this.#values[this.#head] === 1
    if (this.#isIdle) this.#rest()
  }

  /** The gain of the sample that goes out as the one that needs `needed` comes in. */
  #smoothed(needed: number): number {
    const minimum = this.#minimum(needed)
    let gain = this.#gain + (1 - this.#gain) * this.#release
    if (gain > SNAP) gain = 1
    if (gain > minimum) gain = minimum
    this.#gain = gain
    this.#ones = gain === 1 ? this.#ones + 1 : 0
    const slot = this.#index % this.#gains.length
    this.#sum += gain - this.#gains[slot]!
    this.#gains[slot] = gain
    this.#index++
    // A sum that was added up differs from the true one in its last digits.
    return this.#ones >= this.#gains.length ? 1 : Math.min(1, this.#sum / this.#gains.length)
  }

  /** The smallest of the needed gains within the window: a queue in which no value stands before a smaller one. */
  #minimum(needed: number): number {
    const size = this.#values.length
    while (this.#head !== this.#tail) {
      const last = (this.#tail + size - 1) % size
      if (this.#values[last]! < needed) break
      this.#tail = last
    }
    this.#values[this.#tail] = needed
    this.#indexes[this.#tail] = this.#index
    this.#tail = (this.#tail + 1) % size
    if (this.#indexes[this.#head]! <= this.#index - this.#window) this.#head = (this.#head + 1) % size
    return this.#values[this.#head]!
  }

  #rest(): void {
    this.#head = 0
    this.#tail = 0
    this.#index = 0
    this.#gain = 1
    this.#gains.fill(1)
    this.#sum = this.#gains.length
  }
}
