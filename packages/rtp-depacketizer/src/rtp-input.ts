import type { RtpHeaderExtension } from './rtp-header-extension.js'
import type { RtpDamage, RtpPacket } from './rtp-packet.js'

/** An RTP packet that somebody else has parsed: werift's RtpPacket is one. */
export interface RtpPacketLike {
  readonly header: {
    readonly payloadType: number
    readonly sequenceNumber: number
    readonly timestamp: number
    readonly ssrc: number
    readonly marker: boolean
    readonly extensions?: readonly { readonly id: number; readonly payload: Uint8Array }[]
  }
  /** Without padding. */
  readonly payload: Uint8Array
  /** Monotonic microseconds. */
  readonly arrivalUs?: number
}

/** Bytes of an RTP packet or of an RTCP compound, with the time of their arrival. */
export interface RtpArrival {
  readonly data: Uint8Array
  /** Monotonic microseconds; without it no bound on time holds. */
  readonly arrivalUs?: number
}

/** What a depacketizer takes: RTP or RTCP as bytes, with or without an arrival time, or an RTP packet already parsed. */
export type RtpInput = Uint8Array | RtpArrival | RtpPacketLike

/** Bytes of `input`, or `undefined` for a packet already parsed. */
export function bytesOf(input: RtpInput): Uint8Array | undefined {
  if (input instanceof Uint8Array) return input
  return 'data' in input ? input.data : undefined
}

/** Fills `packet` from a packet that somebody else has parsed. */
export function readPacketLike(packet: RtpPacket, like: RtpPacketLike): RtpDamage | undefined {
  const { header, payload } = like
  packet.bytes = payload
  packet.marker = header.marker
  packet.payloadType = header.payloadType & 0x7f
  packet.sequenceNumber = header.sequenceNumber & 0xffff
  packet.rtpTimestamp = header.timestamp >>> 0
  packet.ssrc = header.ssrc >>> 0
  packet.payloadOffset = 0
  packet.payloadEnd = payload.byteLength
  packet.paddingBytes = 0
  packet.extensionProfile = 0
  packet.extensionOffset = 0
  packet.extensionEnd = 0
  packet.readExtensions = header.extensions?.map(({ id, payload: data }): RtpHeaderExtension => ({ id, data })) ?? []
  return undefined
}
