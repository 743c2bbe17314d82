import type { AudioCodec, VideoCodec } from './track.js'

/** Clockwise rotation that a player has to apply (3GPP TS 26.114 §7.4.5, CVO). */
export type Rotation = 0 | 90 | 180 | 270

/** What a decoder of video must know, and what makes two stretches of a track different. */
export interface VideoConfiguration {
  readonly kind: 'video'
  readonly codec: VideoCodec
  /** RFC 6381, e.g. `avc1.42c01f`, from the bitstream and not from SDP. */
  readonly codecString: string
  /** Size to show, in pixels, after cropping and before rotation. */
  readonly width: number
  readonly height: number
  readonly rotation: Rotation
  /** Pictures that may be held back to restore output order (H.264 max_num_reorder_frames): 0 without B-frames. */
  readonly reorderDepth: number
  /** H264, H265: the active parameter sets, without start codes. */
  readonly parameterSets?: ParameterSets
  /** AV1: the sequence header OBU, with its size field. */
  readonly sequenceHeader?: Uint8Array
}

/** Parameter sets in the order in which they must be sent. */
export interface ParameterSets {
  readonly vps?: readonly Uint8Array[]
  readonly sps: readonly Uint8Array[]
  readonly pps: readonly Uint8Array[]
}

/** What a decoder of audio must know. */
export interface AudioConfiguration {
  readonly kind: 'audio'
  readonly codec: AudioCodec
  /** RFC 6381, e.g. `mp4a.40.2`, `opus`. */
  readonly codecString: string
  /** Hz. */
  readonly sampleRate: number
  readonly channels: number
  /** AAC: the AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1). */
  readonly audioSpecificConfig?: Uint8Array
}

/** Either. */
export type Configuration = VideoConfiguration | AudioConfiguration
