/** RTP timestamps that do not wrap: 2^32 ticks are 13.25 hours at 90 kHz. */

/**
 * The extended timestamp of `rtpTimestamp` (0 to 2^32 - 1) that lies nearest to `near`, at most 2^31 away.
 * It may be negative.
 */
export function unwrapRtpTimestamp(rtpTimestamp: number, near: number): number {
  return near + ((rtpTimestamp - near) | 0)
}

/** Unwraps the timestamps of one source, each next to the one before it. */
export class RtpTimestampUnwrapper {
  #last: number | undefined

  /** Whether a timestamp has been seen, next to which others can be placed. */
  get started(): boolean {
    return this.#last !== undefined
  }

  /** Forgets the source. */
  reset(): void {
    this.#last = undefined
  }

  /** Unwraps a timestamp, which becomes the reference for the next. The first one is taken as it is. */
  unwrap(rtpTimestamp: number): number {
    const extended = this.place(rtpTimestamp)
    this.#last = extended
    return extended
  }

  /** Unwraps a timestamp that says nothing of where the source has got to: padding, an old report. */
  place(rtpTimestamp: number): number {
    return this.#last === undefined ? rtpTimestamp : unwrapRtpTimestamp(rtpTimestamp, this.#last)
  }
}
