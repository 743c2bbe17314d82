import type { VideoConfiguration } from './configuration.js'

/**
 * One coded picture in its units, in decoding order, above the time border. What a unit is depends on the codec:
 * - H264, H265: the NAL units of the picture (ITU-T H.264 §3, §7.4.1.2.3; H.265 §7.4.2.4.4); the parameter sets that a
 *   keyframe needs stand before its first slice;
 * - VP8, VP9: just one, the frame (VP9 with spatial layers: the frames of the picture as one superframe);
 * - AV1: the OBUs of the temporal unit, each with its size field, without temporal delimiter (AV1 in ISOBMFF §2.4).
 */
export interface AccessUnit {
  readonly type: 'access-unit'
  readonly trackId: string
  /** Counts the restarts of the source (a new SSRC, or a jump that no loss explains); RTP time restarts with it. */
  readonly epoch: number
  /**
   * The units, each in one piece; NAL units without start codes.
   * One that came in several packets is joined on the first read (one copy): muxers read `pieces` instead.
   */
  readonly nalUnits: readonly Uint8Array[]
  /** The same units as they came, one list of pieces per unit: views into the packets. */
  readonly pieces?: readonly (readonly Uint8Array[])[]
  /** Ticks of `rtpTimestamp` per second, in Hz: the track's RTP clock. */
  readonly clockRate: number
  /** Extended RTP timestamp in ticks of the clock rate: it does not wrap within an epoch. May be negative. */
  readonly rtpTimestamp: number
  /** Monotonic arrival time of the packet that completed it, in microseconds, where the host gave one. */
  readonly arrivalUs?: number
  /** The last packet carried the RTP marker. */
  readonly marker: boolean
  /** Decoding can start here: for H264 an IDR picture whose parameter sets are present. */
  readonly keyframe: boolean
  /** Packets of this track went missing between the unit emitted before and this one. */
  readonly lossBefore: boolean
  /** How many packets went missing there. */
  readonly lostPackets?: number
  /** Present where a new configuration (size, profile) begins, and on the first unit. */
  readonly configuration?: VideoConfiguration
}
