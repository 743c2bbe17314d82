import { opusPacketDuration } from '@rushes/bitstream'
import { type AudioConfiguration, type AudioFrame, type AudioTrack, ConfigurationError } from '@rushes/media'
import type { DepacketizerOptions } from './depacketizer-options.js'
import { RtpDepacketizer } from './rtp-depacketizer.js'
import type { RtpPacket } from './rtp-packet.js'
import { type RtpStats, zeroRtpStats } from './rtp-stats.js'

/** RFC 7587 §4.1: whatever the bandwidth. */
const CLOCK_RATE = 48_000

/** Counters of {@link OpusDepacketizer}; `malformed.opus` are packets that break RFC 6716 §3.4. */
export interface OpusStats extends RtpStats {
  /** Frames emitted. */
  frames: number
}

/**
 * Opus from RTP (RFC 7587): each packet with a payload is one frame, whose length its own header tells. What DTX
 * leaves out is no loss, since sequence numbers go on; what it sends (payloads of one byte) are frames.
 */
export class OpusDepacketizer extends RtpDepacketizer {
  readonly #stats: OpusStats
  readonly #trackId: string
  readonly #configuration: AudioConfiguration
  #configured = false
  #lost = 0
  #anyInEpoch = false

  /** Throws ConfigurationError. */
  constructor(track: AudioTrack, options: DepacketizerOptions = {}) {
    if (track.codec !== 'opus') throw new ConfigurationError('track.codec', "must be 'opus'", track.codec)
    if (track.clockRate !== CLOCK_RATE) {
      throw new ConfigurationError('track.clockRate', 'must be 48000 for Opus (RFC 7587 §4.1)', track.clockRate)
    }
    const channels = track.channels ?? 2
    if (channels !== 1 && channels !== 2) {
      throw new ConfigurationError('track.channels', 'must be 1 or 2 for Opus', channels)
    }
    const stats = { ...zeroRtpStats(['opus']), frames: 0 }
    super(track, options, stats)
    this.#stats = stats
    this.#trackId = track.id
    // Not from the TOC: each packet may switch between mono and stereo, and a decoder made for two channels takes both.
    this.#configuration = { kind: 'audio', codec: 'opus', codecString: 'opus', sampleRate: CLOCK_RATE, channels }
  }

  /** Live counters. */
  override get stats(): Readonly<OpusStats> {
    return this.#stats
  }

  protected override depacketize(packet: RtpPacket, rtpTimestamp: number, lost: number): void {
    this.#lost += lost
    if (packet.payloadOffset >= packet.payloadEnd) return
    const { payload } = packet
    const duration = durationOf(payload)
    if (duration === 0) {
      this.#stats.malformed['opus'] = (this.#stats.malformed['opus'] ?? 0) + 1
      this.#lost++
      return
    }
    // What is missing before the first frame of a source is missing from nothing.
    const lossBefore = this.#lost > 0 && this.#anyInEpoch
    const frame: { -readonly [Key in keyof AudioFrame]: AudioFrame[Key] } = {
      type: 'audio-frame',
      trackId: this.#trackId,
      epoch: this.epoch,
      data: payload,
      clockRate: CLOCK_RATE,
      rtpTimestamp,
      marker: packet.marker,
      duration,
      lossBefore,
    }
    if (packet.arrivalUs !== undefined) frame.arrivalUs = packet.arrivalUs
    if (lossBefore) frame.lostPackets = this.#lost
    if (!this.#configured) {
      this.#configured = true
      frame.configuration = this.#configuration
    }
    this.#lost = 0
    this.#anyInEpoch = true
    this.#stats.frames++
    this.emit(frame)
  }

  protected override endSource(): void {
    this.#lost = 0
    this.#anyInEpoch = false
  }
}

/** Samples at 48 kHz; 0 for a packet that is none. */
function durationOf(packet: Uint8Array): number {
  try {
    return opusPacketDuration(packet)
  } catch {
    return 0
  }
}
