/**
 * What is known of one person's loudness, one step of 20 ms after the other, over three horizons: single steps say
 * whether there is speech at all, half a second whether it is more than a cough, a second who is the louder one.
 */

/** Length of a step: the frame that WebRTC senders use, and the resolution of everything here. */
export const STEP_US = 20_000

/** No level is lower: the end of the scale of RFC 6464 §3. */
const SILENCE_DBFS = -127
/**
 * The lowest that counts as speech, dBFS (RMS of a step). Speech stands at -35 to -15 even without gain control;
 * breath, paper and the fan of a laptop that get through noise suppression stay below -45.
 */
const SPEECH_MIN_DBFS = -45
/** Speech begins so far above the noise, in dB: steady noise wavers by 1, a talker's syllables stand 15 and more above. */
const SPEECH_ABOVE_NOISE_DB = 12
/** Once begun it goes on down to here, so that the soft ends of words belong to it. */
const SPEECH_KEEPS_ABOVE_NOISE_DB = 7
/** Nobody's noise is believed to lie lower: with gates and DTX a pause is digital silence. */
const NOISE_MIN_DBFS = -70
/**
 * The noise is the lowest of what was heard in so many steps (6 s): a talker breathes or stops within that time, a
 * fan or music on hold does not, and is noise then.
 */
const NOISE_BLOCKS = 12
const NOISE_BLOCK_STEPS = 25
/** Quieter than this is only what stays so for 3 steps: one lost packet is no pause. */
const PAUSE_STEPS = 3
/** Between packets of up to 60 ms the last level holds. */
const HOLD_STEPS = 2

/** Steps of the middle horizon (500 ms) and of the long one (1 s). */
export const MEDIUM_STEPS = 25
export const LONG_STEPS = 50

/** The speaking flag goes on after so many steps of speech in a row (60 ms): a click or a key is shorter. */
const ON_STEPS = 3
/** It goes off after so many without (400 ms): longer than the stops between words. */
const OFF_STEPS = 20

/** One person's loudness. */
export class LoudnessTracker {
  #level = SILENCE_DBFS
  #stepsSinceLevel = Number.POSITIVE_INFINITY
  #recent: number[] = []
  #blockMinimum = Number.POSITIVE_INFINITY
  #blockSteps = 0
  #blocks: number[] = []
  #isSpeech = false
  #speechRun = 0
  #silentRun = OFF_STEPS
  #isSpeaking = false
  /** Of the last second: energy of the steps with speech, 0 for those without. */
  readonly #energies = new Float64Array(LONG_STEPS)
  #position = 0

  /** Speaks, with the holds at its beginning and end. */
  get isSpeaking(): boolean {
    return this.#isSpeaking
  }

  /** Nothing has been said in the last second and nothing comes: a further step without a level changes nothing. */
  get isAtRest(): boolean {
    return this.#silentRun >= LONG_STEPS && this.#stepsSinceLevel > HOLD_STEPS
  }

  /** How many of the last `steps` (up to {@link LONG_STEPS}) were speech, and their mean energy over all of these. */
  speechWithin(steps: number): { readonly count: number; readonly energy: number } {
    let count = 0
    let sum = 0
    for (let back = 1; back <= steps; back++) {
      const energy = this.#energies[(this.#position - back + LONG_STEPS) % LONG_STEPS] ?? 0
      if (energy > 0) count++
      sum += energy
    }
    return { count, energy: sum / steps }
  }

  /** The next step; `dbfs` is its level, `undefined` when nothing came. */
  step(dbfs: number | undefined): void {
    if (dbfs !== undefined) {
      this.#level = dbfs > SILENCE_DBFS ? Math.min(dbfs, 0) : SILENCE_DBFS
      this.#stepsSinceLevel = 0
    } else {
      this.#stepsSinceLevel++
    }
    const isHeard = this.#stepsSinceLevel <= HOLD_STEPS
    // What does not come says nothing of the noise: with DTX that is every pause.
    if (isHeard) this.#hearNoise(this.#level)
    const above = this.#isSpeech ? SPEECH_KEEPS_ABOVE_NOISE_DB : SPEECH_ABOVE_NOISE_DB
    this.#isSpeech = isHeard && this.#level >= Math.max(SPEECH_MIN_DBFS, this.#noiseDbfs() + above)
    this.#energies[this.#position] = this.#isSpeech ? 10 ** (this.#level / 10) : 0
    this.#position = (this.#position + 1) % LONG_STEPS
    this.#speechRun = this.#isSpeech ? this.#speechRun + 1 : 0
    this.#silentRun = this.#isSpeech ? 0 : this.#silentRun + 1
    if (this.#speechRun >= ON_STEPS) this.#isSpeaking = true
    else if (this.#silentRun >= OFF_STEPS) this.#isSpeaking = false
  }

  #hearNoise(level: number): void {
    this.#recent.push(level)
    if (this.#recent.length > PAUSE_STEPS) this.#recent.shift()
    // Before that nothing is known, and nothing is speech: a decoder begins with silence.
    if (this.#recent.length === PAUSE_STEPS) {
      this.#blockMinimum = Math.min(this.#blockMinimum, Math.max(...this.#recent))
    }
    if (++this.#blockSteps < NOISE_BLOCK_STEPS) return
    this.#blocks.push(this.#blockMinimum)
    if (this.#blocks.length > NOISE_BLOCKS) this.#blocks.shift()
    this.#blockMinimum = Number.POSITIVE_INFINITY
    this.#blockSteps = 0
  }

  #noiseDbfs(): number {
    return Math.max(NOISE_MIN_DBFS, Math.min(this.#blockMinimum, ...this.#blocks))
  }
}
