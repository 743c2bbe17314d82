/**
 * Where decoded audio goes on a running sample grid: pure arithmetic, in samples of one rate.
 *
 * A packet says where it wants to stand; the grid says what comes next. Three cases:
 * a hole becomes silence of its length, an overlap is dropped, and a small difference (a source clock that drifts, a
 * re-timing of the source) is worked off by playing a packet a little longer or shorter, so that nothing clicks.
 */

/**
 * From this difference on, a hole is silence and an overlap is dropped: 20 ms, here at 48 kHz. Shorter packets have a
 * limit of their length.
 */
export const SLEW_LIMIT_SAMPLES = 960
/** A difference that is left alone: what the rounding of two timescales may make of equal times. */
const TOLERANCE_SAMPLES = 1
/** Speed change while a difference is worked off: 8.6 cent, below what is heard. */
export const MAX_SPEED_CHANGE = 0.005

/** Packets shorter than this (the end may cut one) are not stretched: 5 ms at 8 kHz. */
const MIN_STRETCH_SAMPLES = 40

/** What to do with one decoded packet, in this order. */
export interface PlacementStep {
  /** Samples of silence to put before it. */
  readonly silence: number
  /** Samples to drop from its start: all of them where its whole time is taken. */
  readonly skip: number
  /** Samples by which it must become longer, or shorter where negative. Not together with `silence` or `skip`. */
  readonly stretch: number
}

const AS_IT_IS: PlacementStep = { silence: 0, skip: 0, stretch: 0 }

/** The running grid. */
export class Placement {
  readonly #slewLimit: number
  #next: number | undefined
  #silent = false
  #maxOffset = 0

  /** @param slewLimit 20 ms in samples. @defaultValue 960, for 48 kHz */
  constructor(slewLimit: number = SLEW_LIMIT_SAMPLES) {
    this.#slewLimit = slewLimit
  }

  /** Where the next sample goes; `undefined` before the first packet, which goes where it wants. */
  get next(): number | undefined {
    return this.#next
  }

  /** The largest difference, in samples, that was left or worked off rather than made silence or dropped. */
  get maxOffset(): number {
    return this.#maxOffset
  }

  /**
   * Places `samples` samples that want to start at `position`. `broken`: it is known that time or sound do not continue
   * here (loss, a new source), so that no difference is drift.
   */
  place(position: number, samples: number, broken = false): PlacementStep {
    if (this.#next === undefined) {
      this.#next = position + samples
      return AS_IT_IS
    }
    const offset = position - this.#next
    const afterSilence = this.#silent
    this.#silent = false
    const limit = Math.min(this.#slewLimit, samples)
    const isExact = afterSilence || (broken && Math.abs(offset) > TOLERANCE_SAMPLES)
    if (offset > 0 && (isExact || offset >= limit)) {
      this.#next += offset + samples
      return { silence: offset, skip: 0, stretch: 0 }
    }
    if (offset < 0 && (isExact || -offset >= limit)) {
      const skip = Math.min(samples, -offset)
      this.#silent = afterSilence && skip === samples
      this.#next += samples - skip
      return { silence: 0, skip, stretch: 0 }
    }
    this.#maxOffset = Math.max(this.#maxOffset, Math.abs(offset))
    this.#next += samples
    if (Math.abs(offset) <= TOLERANCE_SAMPLES) return AS_IT_IS
    const most = samples < MIN_STRETCH_SAMPLES ? 0 : Math.max(1, Math.floor(samples * MAX_SPEED_CHANGE))
    const stretch = Math.max(0 - most, Math.min(most, offset))
    this.#next += stretch
    return { silence: 0, skip: 0, stretch }
  }

  /**
   * Nothing will come that starts before `position`: how many samples of silence that is by now. A hole that may still
   * turn out to be drift is left open.
   */
  advance(position: number): number {
    if (this.#next === undefined) return 0
    const hole = position - this.#next
    if (hole <= 0 || (!this.#silent && hole < this.#slewLimit)) return 0
    this.#silent = true
    this.#next = position
    return hole
  }

  /** The end is known: how many samples of silence are left up to `position`, however few. */
  finish(position: number): number {
    if (this.#next === undefined || position <= this.#next) return 0
    const hole = position - this.#next
    this.#next = position
    return hole
  }
}
