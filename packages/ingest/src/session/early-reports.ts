/** Sender reports that came before the first packet of their source: ffmpeg sends one before anything else. */

interface EarlyReport {
  readonly ssrc: number
  readonly bytes: Uint8Array
  readonly arrivalUs: number
}

/** One for each of several sources that begin together. */
const MAX_REPORTS = 8
/** Older ones were of another call. */
const MAX_AGE_US = 10_000_000

/** Keeps the newest report of each source that is not known yet. */
export class EarlyReports {
  #reports: EarlyReport[] = []

  /** Keeps a compound with a report of `ssrc`. */
  add(ssrc: number, bytes: Uint8Array, arrivalUs: number): void {
    this.#reports = this.#reports.filter((report) => report.ssrc !== ssrc)
    this.#reports.push({ ssrc, bytes, arrivalUs })
    if (this.#reports.length > MAX_REPORTS) this.#reports.shift()
  }

  /** Hands over what there is of `ssrc`. */
  take(ssrc: number, nowUs: number, visit: (bytes: Uint8Array, arrivalUs: number) => void): void {
    if (this.#reports.length === 0) return
    const found = this.#reports.find((report) => report.ssrc === ssrc)
    this.#reports = this.#reports.filter((report) => report.ssrc !== ssrc && nowUs - report.arrivalUs < MAX_AGE_US)
    if (found !== undefined && nowUs - found.arrivalUs < MAX_AGE_US) visit(found.bytes, found.arrivalUs)
  }
}
