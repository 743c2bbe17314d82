import type { EncodedSample } from '@rushes/media'

/** What a coded picture tells of its stretch of the track: it must reach the output, whatever becomes of the picture. */
export interface PictureFacts {
  readonly discontinuity: boolean
  readonly lostPackets: number
  readonly arrivalUs: number | undefined
}

interface Entry extends PictureFacts {
  readonly pts: number
}

/** Pictures that a decoder may hold back for their order: 16 by any standard; the rest is never shown, or broken. */
const MAX_ENTRIES = 64

/** The pictures on their way through a decoder, which gives out their times and nothing else. */
export class PictureLedger {
  #entries: Entry[] = []
  /** Of entries that had to go. */
  #discontinuity = false
  #lostPackets = 0

  /** A sample goes in. */
  enter(sample: EncodedSample): void {
    const { pts, discontinuity = false, lostPackets = 0, arrivalUs } = sample
    this.#entries.push({ pts, discontinuity, lostPackets, arrivalUs })
    if (this.#entries.length > MAX_ENTRIES) this.#forget(this.#entries.shift())
  }

  /** The sample could not be decoded. */
  fail(pts: number): void {
    const index = this.#entries.findLastIndex((entry) => entry.pts === pts)
    if (index >= 0) this.#forget(this.#entries.splice(index, 1)[0])
  }

  /** A picture comes out, and with it what all before it told: those will not come out any more. */
  leave(pts: number): PictureFacts {
    let discontinuity = this.#discontinuity
    let lostPackets = this.#lostPackets
    let arrivalUs: number | undefined
    for (const entry of this.#entries) {
      if (entry.pts > pts) continue
      discontinuity ||= entry.discontinuity
      lostPackets += entry.lostPackets
      if (entry.pts === pts) arrivalUs = entry.arrivalUs
    }
    this.#entries = this.#entries.filter((entry) => entry.pts > pts)
    this.#discontinuity = false
    this.#lostPackets = 0
    return { discontinuity, lostPackets, arrivalUs }
  }

  /** A picture came out but is not used: what it told goes to the next. */
  skip({ discontinuity, lostPackets }: PictureFacts): void {
    this.#discontinuity ||= discontinuity
    this.#lostPackets += lostPackets
  }

  /** Time of the earliest picture that may still come out; Infinity without one. */
  get earliest(): number {
    return this.#entries.reduce((least, { pts }) => Math.min(least, pts), Number.POSITIVE_INFINITY)
  }

  /** Nothing before `pts` is waited for any longer. */
  giveUp(pts: number): void {
    for (const entry of this.#entries) if (entry.pts < pts) this.#forget(entry)
    this.#entries = this.#entries.filter((entry) => entry.pts >= pts)
  }

  #forget(entry: Entry | undefined): void {
    if (entry === undefined) return
    this.#discontinuity ||= entry.discontinuity
    this.#lostPackets += entry.lostPackets
  }
}
