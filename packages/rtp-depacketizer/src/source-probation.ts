import type { RtpPacket } from './rtp-packet.js'

/**
 * Most packets kept while their source is on probation: also the number that a source of another payload type must send,
 * with nothing of the current source in between, before it is taken for a restart rather than for a companion (RTX, FEC).
 */
export const MAX_PROBATION = 32

/**
 * Packets that do not continue the current source (RFC 3550 appendix A.1). Two of them with consecutive sequence numbers
 * show that the source has restarted; a single one is a stray.
 */
export class SourceProbation {
  readonly #timestampTolerance: number
  #packets: RtpPacket[] = []

  /** `timestampTolerance`: ticks that two packets of one source may lie apart. */
  constructor(timestampTolerance: number) {
    this.#timestampTolerance = timestampTolerance
  }

  get size(): number {
    return this.#packets.length
  }

  /** The SSRC on probation, if any. */
  get ssrc(): number | undefined {
    return this.#packets[0]?.ssrc
  }

  /** Whether `packet` is the one that proves its source, of which `required` packets must have come. */
  proves(packet: RtpPacket, required: number): boolean {
    return this.#packets.length + 1 >= required && this.#packets.some((other) => this.#areConsecutive(other, packet))
  }

  /** Keeps a packet; where the bound is reached the oldest is given up. Returns how many were. */
  add(packet: RtpPacket): number {
    let dropped = 0
    if (this.#packets.length > 0 && this.#packets[0]!.ssrc !== packet.ssrc) dropped = this.clear()
    this.#packets.push(packet)
    if (this.#packets.length > MAX_PROBATION) {
      this.#packets.shift()
      dropped++
    }
    return dropped
  }

  /** Hands the packets over, in the order of arrival. */
  take(): readonly RtpPacket[] {
    const packets = this.#packets
    this.#packets = []
    return packets
  }

  /** Drops them all. Returns how many. */
  clear(): number {
    const { length } = this.#packets
    this.#packets.length = 0
    return length
  }

  #areConsecutive(a: RtpPacket, b: RtpPacket): boolean {
    const step = ((a.sequenceNumber - b.sequenceNumber) << 16) >> 16
    const ticks = (a.rtpTimestamp - b.rtpTimestamp) | 0
    return a.ssrc === b.ssrc && Math.abs(step) === 1 && Math.abs(ticks) <= this.#timestampTolerance
  }
}
