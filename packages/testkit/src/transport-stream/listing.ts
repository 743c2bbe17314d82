import type { SequenceParameters } from '../h264/parameter-sets.js'

/** One H.264 access unit of a transport stream: one PES packet. */
export interface ListedAccessUnit {
  readonly segment: number
  /** In the segment, of the packet that starts it. */
  readonly offset: number
  /** 90 kHz, laid out without wraps since the last discontinuity; NaN where the PES packet has no PTS. */
  readonly pts90k: number
  readonly dts90k: number
  /** An IDR picture. */
  readonly keyframe: boolean
  readonly randomAccess: boolean
  readonly nalUnitTypes: readonly number[]
  /** The NAL units without start codes; none where payloads were not kept. */
  readonly nalUnits: readonly Uint8Array[]
  /** Bytes of the PES payload. */
  readonly sizeBytes: number
  /** The SPS in force. */
  readonly sps?: SequenceParameters
}

/** One AAC frame of a transport stream. */
export interface ListedAudioFrame {
  readonly segment: number
  /** In the segment, of the packet that starts its PES packet. */
  readonly offset: number
  /** 90 kHz, as in {@link ListedAccessUnit.pts90k}; of the second and later frames of a PES packet by their samples. */
  readonly pts90k: number
  readonly sampleRate: number
  readonly channels: number
  readonly objectType: number
  /** Without the ADTS header; empty where payloads were not kept. */
  readonly data: Uint8Array
}

/** One elementary stream. */
export interface ListedStream {
  readonly pid: number
  readonly streamType: number
  readonly kind: 'video' | 'audio' | 'other'
  readonly accessUnits: readonly ListedAccessUnit[]
  readonly audioFrames: readonly ListedAudioFrame[]
}

/** A clock reference. */
export interface ListedPcr {
  readonly segment: number
  readonly offset: number
  readonly pid: number
  /** 27 MHz, laid out without wraps since the last discontinuity. */
  readonly pcr27m: number
}

/** What is in a transport stream. */
export interface TransportStreamListing {
  /** In the order in which PMTs listed them; a PID that comes back with another type is another stream. */
  readonly streams: readonly ListedStream[]
  readonly pcrs: readonly ListedPcr[]
  /** What the PMT listed at the end of each segment. */
  readonly segments: readonly (readonly { readonly pid: number; readonly streamType: number }[])[]
  readonly packets: number
}
