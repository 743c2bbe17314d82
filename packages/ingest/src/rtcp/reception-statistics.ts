import { unwrapSequenceNumber } from '@rushes/rtp-depacketizer'
import type { ReportBlock } from './rtcp-writer.js'

/** RFC 3550 appendix A.1: a larger step is a restart of the sequence and no loss. */
const MAX_DROPOUT = 3000
/** RFC 3550 appendix A.1: a packet further behind is of another sequence. */
const MAX_MISORDER = 3000

/** Counts what is received of one source, for report blocks (RFC 3550 appendices A.1, A.3 and A.8). */
export class ReceptionStatistics {
  readonly #clockRate: number
  readonly #ssrc: number
  #base = 0
  #highest = -1
  #received = 0
  #started = false
  #expectedPrior = 0
  #receivedPrior = 0
  #transit = 0
  #lastTimestamp = -1
  #jitter = 0
  #senderReportMiddle = 0
  #senderReportUs = 0

  /** `clockRate` in Hz. */
  constructor(ssrc: number, clockRate: number) {
    this.#ssrc = ssrc
    this.#clockRate = clockRate
  }

  /** Packets received, duplicates included, as RFC 3550 counts them. */
  get received(): number {
    return this.#received
  }

  /** Packets expected so far. */
  get expected(): number {
    return this.#started ? this.#highest - this.#base + 1 : 0
  }

  /** Expected less received; negative with duplicates. Late packets count as received. */
  get cumulativeLost(): number {
    return this.expected - this.#received
  }

  /** Ticks of the RTP clock. */
  get jitter(): number {
    return Math.floor(this.#jitter)
  }

  /** Microseconds. */
  get jitterUs(): number {
    return Math.round((this.#jitter * 1_000_000) / this.#clockRate)
  }

  /** Takes what a packet says. Returns false where its sequence number begins a new sequence. */
  packet(sequenceNumber: number, rtpTimestamp: number, arrivalUs: number): boolean {
    let continues = true
    if (!this.#started) this.#begin(sequenceNumber)
    else {
      const extended = unwrapSequenceNumber(sequenceNumber, this.#highest)
      if (extended > this.#highest + MAX_DROPOUT || extended < this.#highest - MAX_MISORDER) {
        this.#begin(sequenceNumber)
        continues = false
      } else if (extended > this.#highest) this.#highest = extended
    }
    this.#received++
    this.#updateJitter(rtpTimestamp, arrivalUs)
    return continues
  }

  /** Notes a sender report, by the middle 32 bits of its NTP timestamp. */
  senderReport(ntpMiddle: number, arrivalUs: number): void {
    this.#senderReportMiddle = ntpMiddle
    this.#senderReportUs = arrivalUs
  }

  /** Ends a reporting interval. */
  report(nowUs: number): ReportBlock {
    const expected = this.expected - this.#expectedPrior
    const lost = expected - (this.#received - this.#receivedPrior)
    this.#expectedPrior = this.expected
    this.#receivedPrior = this.#received
    const hasReport = this.#senderReportMiddle !== 0
    return {
      ssrc: this.#ssrc,
      fractionLost: expected <= 0 || lost <= 0 ? 0 : Math.min(255, Math.floor((lost * 256) / expected)),
      cumulativeLost: this.cumulativeLost,
      extendedHighestSequenceNumber: this.#highest >>> 0,
      jitter: this.jitter,
      lastSenderReport: this.#senderReportMiddle,
      delaySinceLastSenderReport: hasReport
        ? Math.max(0, Math.round(((nowUs - this.#senderReportUs) * 65_536) / 1_000_000)) >>> 0
        : 0,
    }
  }

  #begin(sequenceNumber: number): void {
    this.#started = true
    this.#base = sequenceNumber
    this.#highest = sequenceNumber
    this.#received = 0
    this.#expectedPrior = 0
    this.#receivedPrior = 0
    this.#lastTimestamp = -1
  }

  #updateJitter(rtpTimestamp: number, arrivalUs: number): void {
    // Packets of one picture share a timestamp and leave together: only the first says something of the network.
    if (rtpTimestamp === this.#lastTimestamp) return
    const transit = ((arrivalUs / 1_000_000) * this.#clockRate - rtpTimestamp) % 4_294_967_296
    if (this.#lastTimestamp >= 0) {
      const difference = Math.abs((transit - this.#transit) | 0)
      // A jump of the media clock is no jitter, and would take a minute to fade.
      if (difference < this.#clockRate * 2) this.#jitter += (difference - this.#jitter) / 16
    }
    this.#transit = transit
    this.#lastTimestamp = rtpTimestamp
  }
}
