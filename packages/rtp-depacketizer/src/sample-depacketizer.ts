import { type AudioConfiguration, type AudioFrame, type AudioTrack, ConfigurationError } from '@rushes/media'
import type { DepacketizerOptions } from './depacketizer-options.js'
import { RtpDepacketizer } from './rtp-depacketizer.js'
import type { RtpPacket } from './rtp-packet.js'
import { type RtpStats, zeroRtpStats } from './rtp-stats.js'

/** Codecs of which each byte stands for itself, so that packets may be of any length. */
type SampleCodec = 'pcmu' | 'pcma' | 'g722'

interface SampleFormat {
  /** Static payload type (RFC 3551 §6, Table 4). */
  readonly payloadType: number
  /** Sample entry of ISO base media files; G.722 has none, and is called by its name. */
  readonly codecString: string
  /** Hz. */
  readonly sampleRate: number
}

const FORMATS: Readonly<Record<SampleCodec, SampleFormat>> = {
  pcmu: { payloadType: 0, codecString: 'ulaw', sampleRate: 8000 },
  pcma: { payloadType: 8, codecString: 'alaw', sampleRate: 8000 },
  g722: { payloadType: 9, codecString: 'g722', sampleRate: 16_000 },
}

/** Hz, for all of them: G.722 samples twice as often, and its RTP clock says 8,000 by an old mistake (RFC 3551 §4.5.2). */
const CLOCK_RATE = 8000

/** Whether {@link SampleDepacketizer} takes a codec. */
export function isSampleCodec(codec: string): codec is SampleCodec {
  return Object.hasOwn(FORMATS, codec)
}

/** Counters of {@link SampleDepacketizer}. */
export interface SampleStats extends RtpStats {
  /** Frames emitted. */
  frames: number
}

/**
 * G.711 (PCMU, PCMA) and G.722 from RTP (RFC 3551 §4.5.14, §4.5.2), mono: each packet is one frame, of any length; each
 * byte is one tick of the RTP clock. Where the track has no payload type the static one is taken, so that comfort noise
 * and telephone events among the packets are not heard. What silence suppression leaves out is no loss.
 */
export class SampleDepacketizer extends RtpDepacketizer {
  readonly #stats: SampleStats
  readonly #trackId: string
  readonly #configuration: AudioConfiguration
  #configured = false
  #lost = 0
  #anyInEpoch = false

  /** Throws ConfigurationError. */
  constructor(track: AudioTrack, options: DepacketizerOptions = {}) {
    const { codec } = track
    if (!isSampleCodec(codec)) throw new ConfigurationError('track.codec', "must be 'pcmu', 'pcma' or 'g722'", codec)
    if (track.clockRate !== CLOCK_RATE) {
      throw new ConfigurationError('track.clockRate', `must be 8000 for ${codec} (RFC 3551)`, track.clockRate)
    }
    if ((track.channels ?? 1) !== 1) {
      throw new ConfigurationError('track.channels', `must be 1 for ${codec}`, track.channels)
    }
    const { payloadType, codecString, sampleRate } = FORMATS[codec]
    const stats = { ...zeroRtpStats([]), frames: 0 }
    super({ ...track, payloadType: track.payloadType ?? payloadType }, options, stats)
    this.#stats = stats
    this.#trackId = track.id
    this.#configuration = { kind: 'audio', codec, codecString, sampleRate, channels: 1 }
  }

  /** Live counters. */
  override get stats(): Readonly<SampleStats> {
    return this.#stats
  }

  protected override depacketize(packet: RtpPacket, rtpTimestamp: number, lost: number): void {
    this.#lost += lost
    if (packet.payloadOffset >= packet.payloadEnd) return
    const { payload } = packet
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
      duration: payload.byteLength,
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
