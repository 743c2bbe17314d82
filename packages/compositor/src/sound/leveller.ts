import { amplitudeOf, levelOfPower } from './decibels.js'

/** How speakers are brought to one loudness. */
export interface Levelling {
  /** Mean level of a speaker's speech, RMS in dBFS, -40 to -10. @defaultValue -23 */
  readonly targetDb?: number
  /** Most that is added or taken away, in dB, 0 to 24. @defaultValue 12 */
  readonly maxDb?: number
}

const BLOCKS_PER_SECOND = 50
/** Nothing quieter is speech, in dBFS. */
const GATE_DB = -45
/** Speech stands out of what is always there by this much. */
const ABOVE_FLOOR_DB = 10
/** What is always there: the quietest of late, which may rise by this much a second and falls at once. */
const FLOOR_RISE_DB = 3 / BLOCKS_PER_SECOND
const LOWEST_FLOOR_DB = -70
/** Speech that must be heard before anything is changed: two words. */
const FIRST_BLOCKS = 0.4 * BLOCKS_PER_SECOND
/** Memory of the mean, in seconds of speech: a sentence. */
const MEAN_SECONDS = 3
const MEAN_WEIGHT = 1 - Math.exp(-1 / (MEAN_SECONDS * BLOCKS_PER_SECOND))
/** The gain rises slowly, so that it is not heard, and falls faster, since too loud is worse. */
const RISE_DB = 3 / BLOCKS_PER_SECOND
const FALL_DB = 6 / BLOCKS_PER_SECOND

/** The slow gain of one speaker. It moves only while they speak: pauses are not turned up. */
export class Leveller {
  readonly #targetDb: number
  readonly #maxDb: number
  #floorDb = LOWEST_FLOOR_DB
  #mean = 0
  #blocks = 0
  #gainDb = 0
  /** Gain at the start and at the end of the block. */
  from = 1
  to = 1

  constructor({ targetDb = -23, maxDb = 12 }: Levelling) {
    this.#targetDb = targetDb
    this.#maxDb = maxDb
  }

  /** Goes on by a block of 20 ms of this mean square. */
  next(power: number): void {
    this.from = this.to
    const level = levelOfPower(power)
    this.#floorDb = Math.max(LOWEST_FLOOR_DB, Math.min(level, this.#floorDb + FLOOR_RISE_DB))
    if (level < GATE_DB || level < this.#floorDb + ABOVE_FLOOR_DB) return
    this.#blocks++
    this.#mean += (power - this.#mean) * Math.max(1 / this.#blocks, MEAN_WEIGHT)
    if (this.#blocks < FIRST_BLOCKS) return
    const wanted = Math.max(-this.#maxDb, Math.min(this.#maxDb, this.#targetDb - levelOfPower(this.#mean)))
    const step = Math.max(-FALL_DB, Math.min(RISE_DB, wanted - this.#gainDb))
    if (step === 0) return
    this.#gainDb += step
    this.to = amplitudeOf(this.#gainDb)
  }
}
