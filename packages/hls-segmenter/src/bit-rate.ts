/** Segment bit rates of a media playlist (RFC 8216 §4.1). */

/**
 * Measures the peak segment bit rate, the largest of any contiguous run of segments that lasts between 0.5 and 1.5
 * target durations, and the average. Holds no more than 1.5 target durations of segments.
 */
export class BitRateMeter {
  readonly #shortestUs: number
  readonly #longestUs: number
  #recent: { readonly bytes: number; readonly durationUs: number }[] = []
  #peak = 0
  #bytes = 0
  #durationUs = 0

  /** @param targetDuration seconds */
  constructor(targetDuration: number) {
    this.#shortestUs = targetDuration * 500_000
    this.#longestUs = targetDuration * 1_500_000
  }

  add(bytes: number, durationUs: number): void {
    this.#bytes += bytes
    this.#durationUs += durationUs
    this.#recent.push({ bytes, durationUs })
    let runBytes = 0
    let runUs = 0
    let first = this.#recent.length
    while (first > 0) {
      const segment = this.#recent[first - 1]!
      if (runUs + segment.durationUs > this.#longestUs) break
      runBytes += segment.bytes
      runUs += segment.durationUs
      first--
      if (runUs >= this.#shortestUs) this.#peak = Math.max(this.#peak, bitRate(runBytes, runUs))
    }
    // What no later run can reach is forgotten.
    if (first > 0) this.#recent = this.#recent.slice(first)
  }

  /** bit/s. Where everything together is shorter than half the target duration, the average. */
  get peak(): number {
    return this.#peak > 0 ? this.#peak : this.average
  }

  /** bit/s. */
  get average(): number {
    return this.#durationUs === 0 ? 0 : bitRate(this.#bytes, this.#durationUs)
  }
}

function bitRate(bytes: number, durationUs: number): number {
  return Math.ceil((bytes * 8_000_000) / durationUs)
}
