import type { AccessUnit } from './access-unit.js'
import type { AudioFrame } from './audio-frame.js'

/** What an RTCP sender report says of a track's clock (RFC 3550 §6.4.1). */
export interface SenderReport {
  readonly type: 'sender-report'
  readonly trackId: string
  readonly epoch: number
  /** Ticks of `rtpTimestamp` per second, in Hz: the track's RTP clock. */
  readonly clockRate: number
  /** The NTP timestamp as microseconds since 1970-01-01T00:00Z, by the sender's clock. */
  readonly ntpUs: number
  /** Extended RTP timestamp of the same instant, unwrapped next to the packets'. */
  readonly rtpTimestamp: number
  readonly arrivalUs?: number
  /** The SDES canonical name, which groups the streams of one source clock (RFC 3550 §6.5.1). */
  readonly cname?: string
}

/** The track will send no more: RTCP BYE, or its input ended. */
export interface TrackEnd {
  readonly type: 'track-end'
  readonly trackId: string
}

/** What comes out of a depacketizer, towards the time border. */
export type SourceItem = AccessUnit | AudioFrame | SenderReport | TrackEnd
