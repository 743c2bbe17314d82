/** A coded picture as far as its choice goes. */
export interface PictureTime {
  /** Ticks of the track's timescale. */
  readonly pts: number
  readonly ptsUs: number
  /** As to be shown: upright, square pixels. */
  readonly width: number
  readonly height: number
  /** Clockwise, to be applied. */
  readonly rotation: 0 | 90 | 180 | 270
}

/** A picture may be shown so much before its time, where pictures come slower than the composite's... */
const MAX_LEAD_US = 100_000
/** ...and where it follows the one before so closely that the source has not stopped in between. */
const MAX_CONTINUOUS_US = 500_000

/**
 * Which picture is nearest to a time, by the pictures' times alone. A picture is shown before its time by half an interval
 * of the composite at most; where pictures come slower than that by half of their own, up to 100 ms.
 */
export class PictureTimes {
  readonly #holdUs: number
  readonly #halfIntervalUs: number
  /** By time. */
  readonly #times: PictureTime[] = []
  #knownUntilUs = Number.NEGATIVE_INFINITY

  constructor({ holdUs, frameIntervalUs }: { readonly holdUs: number; readonly frameIntervalUs: number }) {
    this.#holdUs = holdUs
    this.#halfIntervalUs = frameIntervalUs / 2
  }

  /** No picture with an earlier time will come. */
  get knownUntilUs(): number {
    return this.#knownUntilUs
  }

  /** What is later than its successors (pictures out of order) is put where it belongs. */
  add(time: PictureTime): void {
    const times = this.#times
    let index = times.length
    while (index > 0 && (times[index - 1]?.ptsUs ?? 0) > time.ptsUs) index--
    times.splice(index, 0, time)
  }

  /** What comes from now on is not before `timeUs`. */
  advance(timeUs: number): void {
    if (timeUs > this.#knownUntilUs) this.#knownUntilUs = timeUs
  }

  end(): void {
    this.#knownUntilUs = Number.POSITIVE_INFINITY
  }

  isDecidedAt(timeUs: number): boolean {
    const index = this.#lastUntil(timeUs)
    const before = this.#times[index]
    const after = this.#times[index + 1]
    const distanceUs = Math.min(
      before === undefined ? Number.POSITIVE_INFINITY : timeUs - before.ptsUs,
      after === undefined ? Number.POSITIVE_INFINITY : after.ptsUs - timeUs,
    )
    const aheadUs = this.#knownUntilUs - timeUs
    // Of two as near the earlier is taken, but one that is just not too early comes before none.
    return aheadUs >= distanceUs || aheadUs > this.#maxLeadUs(before, timeUs)
  }

  nearest(timeUs: number): PictureTime | undefined {
    const index = this.#lastUntil(timeUs)
    const before = this.#times[index]
    const after = this.#times[index + 1]
    if (after === undefined) return before
    const leadUs = after.ptsUs - timeUs
    if (leadUs > this.#maxLeadUs(before, timeUs)) return before
    return before !== undefined && timeUs - before.ptsUs <= leadUs ? before : after
  }

  /** As `nearest`, and forgets what no later time needs. Times must not decrease. */
  choose(timeUs: number): PictureTime | undefined {
    const chosen = this.nearest(timeUs)
    const before = this.#lastUntil(timeUs)
    if (before > 0) this.#times.splice(0, before)
    return chosen
  }

  /** The picture may still be shown at `timeUs`. */
  isHeld(time: PictureTime, timeUs: number): boolean {
    return timeUs - time.ptsUs <= this.#holdUs
  }

  #maxLeadUs(before: PictureTime | undefined, timeUs: number): number {
    if (before === undefined) return this.#halfIntervalUs
    const continuousUs = before.ptsUs + MAX_CONTINUOUS_US - timeUs
    return Math.max(this.#halfIntervalUs, Math.min(MAX_LEAD_US, continuousUs))
  }

  /** Index of the last picture that is not after `timeUs`; -1 without one. */
  #lastUntil(timeUs: number): number {
    const times = this.#times
    let index = -1
    while (index + 1 < times.length && (times[index + 1]?.ptsUs ?? 0) <= timeUs) index++
    return index
  }
}
