/** Sequence numbers that do not wrap (RFC 3550 appendix A.1). */

/**
 * The extended sequence number of `sequenceNumber` (0 to 65,535) that lies nearest to `near`, at most 2^15 away.
 * It may be negative: a packet that was overtaken by the first one seen.
 */
export function unwrapSequenceNumber(sequenceNumber: number, near: number): number {
  // Bit operators take `near` modulo 2^32, so that this holds for every safe integer.
  return near + (((sequenceNumber - near) << 16) >> 16)
}
