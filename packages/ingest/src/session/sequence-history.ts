import { unwrapSequenceNumber } from '@rushes/rtp-depacketizer'

/**
 * Packets remembered, a power of two: above the 3000 by which RFC 3550 (appendix A.1) lets one sequence step.
 */
const SLOTS = 4096

/** Remembers which packets of a source are there, to tell duplicates from packets. */
export class SequenceHistory {
  /** Extended sequence numbers by slot, -1 where none. */
  readonly #numbers = new Float64Array(SLOTS).fill(-1)
  readonly #timestamps = new Uint32Array(SLOTS)
  #highest = -1

  /** Whether the packet is there. */
  has(sequenceNumber: number): boolean {
    if (this.#highest < 0) return false
    const extended = unwrapSequenceNumber(sequenceNumber, this.#highest)
    return this.#numbers[extended & (SLOTS - 1)] === extended
  }

  /**
   * Notes a packet. False where it has been there before: same number and same time, for a source that restarts may
   * use its numbers once more.
   */
  add(sequenceNumber: number, rtpTimestamp: number): boolean {
    if (this.#highest < 0) this.#highest = sequenceNumber + 0x1_0000
    const extended = unwrapSequenceNumber(sequenceNumber, this.#highest)
    if (extended > this.#highest) this.#highest = extended
    const slot = extended & (SLOTS - 1)
    if (this.#numbers[slot] === extended && this.#timestamps[slot] === rtpTimestamp) return false
    // A packet so late that its slot has been given away would displace a newer one.
    if (this.#numbers[slot]! > extended && this.#highest - extended < 0x4000) return true
    this.#numbers[slot] = extended
    this.#timestamps[slot] = rtpTimestamp
    return true
  }
}
