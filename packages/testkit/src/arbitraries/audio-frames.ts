import type { AudioConfiguration, AudioFrame, AudioTrack, EncodedSample } from '@rushes/media'
import fc from 'fast-check'
import { opusPacketSamples } from '../opus/packet-duration.js'
import { type BytesSeed, bytesOf, bytesSeed } from './random-bytes.js'

/** What kind of audio to generate. */
export interface AudioFramesOptions {
  /** @defaultValue `opus` */
  readonly codec?: 'opus' | 'aac'
  /** Times pass the wraps: 2^32 of the RTP timestamp, 2^33 of PTS. @defaultValue false */
  readonly wraps?: boolean
  /** Pauses between frames, as DTX makes them. @defaultValue true for Opus, false for AAC */
  readonly gaps?: boolean
  /** @defaultValue 30 */
  readonly maxFrames?: number
  /** @defaultValue `audio` */
  readonly trackId?: string
}

/** Generated audio, above and below the time border. */
export interface AudioFrames {
  readonly track: AudioTrack
  readonly configuration: AudioConfiguration
  readonly frames: readonly AudioFrame[]
  readonly samples: readonly EncodedSample[]
}

interface FrameSeed {
  readonly toc: number
  readonly count: number
  readonly variable: boolean
  readonly data: BytesSeed
  readonly gap: number
  readonly dtx: boolean
}

const AAC_RATES = [48_000, 44_100, 32_000, 24_000] as const
const AAC_RATE_INDEX: Readonly<Record<number, number>> = { 48000: 3, 44100: 4, 32000: 5, 24000: 6 }

/** Audio frames with times that follow from their durations. */
export function audioFrames(options: AudioFramesOptions = {}): fc.Arbitrary<AudioFrames> {
  const codec = options.codec ?? 'opus'
  const gaps = options.gaps ?? codec === 'opus'
  return fc
    .record({
      frames: fc.array(
        fc.record({
          toc: fc.nat(255),
          count: fc.nat(47),
          variable: fc.boolean(),
          data: bytesSeed(codec === 'opus' ? 1200 : 1500),
          gap: gaps
            ? fc.oneof({ arbitrary: fc.constant(0), weight: 6 }, fc.integer({ min: 1, max: 24 }))
            : fc.constant(0),
          dtx: codec === 'opus' ? fc.boolean() : fc.constant(false),
        }),
        { minLength: 1, maxLength: options.maxFrames ?? 30 },
      ),
      sampleRate: codec === 'opus' ? fc.constant(48_000) : fc.constantFrom(...AAC_RATES),
      channels: fc.constantFrom(1, 2),
      start: fc.nat(90_000),
      rtpStart: fc.nat({ max: 2 ** 31 - 1 }),
    })
    .map((seed) => buildAudio(seed, codec, options))
}

function buildAudio(
  seed: {
    readonly frames: readonly FrameSeed[]
    readonly sampleRate: number
    readonly channels: number
    readonly start: number
    readonly rtpStart: number
  },
  codec: 'opus' | 'aac',
  options: AudioFramesOptions,
): AudioFrames {
  const { sampleRate, channels } = seed
  const trackId = options.trackId ?? 'audio'
  const configuration: AudioConfiguration =
    codec === 'opus'
      ? { kind: 'audio', codec, codecString: 'opus', sampleRate, channels: 2 }
      : {
          kind: 'audio',
          codec,
          codecString: 'mp4a.40.2',
          sampleRate,
          channels,
          audioSpecificConfig: audioSpecificConfig(sampleRate, channels),
        }
  const packets = seed.frames.map((frame) => (codec === 'opus' ? writeOpusPacket(frame) : aacFrame(frame)))
  const durations = packets.map((packet) => (codec === 'opus' ? opusPacketSamples(packet) : 1024))
  const gapBefore = (index: number): number => (index === 0 ? 0 : (seed.frames[index] as FrameSeed).gap * 960)
  const total = durations.reduce((sum, duration, index) => sum + duration + gapBefore(index), 0)
  // The wrap of PTS is one of 90 kHz, wherever that lies in this track's ticks.
  const wrap = Math.floor((2 ** 33 * sampleRate) / 90_000)
  const start = options.wraps === true ? wrap - (seed.start % total) : seed.start
  const rtpStart = options.wraps === true ? 2 ** 32 - (seed.rtpStart % total) : seed.rtpStart
  const frames: AudioFrame[] = []
  const samples: EncodedSample[] = []
  let at = 0
  for (const [index, data] of packets.entries()) {
    const duration = durations[index] as number
    const gap = gapBefore(index)
    at += gap
    const first = index === 0 ? { configuration } : {}
    frames.push({
      ...first,
      type: 'audio-frame',
      trackId,
      epoch: 0,
      data,
      clockRate: sampleRate,
      rtpTimestamp: rtpStart + at,
      marker: index === 0 || gap > 0,
      duration,
      lossBefore: false,
    })
    const time = { pts: start + at, dts: start + at, duration }
    samples.push({ ...first, ...time, type: 'sample', trackId, data, keyframe: true })
    at += duration
  }
  const track = { id: trackId, kind: 'audio', codec, clockRate: sampleRate, channels: configuration.channels } as const
  return { track, configuration, frames, samples }
}

/** A packet of a valid structure (RFC 6716 §3.2) of at most 120 ms; with `dtx` it has no sound in it. */
function writeOpusPacket(seed: FrameSeed): Uint8Array {
  const config = seed.toc >> 3
  const stereo = seed.toc & 4
  const code = seed.dtx ? 0 : seed.toc & 3
  const toc = (config << 3) | stereo | code
  const data = seed.dtx ? new Uint8Array(0) : bytesOf(seed.data)
  if (code === 0) return Uint8Array.from([toc, ...data])
  if (code === 1) return Uint8Array.from([toc, ...data.subarray(0, data.byteLength & ~1)])
  if (code === 2) {
    const first = Math.floor(data.byteLength / 3)
    return Uint8Array.from([toc, ...opusLength(first), ...data])
  }
  const longest = Math.floor(5760 / opusPacketSamples(Uint8Array.of(config << 3)))
  const count = (seed.count % longest) + 1
  const each = Math.floor(data.byteLength / count)
  if (!seed.variable) return Uint8Array.from([toc, count, ...data.subarray(0, each * count)])
  const lengths = Array.from({ length: count - 1 }, () => opusLength(each)).flat()
  return Uint8Array.from([toc, 0x80 | count, ...lengths, ...data])
}

/** RFC 6716 §3.2.1. */
function opusLength(bytes: number): number[] {
  return bytes < 252 ? [bytes] : [252 + (bytes & 3), (bytes - 252 - (bytes & 3)) >> 2]
}

/** Whatever carries AAC frames cannot tell what is in them; none is empty. */
function aacFrame(seed: FrameSeed): Uint8Array {
  return bytesOf({ seed: seed.data.seed, size: seed.data.size + 1 })
}

/** AAC-LC (ISO/IEC 14496-3 §1.6.2.1). */
function audioSpecificConfig(sampleRate: number, channels: number): Uint8Array {
  const index = AAC_RATE_INDEX[sampleRate] as number
  return Uint8Array.of((2 << 3) | (index >> 1), ((index & 1) << 7) | (channels << 3))
}
