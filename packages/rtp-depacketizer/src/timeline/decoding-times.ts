/**
 * Decoding times for a stream whose transport carries none (RTP). With a reorder depth of N, the decoder holds back at
 * most N pictures, so the i-th picture in decoding order may be decoded at the (i-N)-th smallest presentation time:
 * never after its own presentation, strictly increasing, and known at once, without looking ahead.
 */
export class DecodingTimes {
  readonly #timescale: number
  #depth = 0
  /** Presentation times not yet used as a decoding time, ascending; at most `depth` between calls. */
  readonly #pending: number[] = []
  #lastDts = Number.NEGATIVE_INFINITY
  #maxPts = Number.NEGATIVE_INFINITY
  #clamped = 0

  constructor(timescale: number) {
    this.#timescale = timescale
  }

  /** Times that had to be moved because presentation times ran backwards by more than the depth allows. */
  get clamped(): number {
    return this.#clamped
  }

  /** A new reorder depth (H.264 max_num_reorder_frames), with the configuration that says it. */
  set depth(depth: number) {
    this.#depth = depth
  }

  /**
   * The times of the next picture in decoding order. `pts` comes back unchanged, except where it would not lie after the
   * decoding time before: then it is the smallest that does.
   */
  next(pts: number): { readonly pts: number; readonly dts: number } {
    const dts = this.#depth === 0 && this.#pending.length === 0 ? pts : this.#reordered(pts)
    const floor = this.#lastDts + 1
    let presented = pts
    let decoded = dts
    if (decoded < floor) decoded = floor
    if (decoded > presented) {
      if (presented < floor) {
        presented = floor
        this.#clamped++
      }
      decoded = Math.min(decoded, presented)
    }
    this.#lastDts = decoded
    if (presented > this.#maxPts) this.#maxPts = presented
    return { pts: presented, dts: decoded }
  }

  #reordered(pts: number): number {
    // After a hole the pictures before it must not lend their times: the delay would be as long as the hole.
    if (this.#pending.length > 0 && pts - this.#maxPts > this.#timescale * MAX_STEP_SECONDS) this.#pending.length = 0
    if (this.#pending.length === 0) this.#prime(pts)
    let at = this.#pending.length
    while (at > 0 && (this.#pending[at - 1] as number) > pts) at--
    this.#pending.splice(at, 0, pts)
    const dts = this.#pending.length > this.#depth ? (this.#pending.shift() as number) : this.#lastDts + 1
    while (this.#pending.length > this.#depth) this.#pending.shift()
    return dts
  }

  /** At a start there are no earlier presentation times to use: pictures are taken to be 1/30 s apart before it. */
  #prime(pts: number): void {
    const step = Math.round(this.#timescale / 30)
    for (let i = this.#depth; i > 0; i--) this.#pending.push(pts - i * step)
  }
}

/** A step between pictures longer than this is a hole: no sender's frame rate is below 2 a second on purpose. */
const MAX_STEP_SECONDS = 0.5
