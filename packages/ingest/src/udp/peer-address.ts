import type { UdpRemote } from './udp-options.js'

/** Where a datagram came from, or goes to. */
export interface SocketAddress {
  readonly address: string
  readonly port: number
}

/** A sender that was silent for so long may be followed by one at another address. */
const TAKEOVER_US = 2_000_000
/** Foreign addresses that are told. */
const MAX_TOLD = 8

/**
 * Learns where the sender is from what it sends (RFC 4961), and keeps others out: once a packet has made sense, its
 * address holds until it is silent. A new port of the same address is a sender that restarted.
 */
export class PeerAddress {
  readonly #remote: UdpRemote
  readonly #rtcpMux: boolean
  readonly #told = new Set<string>()
  #address: string | undefined
  #lastUs = Number.NEGATIVE_INFINITY
  #rtp: SocketAddress | undefined
  #rtcp: SocketAddress | undefined
  foreign = 0

  constructor(remote: UdpRemote, rtcpMux: boolean) {
    this.#remote = remote
    this.#rtcpMux = rtcpMux
    this.#address = remote.address
  }

  /** Whether a datagram may be looked at. */
  allows(from: SocketAddress, isRtcpPort: boolean, nowUs: number): boolean {
    const { address, port } = this.#remote
    const isElsewhere = this.#address !== undefined && from.address !== this.#address
    const isHeld = address !== undefined || nowUs - this.#lastUs < TAKEOVER_US
    const isOtherPort = port !== undefined && !isRtcpPort && from.port !== port
    if (!(isElsewhere && isHeld) && !isOtherPort) return true
    this.foreign++
    return false
  }

  /** Whether a foreign address is to be told: once each, and a few only. */
  shouldTell(from: SocketAddress): boolean {
    const key = `${from.address} ${from.port}`
    if (this.#told.size >= MAX_TOLD || this.#told.has(key)) return false
    this.#told.add(key)
    return true
  }

  /** A datagram was of a source that is known, or of none that was (`makesSense` false): RTCP may come before RTP. */
  confirm(from: SocketAddress, isRtcp: boolean, makesSense: boolean, nowUs: number): void {
    // What proves nothing takes nobody's place.
    if (!makesSense && (!isRtcp || from.address !== this.#address)) return
    if (from.address !== this.#address) {
      this.#address = from.address
      this.#rtcp = undefined
      this.#rtp = undefined
    }
    if (makesSense) this.#lastUs = nowUs
    if (isRtcp && !this.#rtcpMux) {
      if (this.#rtcp?.port !== from.port || this.#rtcp.address !== from.address) this.#rtcp = { ...from }
    } else if (this.#rtp?.port !== from.port || this.#rtp.address !== from.address) this.#rtp = { ...from }
  }

  /** Where RTCP goes, once that is known. */
  get rtcpTarget(): SocketAddress | undefined {
    const { rtcpPort } = this.#remote
    if (this.#address === undefined) return undefined
    if (rtcpPort !== undefined) return { address: this.#address, port: rtcpPort }
    if (this.#rtcpMux) return this.#rtp
    if (this.#rtcp !== undefined) return this.#rtcp
    return this.#rtp === undefined || this.#rtp.port >= 65_535
      ? undefined
      : { address: this.#rtp.address, port: this.#rtp.port + 1 }
  }
}
