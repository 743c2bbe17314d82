import { fmtpValue } from '../nal/parameter-set-store.js'

/**
 * Decoding order numbers (RFC 7798 §4.4), which packets carry where `sprop-max-don-diff` is above 0. NAL units are used
 * in the order in which they are sent: one whose number goes back shows that this is not the order of decoding.
 */
export class DecodingOrder {
  /** Length of DONL, before the first NAL unit of a packet. */
  readonly donlBytes: 0 | 2
  /** Length of DOND, before the others of an aggregation packet. */
  readonly dondBytes: 0 | 1
  #last: number | undefined

  constructor(fmtp: string | undefined) {
    const isPresent = Number(fmtpValue(fmtp, 'sprop-max-don-diff') ?? 0) > 0
    this.donlBytes = isPresent ? 2 : 0
    this.dondBytes = isPresent ? 1 : 0
  }

  /** A new source. */
  restart(): void {
    this.#last = undefined
  }

  /** Reads DONL; returns whether it goes on from the NAL unit before. */
  begin(bytes: Uint8Array, offset: number): boolean {
    return this.#goTo((bytes[offset]! << 8) | bytes[offset + 1]!)
  }

  /** The next NAL unit of an aggregation packet: its number is higher by DOND and 1. */
  advance(dond: number): boolean {
    return this.#goTo(((this.#last ?? 0) + dond + 1) & 0xffff)
  }

  #goTo(number: number): boolean {
    const step = this.#last === undefined ? 0 : ((number - this.#last) << 16) >> 16
    if (step < 0) return false
    this.#last = number
    return true
  }
}
