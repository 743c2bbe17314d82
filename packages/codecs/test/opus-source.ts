import type { EncodedSample } from '@rushes/media'
import * as constants from 'node-av/constants'
import * as lib from 'node-av/lib'

/** Opus of a sound that a test makes up: packets of 20 ms. */
export function encodeOpus(planes: readonly Float32Array[]): Uint8Array[] {
  lib.Log.setLevel(constants.AV_LOG_QUIET)
  const channels = planes.length
  const layout = channels === 1 ? constants.AV_CHANNEL_LAYOUT_MONO : constants.AV_CHANNEL_LAYOUT_STEREO
  const codec = lib.Codec.findEncoderByName(constants.FF_ENCODER_LIBOPUS)
  const context = new lib.CodecContext()
  context.allocContext3(codec)
  context.sampleRate = 48_000
  context.channelLayout = layout
  context.sampleFormat = constants.AV_SAMPLE_FMT_FLT
  context.bitRate = BigInt(96_000 * channels)
  context.timeBase = new lib.Rational(1, 48_000)
  if (context.open2Sync(codec, null) < 0) throw new Error('libopus cannot be opened')
  const packet = new lib.Packet()
  packet.alloc()
  const packets: Uint8Array[] = []
  for (let start = 0; start + 960 <= planes[0]!.length; start += 960) {
    const buffer = Buffer.alloc(960 * channels * 4)
    for (let index = 0; index < 960; index++) {
      for (let channel = 0; channel < channels; channel++) {
        buffer.writeFloatLE(planes[channel]![start + index]!, (index * channels + channel) * 4)
      }
    }
    const frame = lib.Frame.fromAudioBuffer(buffer, {
      nbSamples: 960,
      format: constants.AV_SAMPLE_FMT_FLT,
      sampleRate: 48_000,
      channelLayout: layout,
      timeBase: { num: 1, den: 48_000 },
    })
    frame.pts = BigInt(start)
    context.sendFrameSync(frame)
    frame.free()
    while (context.receivePacketSync(packet) >= 0) {
      packets.push(new Uint8Array(packet.data!))
      packet.unref()
    }
  }
  packet.free()
  context.freeContext()
  return packets
}

/** 100 ms of a tone at the start of each second, in between almost nothing. */
export function beeps(seconds: number, hz = 880): Float32Array {
  return Float32Array.from({ length: seconds * 48_000 }, (_, index) => {
    const gain = index % 48_000 < 4800 ? 0.5 : 0.01
    return gain * Math.sin((2 * Math.PI * hz * index) / 48_000)
  })
}

/** The packets as samples, at times of the test's choice. */
export function samplesAt(packets: readonly Uint8Array[], timeOf: (index: number) => number): EncodedSample[] {
  return packets.map((data, index) => {
    const pts = timeOf(index)
    return { type: 'sample', trackId: 'voice', data, pts, dts: pts, keyframe: true }
  })
}
