/** What is used of werift, by shape: whoever records its tracks has it anyway, and this does not load it. */

/** An event of werift. */
export interface WeriftEvent<Args extends readonly unknown[]> {
  subscribe(execute: (...args: Args) => void, complete?: () => void): { unSubscribe(): void }
}

/** An RTP packet as werift took it apart. */
export interface WeriftRtpPacket {
  serialize(): Uint8Array
}

/** An RTCP packet: a sender report (200) or a source description (202); others are passed over. */
export interface WeriftRtcpPacket {
  readonly type: number
  readonly ssrc?: number | undefined
  readonly chunks?: readonly {
    readonly source: number
    readonly items: readonly { readonly type: number; readonly text: string }[]
  }[]
  serialize?(): Uint8Array
}

/** `RTCRtpCodecParameters` */
export interface WeriftCodec {
  readonly mimeType: string
  readonly payloadType: number
  readonly clockRate: number
  readonly channels?: number | undefined
  readonly parameters?: string | undefined
  readonly rtcpFeedback?: readonly { readonly type: string; readonly parameter?: string | undefined }[] | undefined
}

/** `MediaStreamTrack`: one of a remote peer. */
export interface WeriftTrack {
  readonly kind: string
  readonly id?: string | undefined
  readonly ssrc?: number | undefined
  readonly rid?: string | undefined
  readonly codec?: WeriftCodec | undefined
  readonly onReceiveRtp: WeriftEvent<[packet: WeriftRtpPacket, ...rest: unknown[]]>
  readonly onReceiveRtcp: WeriftEvent<[packet: WeriftRtcpPacket, ...rest: unknown[]]>
}

/** `RTCRtpReceiver` */
export interface WeriftReceiver {
  readonly tracks: readonly WeriftTrack[]
  readonly sdesMid?: string | undefined
  /** Of its own reports and requests. */
  readonly rtcpSsrc?: number
  readonly dtlsTransport?:
    | {
        readonly onRtcp: WeriftEvent<[packet: WeriftRtcpPacket, ...rest: unknown[]]>
        readonly onStateChange: WeriftEvent<[state: string, ...rest: unknown[]]>
        sendRtcp?(packets: never[]): Promise<unknown>
      }
    | undefined
  sendRtcpPLI(mediaSsrc: number): Promise<unknown>
}

/** `RTCPeerConnection` */
export interface WeriftPeer {
  readonly extIdUriMap: Readonly<Record<number, string>>
  getReceivers(): readonly WeriftReceiver[]
}

/** All that a receiver has negotiated, by payload type: werift keeps it, and tells only the first of it. */
export function codecsOf(receiver: WeriftReceiver | undefined, track: WeriftTrack): readonly WeriftCodec[] {
  const { codecs } = (receiver ?? {}) as { readonly codecs?: Readonly<Record<number, WeriftCodec>> }
  const all = new Map<number, WeriftCodec>()
  // The first negotiated one is the most likely, and payload types say nothing of the order.
  if (track.codec !== undefined) all.set(track.codec.payloadType, track.codec)
  for (const codec of Object.values(codecs ?? {})) all.set(codec.payloadType, codec)
  return [...all.values()]
}
