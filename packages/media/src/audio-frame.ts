import type { AudioConfiguration } from './configuration.js'

/** One coded audio frame (one Opus packet, one AAC frame), above the time border. */
export interface AudioFrame {
  readonly type: 'audio-frame'
  readonly trackId: string
  /** As in {@link AccessUnit.epoch}. */
  readonly epoch: number
  readonly data: Uint8Array
  /** Ticks of `rtpTimestamp` per second, in Hz: the track's RTP clock. */
  readonly clockRate: number
  /** Extended RTP timestamp in ticks of the clock rate: it does not wrap within an epoch. May be negative. */
  readonly rtpTimestamp: number
  /** Monotonic arrival time in microseconds, where the host gave one. */
  readonly arrivalUs?: number
  /** The first packet of a talkspurt, as the sender says (RFC 3551 §4.1); many senders set it always or never. */
  readonly marker: boolean
  /** Length in ticks of the clock rate, from the codec's own header (the Opus TOC). */
  readonly duration: number
  /** Packets of this track went missing between the frame emitted before and this one. */
  readonly lossBefore: boolean
  /** How many packets went missing there. */
  readonly lostPackets?: number
  /** Present where a new configuration begins, and on the first frame. */
  readonly configuration?: AudioConfiguration
}
