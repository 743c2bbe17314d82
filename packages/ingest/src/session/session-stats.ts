/** What is known of one media section. */
export interface MediaStats {
  readonly mid: string
  readonly kind: 'audio' | 'video'
  /** While there is a track. */
  readonly trackId: string | undefined
  /** SSRC that is put out. */
  readonly ssrc: number | undefined
  /** Simulcast: the layer that is put out. */
  readonly layer: string | undefined
  readonly packets: number
  readonly bytes: number
  /** Of all sources together, over the last interval between reports. */
  readonly bitrateBps: number
  /** Packets that the network lost, before repair. */
  readonly lost: number
  /** Interarrival jitter in microseconds (RFC 3550 §6.4.1). */
  readonly jitterUs: number
  /** Microseconds, where an echo or an answered request has told it. */
  readonly roundTripUs: number | undefined
  /** Packets asked for again; one asked for twice counts twice. */
  readonly nacksSent: number
  readonly keyframeRequestsSent: number
  readonly recovered: {
    /** By retransmission with its own format (RFC 4588). */
    readonly rtx: number
    /** By redundant blocks (RFC 2198). */
    readonly red: number
    /** By parity packets (RFC 5109). */
    readonly fec: number
  }
  /** Missing packets that came after they had been asked for, as retransmission or as the original packet once more. */
  readonly repairedOnRequest: number
  /** Missing packets that were given up. */
  readonly unrepaired: number
  readonly duplicates: number
  readonly malformed: number
  /** Packets of sources that were not believed, or of no layer. */
  readonly strays: number
  readonly afterBye: number
  /** Packets written to the track while its target was short of memory. */
  readonly pressed: number
}

/** What is known of one transport. */
export interface SessionStats {
  readonly packets: number
  readonly bytes: number
  readonly rtcpPackets: number
  readonly rtcpSent: number
  /** No RTP or RTCP. */
  readonly malformed: number
  /** RTP whose owner is not known. */
  readonly unknownSsrc: number
  readonly media: readonly MediaStats[]
}
