import * as constants from 'node-av/constants'
import * as lib from 'node-av/lib'

/** FFmpeg's libopus: another build of the decoder than the one under test, without concealment. */
export function nativeOpusDecoder(channels: number): { decode(packet: Uint8Array): Float32Array[]; close(): void } {
  const context = new lib.CodecContext()
  const codec = lib.Codec.findDecoderByName(constants.FF_DECODER_LIBOPUS)
  context.allocContext3(codec)
  context.sampleRate = 48_000
  context.channelLayout = channels === 1 ? constants.AV_CHANNEL_LAYOUT_MONO : constants.AV_CHANNEL_LAYOUT_STEREO
  context.pktTimebase = new lib.Rational(1, 48_000)
  context.setOption('request_sample_fmt', 'flt')
  if (context.open2Sync(codec, null) < 0) throw new Error('libopus cannot be opened')
  const packet = new lib.Packet()
  packet.alloc()
  const frame = new lib.Frame()
  frame.alloc()
  return {
    decode(data) {
      packet.data = Buffer.from(data)
      context.sendPacketSync(packet)
      packet.unref()
      if (context.receiveFrameSync(frame) < 0) return Array.from({ length: channels }, () => new Float32Array(0))
      const bytes = frame.data![0]!
      const samples = new Float32Array(bytes.buffer, bytes.byteOffset, frame.nbSamples * channels)
      const planes = Array.from({ length: channels }, (_, channel) =>
        samples.filter((__, index) => index % channels === channel),
      )
      frame.unref()
      return planes
    },
    close() {
      frame.free()
      packet.free()
      context.freeContext()
    },
  }
}
