import { SAMPLE_RATE_HZ } from './decode-audio.js'

/**
 * Window of the envelope, 10 ms: a whole number of periods of every tone that is a multiple of 100 Hz, so that the
 * tones of the other cards in a mix are cancelled exactly.
 */
const WINDOW = 480
/** The envelope is kept at every twelfth sample, a quarter of a millisecond: lines in between are straight enough. */
const STEP = 12
const STEPS_PER_MS = SAMPLE_RATE_HZ / 1000 / STEP

/** A beep of the test card. */
export interface ToneOnset {
  /** Where its envelope is half-way up, in samples of 48 kHz. */
  readonly atSample: number
  /** Amplitude of the tone within the beep and before it, full scale 1. */
  readonly level: number
  readonly levelBefore: number
}

/**
 * Amplitude of one tone over time, by shifting it to zero and averaging over a window. Samples come in order; what is
 * missing counts as silence. Memory is 16 kB a second of sound.
 */
export class ToneEnvelope {
  readonly #cos = new Float64Array(SAMPLE_RATE_HZ)
  readonly #sin = new Float64Array(SAMPLE_RATE_HZ)
  readonly #windowRe = new Float64Array(WINDOW)
  readonly #windowIm = new Float64Array(WINDOW)
  #re = 0
  #im = 0
  #start: number | undefined
  #count = 0
  #levels = new Float32Array(1 << 16)
  #length = 0

  /** @param toneHz a whole number of Hz */
  constructor(toneHz: number) {
    for (let i = 0; i < SAMPLE_RATE_HZ; i++) {
      this.#cos[i] = Math.cos((2 * Math.PI * toneHz * i) / SAMPLE_RATE_HZ)
      this.#sin[i] = Math.sin((2 * Math.PI * toneHz * i) / SAMPLE_RATE_HZ)
    }
  }

  /** `start` is the time of the first sample, in samples; samples before what has come already are left out. */
  push(start: number, samples: Float32Array): void {
    this.#start ??= start
    const expected = this.#start + this.#count
    for (let missing = expected; missing < start; missing++) this.#add(0)
    for (let i = Math.max(0, expected - start); i < samples.length; i++) this.#add(samples[i] as number)
  }

  /** The beeps: where the tone becomes loud and stays so. One that is cut off at its start is none. */
  onsets(minLevel: number): ToneOnset[] {
    const levels = this.#levels.subarray(0, this.#length)
    let loudest = 0
    for (const level of levels) if (level > loudest) loudest = level
    if (loudest < minLevel) return []
    const onsets: ToneOnset[] = []
    const high = loudest / 2
    for (let i = 1; i < levels.length; i++) {
      if ((levels[i] as number) < high || (levels[i - 1] as number) >= high) continue
      const onset = this.#onsetAt(levels, i, high)
      if (onset !== undefined) onsets.push(onset)
    }
    return onsets
  }

  #onsetAt(levels: Float32Array, index: number, high: number): ToneOnset | undefined {
    const mean = (fromMs: number, toMs: number): number | undefined => {
      const from = index + fromMs * STEPS_PER_MS
      const to = index + toMs * STEPS_PER_MS
      if (from < 0 || to > levels.length) return undefined
      let sum = 0
      for (let i = from; i < to; i++) sum += levels[i] as number
      return sum / (to - from)
    }
    const level = mean(20, 70)
    const levelBefore = mean(-50, -20)
    if (level === undefined || levelBefore === undefined || level < high || levelBefore > level / 4) return undefined
    const half = (level + levelBefore) / 2
    // The crossing nearest to the rough one.
    let at = index
    while (at > 1 && (levels[at - 1] as number) >= half) at--
    while (at < levels.length - 1 && (levels[at] as number) < half) at++
    const [below, above] = [levels[at - 1] as number, levels[at] as number]
    const step = at - 1 + (half - below) / (above - below)
    // A value lies in the middle of its window.
    const atSample = (this.#start as number) + step * STEP + (STEP - 1) - (WINDOW - 1) / 2
    return { atSample, level, levelBefore }
  }

  #add(sample: number): void {
    const slot = this.#count % WINDOW
    const phase = this.#count % SAMPLE_RATE_HZ
    const re = sample * (this.#cos[phase] as number)
    const im = sample * (this.#sin[phase] as number)
    this.#re += re - (this.#windowRe[slot] as number)
    this.#im += im - (this.#windowIm[slot] as number)
    this.#windowRe[slot] = re
    this.#windowIm[slot] = im
    this.#count++
    if (this.#count % STEP !== 0) return
    if (this.#length === this.#levels.length) {
      const longer = new Float32Array(this.#levels.length * 2)
      longer.set(this.#levels)
      this.#levels = longer
    }
    this.#levels[this.#length++] = (2 / WINDOW) * Math.hypot(this.#re, this.#im)
  }
}
