import { splitAnnexB } from '@rushes/bitstream'
import type { EncodedSample } from '@rushes/media'
import * as constants from 'node-av/constants'
import * as lib from 'node-av/lib'

/** Grey pictures of 64x64 that get lighter, coded without any tool of the system: H264, 30 a second. */
export function nativePictures(count: number): EncodedSample[] {
  lib.Log.setLevel(constants.AV_LOG_QUIET)
  const codec = lib.Codec.findEncoderByName(constants.FF_ENCODER_LIBX264)
  const context = new lib.CodecContext()
  context.allocContext3(codec)
  context.width = 64
  context.height = 64
  context.pixelFormat = constants.AV_PIX_FMT_YUV420P
  context.timeBase = new lib.Rational(1, 90_000)
  context.framerate = new lib.Rational(30, 1)
  context.setOption('tune', 'zerolatency')
  if (context.open2Sync(codec, null) < 0) throw new Error('libx264 cannot be opened')
  const packet = new lib.Packet()
  packet.alloc()
  const samples: EncodedSample[] = []
  for (let index = 0; index < count; index++) {
    const picture = Buffer.alloc((64 * 64 * 3) / 2, 40 + (index % 150))
    const format = constants.AV_PIX_FMT_YUV420P
    const frame = lib.Frame.fromVideoBuffer(picture, {
      width: 64,
      height: 64,
      format,
      timeBase: { num: 1, den: 90_000 },
    })
    const pts = index * 3000
    frame.pts = BigInt(pts)
    context.sendFrameSync(frame)
    frame.free()
    while (context.receivePacketSync(packet) >= 0) {
      const data = splitAnnexB(Uint8Array.from(packet.data!))
      samples.push({ type: 'sample', trackId: 'camera', data, pts, dts: pts, keyframe: packet.isKeyframe })
      packet.unref()
    }
  }
  packet.free()
  context.freeContext()
  return samples
}
