/** Holes up to a minute are filled, 600 packets or 113 kB at once; a longer one is a jump of the clock and marked so. */
const MAX_FILLED_27M = 60 * 27_000_000

/**
 * When a PCR is due (ISO/IEC 13818-1 §2.4.2.2 and §2.7.2: at most 100 ms apart), in unwrapped ticks of 27 MHz.
 * It is driven by the samples of all tracks: while the PCR PID is silent, packets with nothing but a PCR keep the clock
 * going.
 */
export class PcrSchedule {
  readonly #interval27m: number
  #last27m: number | undefined
  #isDue = true

  /** PCR-only packets to write before the sample: the `i`th, from 0, says `firstFill27m + i * interval27m`. */
  fills = 0
  firstFill27m = 0
  /** After those, one more PCR-only packet that says `now27m`. */
  insertsNow = false
  /** The sample's first packet carries `now27m`. */
  carries = false
  /** The clock leaves out so much that the next PCR is marked as a discontinuity. */
  isDiscontinuity = false
  now27m = 0

  constructor(interval27m: number) {
    this.#interval27m = interval27m
  }

  get interval27m(): number {
    return this.#interval27m
  }

  /** The PCR last written, if any. */
  get last27m(): number | undefined {
    return this.#last27m
  }

  /** The next sample, of whatever track, comes with a PCR: a segment starts, or the tables changed. */
  request(): void {
    this.#isDue = true
  }

  /** Decides for the sample that is sent at `clock27m`; the answer is in the fields. */
  plan(clock27m: number, isPcrPid: boolean, isRandomAccess: boolean): void {
    const interval = this.#interval27m
    const last = this.#last27m
    // Never backwards, and never twice the same: two packets do not arrive at one instant.
    const now = last === undefined ? clock27m : Math.max(clock27m, last + 1)
    this.now27m = now
    this.fills = 0
    this.isDiscontinuity = false
    let isDue = this.#isDue || last === undefined
    let since = last === undefined ? 0 : now - last
    if (last !== undefined && since > MAX_FILLED_27M) {
      this.isDiscontinuity = true
      isDue = true
    } else if (last !== undefined && since >= interval) {
      this.fills = Math.floor(since / interval)
      since -= this.fills * interval
      // The one that would fall on the sample itself is the sample's.
      if (since === 0 && (isPcrPid || isDue)) {
        this.fills--
        since = interval
      }
      this.firstFill27m = last + interval
    }
    this.carries = isPcrPid && (isDue || isRandomAccess || since >= interval / 2)
    this.insertsNow = !isPcrPid && isDue
    if (this.carries || this.insertsNow) {
      this.#last27m = now
      this.#isDue = false
    } else if (this.fills > 0 && last !== undefined) {
      this.#last27m = last + this.fills * interval
    }
  }
}
