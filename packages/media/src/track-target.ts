import type { KeyframeNeeded } from './stage.js'
import type { AudioCodec, VideoCodec } from './track.js'

/** A track as whoever receives its packets announces it: what SDP negotiated, and whose it is. */
export interface NewTrack {
  readonly participantId: string
  readonly kind: 'audio' | 'video'
  readonly codec: AudioCodec | VideoCodec
  /** Unique within the recording. @defaultValue made from the participant, the kind and a number */
  readonly id?: string
  readonly ssrc?: number
  readonly payloadType?: number
  /** RTP clock rate in Hz. @defaultValue that of the codec's RTP payload format */
  readonly clockRate?: number
  readonly channels?: number
  /** The `a=fmtp` parameters, without the payload type. */
  readonly fmtp?: string
  /** RTP header extensions (RFC 8285), id to URI, as `a=extmap` gave them. */
  readonly headerExtensions?: Readonly<Record<number, string>>
  /** Of video: what it shows, for composites. @defaultValue `camera`; `screen` for a second video track beside a camera */
  readonly shows?: 'camera' | 'screen'
  /** Called when the recording needs a keyframe: answer with RTCP PLI. It is called again until one has come, at most twice a second. */
  readonly onKeyframeNeeded?: (request: KeyframeNeeded) => void
}

/** Where the packets of one track go. */
export interface TrackSink {
  readonly id: string
  /**
   * Takes one RTP packet or RTCP compound packet, which from now on belongs to the sink. `arrivalUs` is the time of its
   * arrival on the machine's monotonic clock, now by default. `false` says that memory is short. It never throws.
   */
  write(packet: Uint8Array, arrivalUs?: number): boolean
  /** The track sends no more. */
  end(): void
}

/** Whatever takes tracks: a recording, or a take that is only written. */
export interface TrackTarget {
  /** @throws ConfigurationError naming the field that is wrong */
  addTrack(track: NewTrack): TrackSink
}
