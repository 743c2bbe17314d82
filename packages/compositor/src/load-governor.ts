import type { H264Preset } from '@rushes/codecs'

/** How a live composite is made under load; every step is cheaper than the one before. */
export interface LoadStep {
  readonly preset: H264Preset
  /** Every so many frames there is a picture: 1 or 2. */
  readonly frameStep: 1 | 2
  /** What the sides of the picture are divided by: 1 or 2. */
  readonly sizeDivisor: 1 | 2
}

/** A change of quality. */
export interface LoadChange extends LoadStep {
  /** Recording time of the first frame made so. */
  readonly atUs: number
}

/** So far behind the call, beyond its lag, a composite cannot keep up: 1 s … */
const BEHIND_US = 1_000_000
/** … and it is the machine that is slow, not a call that is replayed faster than it was: of a second composing takes so much. */
const BUSY_SHARE = 0.85
/** Share of each new frame in the mean: about the last second counts. */
const NEW_SHARE = 1 / 30
/** Less than this is no backlog: what a burst of media or a busy machine makes. */
const CAUGHT_UP_US = 200_000
/** A step shows what it is good for after this: 4 s of recording time. */
const PATIENCE_US = 4_000_000
/** Quality comes back after so long without a backlog; twice as long each time that this was too soon. */
const RECOVERY_US = 30_000_000

/** x264's presets that a live composite may fall back to, fastest last. */
const PRESETS: readonly H264Preset[] = ['medium', 'fast', 'faster', 'veryfast', 'superfast', 'ultrafast']

/**
 * Decides what a live composite gives up when the machine is too slow for it: first the encoder's effort, preset by
 * preset, then every second picture, then half of the size. Pure: it is told how far behind each frame is.
 */
export class LoadGovernor {
  readonly #steps: readonly LoadStep[]
  #level = 0
  #changedUs = Number.NEGATIVE_INFINITY
  #easySinceUs: number | undefined
  #recoveryUs = RECOVERY_US
  #busyShare = 0

  /** @param preset the one that was asked for */
  constructor(preset: H264Preset) {
    const presets = PRESETS.slice(PRESETS.indexOf(preset))
    const fastest = presets.at(-1) ?? 'ultrafast'
    this.#steps = [
      ...presets.map((one): LoadStep => ({ preset: one, frameStep: 1, sizeDivisor: 1 })),
      { preset: fastest, frameStep: 2, sizeDivisor: 1 },
      { preset: fastest, frameStep: 2, sizeDivisor: 2 },
    ]
  }

  get step(): LoadStep {
    return this.#steps[this.#level] as LoadStep
  }

  /**
   * The frames up to `atUs` are made, `backlogUs` later than they could have been. `busyShare`: of its own duration the
   * last one took so much to make. Returns the step to go on with, where it is another.
   */
  note(atUs: number, backlogUs: number, busyShare: number): LoadStep | undefined {
    this.#busyShare += (busyShare - this.#busyShare) * NEW_SHARE
    if (backlogUs > CAUGHT_UP_US) this.#easySinceUs = undefined
    else this.#easySinceUs ??= atUs
    if (atUs - this.#changedUs < PATIENCE_US) return undefined
    if (backlogUs > BEHIND_US && this.#busyShare > BUSY_SHARE && this.#level < this.#steps.length - 1) {
      // It came back too soon.
      if (atUs - this.#changedUs < this.#recoveryUs) this.#recoveryUs *= 2
      return this.#change(this.#level + 1, atUs)
    }
    if (this.#level > 0 && this.#easySinceUs !== undefined && atUs - this.#easySinceUs >= this.#recoveryUs) {
      return this.#change(this.#level - 1, atUs)
    }
    return undefined
  }

  #change(level: number, atUs: number): LoadStep {
    this.#level = level
    this.#changedUs = atUs
    this.#easySinceUs = undefined
    // What the steps before cost says nothing of this one.
    this.#busyShare = 0
    return this.step
  }
}
