import type { AudioCodec, VideoCodec } from '@rushes/media'

/** A payload type that carries media. */
export interface IngestFormat {
  /** 0 to 127. */
  readonly payloadType: number
  readonly codec: AudioCodec | VideoCodec
  /** Hz. */
  readonly clockRate: number
  readonly channels?: number
  /** The `a=fmtp` parameters, without the payload type. */
  readonly fmtp?: string
}

/** One simulcast encoding of a track. */
export interface IngestLayer {
  /** RtpStreamId (RFC 8852), where layers are told apart by a header extension. */
  readonly rid?: string
  readonly ssrc?: number
  /** Pixels, where the description restricts them (RFC 8851). */
  readonly maxWidth?: number
  readonly maxHeight?: number
}

/** One media section: what arrives for one track, and how it is protected. */
export interface IngestMedia {
  /** `a=mid`; made from the position where there is none. */
  readonly mid: string
  readonly kind: 'audio' | 'video'
  /** Where RTP is received; 0 for any free port. */
  readonly port: number
  /** Where RTCP is received; the same as `port` with `rtcpMux`. */
  readonly rtcpPort: number
  readonly rtcpMux: boolean
  /** Media sections of one group share the ports of the first of them (RFC 8843). */
  readonly bundle?: string
  /** Whose track it is, where that differs from the ingest's `participantId`. */
  readonly participantId?: string
  /** In order of preference; one at least. */
  readonly formats: readonly IngestFormat[]
  /** Payload type of retransmissions (RFC 4588) to that of the original. */
  readonly rtx: Readonly<Record<number, number>>
  /** Payload types of redundant audio, or of video with FEC (RFC 2198). */
  readonly red: readonly number[]
  /** Payload types of parity packets (RFC 5109). */
  readonly ulpfec: readonly number[]
  /** What is named in the description and not understood: it is passed over. */
  readonly unsupported: readonly { readonly payloadType: number; readonly encoding: string }[]
  /** RTP header extensions (RFC 8285), id to URI. */
  readonly headerExtensions: Readonly<Record<number, string>>
  /** SSRC of retransmissions to that of the original (`ssrc-group:FID`). */
  readonly rtxSsrcs: Readonly<Record<number, number>>
  /** SSRCs of FEC streams that are not understood (`ssrc-group:FEC-FR`). */
  readonly ignoredSsrcs: readonly number[]
  /** SSRCs of media that the description names. */
  readonly ssrcs: readonly number[]
  /** More than one: simulcast. */
  readonly layers: readonly IngestLayer[]
  /** Layers stand from the smallest to the largest (`ssrc-group:SIM`). Rids give no order that senders agree on. */
  readonly layersAscend: boolean
  readonly feedback: IngestFeedback
}

/** What may be sent back (RFC 4585, RFC 5104). */
export interface IngestFeedback {
  readonly nack: boolean
  readonly pli: boolean
  readonly fir: boolean
  readonly remb: boolean
  /** Lone feedback packets, without a report in front (RFC 5506). */
  readonly reducedSize: boolean
  /** Receiver reference times, which give a round trip time (RFC 3611). */
  readonly referenceTime: boolean
}

/** What is to be received. */
export interface IngestDescription {
  readonly media: readonly IngestMedia[]
}
