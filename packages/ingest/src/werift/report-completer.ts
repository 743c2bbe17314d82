import { serializeRtcp } from '../rtcp/rtcp-writer.js'
import type { WeriftRtcpPacket } from './werift-shapes.js'

const SENDER_REPORT = 200
const SOURCE_DESCRIPTION = 202
const CNAME = 1

/**
 * Puts sender reports and the canonical name together again: werift takes compounds apart, and without the name the
 * sound and the picture of one person are not known to share a clock.
 */
export class ReportCompleter {
  readonly #emit: (ssrc: number, bytes: Uint8Array) => void
  readonly #names = new Map<number, string>()
  /** Reports of this instant whose name comes behind them, in the same compound. */
  readonly #waiting = new Map<number, Uint8Array>()
  readonly #concerns: (ssrc: number) => boolean

  /** `concerns` tells the track's sources from the others of the transport; there must be few of them. */
  constructor(concerns: (ssrc: number) => boolean, emit: (ssrc: number, bytes: Uint8Array) => void) {
    this.#concerns = concerns
    this.#emit = emit
  }

  /** Takes a packet of RTCP, in the order of the compound. */
  push(packet: WeriftRtcpPacket): void {
    const { type, ssrc } = packet
    if (type === SENDER_REPORT && ssrc !== undefined && this.#concerns(ssrc) && packet.serialize !== undefined) {
      this.#release(ssrc)
      this.#waiting.set(ssrc, packet.serialize())
      if (this.#names.has(ssrc)) this.#release(ssrc)
    } else if (type === SOURCE_DESCRIPTION) {
      for (const { source, items } of packet.chunks ?? []) {
        const name = items.find((item) => item.type === CNAME)?.text
        if (name === undefined || !this.#concerns(source)) continue
        this.#names.set(source, name)
        this.#release(source)
      }
    }
  }

  /** Media has come: a name that was to follow a report does not come any more. */
  flush(): void {
    if (this.#waiting.size === 0) return
    for (const ssrc of [...this.#waiting.keys()]) this.#release(ssrc)
  }

  #release(ssrc: number): void {
    const report = this.#waiting.get(ssrc)
    if (report === undefined) return
    this.#waiting.delete(ssrc)
    const cname = this.#names.get(ssrc)
    const description =
      cname === undefined ? [] : [serializeRtcp([{ type: 'source-description', senderSsrc: ssrc, cname }])]
    this.#emit(ssrc, new Uint8Array(Buffer.concat([report, ...description])))
  }
}
