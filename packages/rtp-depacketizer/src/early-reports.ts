import type { RtcpPacket } from './rtcp-packet.js'

/** A sender report with what its compound says besides. */
export interface ReceivedReport {
  readonly ssrc: number
  readonly ntpUs: number
  /** As on the wire. */
  readonly rtpTimestamp: number
  readonly cname: string | undefined
  readonly arrivalUs: number | undefined
}

/** Reports kept: ffmpeg sends one before the first packet, and a bundle has one for each of its streams. */
const MAX_REPORTS = 4

/**
 * The latest sender reports of sources that have not begun. Their RTP time can be unwrapped only when the first packet
 * has told where it stands.
 */
export class EarlyReports {
  #reports: ReceivedReport[] = []

  add(report: ReceivedReport): void {
    this.#reports.push(report)
    if (this.#reports.length > MAX_REPORTS) this.#reports.shift()
  }

  /** Takes those of `ssrc`, in their order. */
  take(ssrc: number): readonly ReceivedReport[] {
    const taken = this.#reports.filter((report) => report.ssrc === ssrc)
    this.#reports = this.#reports.filter((report) => report.ssrc !== ssrc)
    return taken
  }
}

/** The canonical name that a compound gives to `ssrc` (RFC 3550 §6.5.1). */
export function cnameOf(ssrc: number, packets: readonly RtcpPacket[]): string | undefined {
  for (const packet of packets) {
    if (packet.type !== 'source-description') continue
    const chunk = packet.chunks.find((candidate) => candidate.ssrc === ssrc)
    if (chunk?.cname !== undefined) return chunk.cname
  }
  return undefined
}
