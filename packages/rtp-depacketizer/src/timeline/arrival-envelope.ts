/** The quickest arrival of one stretch of time: what is left of transits when jitter is taken off. */
export interface QuickestArrival {
  /** Start of the stretch over its length: the same number in two envelopes is the same stretch. */
  readonly index: number
  /** When it arrived, microseconds. */
  readonly atUs: number
  /** The time on the clock that is watched, microseconds. */
  readonly clockUs: number
}

/** How an envelope is kept. */
export interface ArrivalEnvelopeOptions {
  /** Length of a stretch. */
  readonly windowUs: number
  /** Stretches kept. */
  readonly maxWindows: number
  /** What gives way to a new stretch: the oldest one, or every second one. */
  readonly whenFull: 'drop-oldest' | 'thin'
}

/** A packet that was held back for one before it is told of this many stretches later at most. */
const LATE_WINDOWS = 4

/**
 * The least transit (arrival less sender's time) of each stretch of time. Networks only add to a transit: the lower edge
 * is where two clocks can be compared.
 */
export class ArrivalEnvelope {
  readonly #options: ArrivalEnvelopeOptions
  #windows: QuickestArrival[] = []

  constructor(options: ArrivalEnvelopeOptions) {
    this.#options = options
  }

  /** In the order of time. */
  get windows(): readonly QuickestArrival[] {
    return this.#windows
  }

  /** Takes an arrival. Returns whether the envelope has changed. */
  add(atUs: number, clockUs: number): boolean {
    const index = Math.floor(atUs / this.#options.windowUs)
    const windows = this.#windows
    let at = windows.length - 1
    while (at >= 0 && (windows[at] as QuickestArrival).index > index) {
      if (windows.length - at >= LATE_WINDOWS) return false
      at--
    }
    const window = windows[at]
    if (window !== undefined && window.index === index) {
      if (atUs - clockUs >= window.atUs - window.clockUs) return false
      windows[at] = { index, atUs, clockUs }
      return true
    }
    windows.splice(at + 1, 0, { index, atUs, clockUs })
    if (windows.length > this.#options.maxWindows) {
      if (this.#options.whenFull === 'drop-oldest') windows.shift()
      else this.#windows = windows.filter((_, i) => i % 2 === 0)
    }
    return true
  }

  /** The quickest of those that arrived from `fromUs` to `toUs`. */
  quickest(fromUs: number, toUs: number): QuickestArrival | undefined {
    let least: QuickestArrival | undefined
    for (let i = this.#windows.length - 1; i >= 0; i--) {
      const window = this.#windows[i] as QuickestArrival
      if (window.atUs > toUs) continue
      if (window.atUs < fromUs) break
      if (least === undefined || transitOf(window) < transitOf(least)) least = window
    }
    return least
  }

  /** The stretch whose quickest arrival is nearest to `atUs`. */
  nearest(atUs: number): QuickestArrival | undefined {
    let low = 0
    let high = this.#windows.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#windows[middle] as QuickestArrival).atUs < atUs) low = middle + 1
      else high = middle
    }
    const after = this.#windows[low]
    const before = this.#windows[low - 1]
    if (after === undefined || before === undefined) return after
    return atUs - before.atUs < after.atUs - atUs ? before : after
  }
}

/** Arrival less the sender's time, microseconds. */
export function transitOf(arrival: QuickestArrival): number {
  return arrival.atUs - arrival.clockUs
}
