/** What a track is: one stream of one codec from one participant, as SDP negotiated it. */

/** Video codecs that a track may carry. */
export type VideoCodec = 'h264' | 'h265' | 'vp8' | 'vp9' | 'av1'
/** Audio codecs that a track may carry. */
export type AudioCodec = 'opus' | 'aac' | 'pcmu' | 'pcma' | 'g722'

interface TrackBase {
  /** Unique within a recording. */
  readonly id: string
  /** RTP clock rate in Hz (RFC 3550 §5.1): 90,000 for video, 48,000 for Opus. */
  readonly clockRate: number
  /** Ticks per second of this track's samples below the time border. @defaultValue `clockRate` */
  readonly timescale?: number
  readonly participantId?: string
  /** Where it is known beforehand; without it the first SSRC seen is taken. */
  readonly ssrc?: number
  readonly payloadType?: number
  /** The `a=fmtp` parameters, without the payload type. */
  readonly fmtp?: string
  /** RTP header extensions (RFC 8285), id to URI, as `a=extmap` gave them. */
  readonly headerExtensions?: Readonly<Record<number, string>>
}

/** A video track. */
export interface VideoTrack extends TrackBase {
  readonly kind: 'video'
  readonly codec: VideoCodec
}

/** An audio track. */
export interface AudioTrack extends TrackBase {
  readonly kind: 'audio'
  readonly codec: AudioCodec
  /** @defaultValue 2 for Opus, whose SDP always says 2 (RFC 7587 §7), 1 otherwise */
  readonly channels?: number
}

/** Any track. */
export type Track = VideoTrack | AudioTrack

/** Ticks per second of the samples of `track`. */
export function timescaleOf(track: Track): number {
  return track.timescale ?? track.clockRate
}
