import { spawnSync } from 'node:child_process'
import { type Picture, PictureCanvas, PictureScaler } from '@rushes/codecs'
import type { EncodedSample, VideoCodec, VideoConfiguration } from '@rushes/media'
import { describe, expect, test } from 'vitest'
import { encodeVideo, psnr } from '../../../codecs/test/video-source.js'
import { PictureTrack, type PictureTrackOptions } from '../../src/picture/picture-track.js'
import { videoConfiguration } from '../video-configuration.js'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0
const frameUs = (frame: number): number => Math.round((frame * 1_000_000) / 30)

async function trackOf(codec: VideoCodec, options: Partial<PictureTrackOptions> = {}): Promise<PictureTrack> {
  const settings = { holdUs: 1_000_000, frameIntervalUs: 33_333, ...options }
  return PictureTrack.open({ id: 'camera', kind: 'video', codec, clockRate: 90_000 }, settings)
}

const scaler = await PictureScaler.create()
/** A picture's samples. */
async function bytesOf(picture: Picture | undefined): Promise<Buffer> {
  if (picture === undefined) throw new Error('there is no picture')
  const { width, height } = picture
  const canvas = await PictureCanvas.create({ width, height })
  const whole = { x: 0, y: 0, width, height }
  scaler.draw(picture, whole, canvas, whole)
  const bytes = Buffer.concat(canvas.planes)
  canvas.close()
  return bytes
}

/** In 90 kHz exactly, and decoding times that are not after them: the container had milliseconds. */
function exact(samples: readonly EncodedSample[], configuration?: Partial<VideoConfiguration>): EncodedSample[] {
  const depth = configuration?.reorderDepth ?? 0
  return samples.map((sample, index) => ({
    ...sample,
    pts: Math.round(sample.pts / 3000) * 3000,
    dts: (index - depth) * 3000,
    ...(index === 0 ? { configuration: { ...videoConfiguration, ...configuration } } : {}),
  }))
}

describe.skipIf(!hasFfmpeg && !process.env['CI'])('a track of pictures', () => {
  test.each([
    ['h264', ['-bf', '0'], 0],
    ['h264', ['-bf', '3', '-x264-params', 'b-pyramid=normal', '-preset', 'medium'], 2],
    ['h265', ['-x265-params', 'log-level=none:bframes=3'], 2],
    ['vp8', ['-colorspace', 'bt709'], 0],
    ['vp9', [], 0],
    ['av1', [], 0],
  ] as const)('%s %j: each frame shows its own picture, pushed as late as it can be', async (codec, args, depth) => {
    const source = encodeVideo({ codec, args, seconds: 1 })
    const samples = exact(source.samples, { codec, reorderDepth: depth })
    const track = await trackOf(codec)
    let pushed = 0
    for (let frame = 0; frame < 30; frame++) {
      while (!track.isDecidedAt(frameUs(frame))) {
        const sample = samples[pushed++]
        track.push(sample ?? { type: 'track-end', trackId: 'camera' })
      }
      expect(track.choose(frameUs(frame))?.ptsUs).toBe(frameUs(frame))
      // VP8 says nothing of its colours: they are by definition those of BT.601, and become those of the canvas.
      if (codec !== 'vp8') expect(psnr(await bytesOf(track.current()), source.pictures[frame]!)).toBeGreaterThan(45)
      else expect(track.current()?.pts).toBe(frame * 3000)
    }
    expect(track.stats).toMatchObject({ pictures: 30, decodeErrors: 0, frozen: 0, skipped: 0 })
    track.close()
    track.close()
  })

  test('a slower composite decodes no more than it must', async () => {
    const { samples } = encodeVideo({ codec: 'h264', args: ['-bf', '0', '-g', '15'], seconds: 2 })
    const track = await trackOf('h264', { frameIntervalUs: 1_000_000 })
    for (const sample of exact(samples)) track.push(sample)
    expect(track.choose(1_000_000)?.ptsUs).toBe(1_000_000)
    expect(track.current()?.pts).toBe(90_000)
    expect(track.stats).toMatchObject({ decoded: 1, skipped: 30 })
  })

  test('a hidden track is not decoded, within its bound, and shows the right picture when it is seen again', async () => {
    const { samples, pictures } = encodeVideo({ codec: 'h264', args: ['-bf', '0', '-g', '30'], seconds: 4 })
    const track = await trackOf('h264')
    for (const sample of exact(samples)) track.push(sample)
    for (let frame = 0; frame < 100; frame++) {
      track.choose(frameUs(frame))
      track.skip()
    }
    expect(track.stats).toMatchObject({ decoded: 0, skipped: 90 })
    track.choose(frameUs(100))
    expect(psnr(await bytesOf(track.current()), pictures[100]!)).toBeGreaterThan(45)
    expect(track.stats).toMatchObject({ decoded: 11, frozen: 0 })
  })

  test('a hidden track with few keyframes keeps 64 pictures and no more', async () => {
    const { samples, pictures } = encodeVideo({ codec: 'h264', args: ['-bf', '0', '-g', '999'], seconds: 4 })
    const track = await trackOf('h264')
    for (const sample of exact(samples)) track.push(sample)
    for (let frame = 0; frame < 110; frame++) {
      track.choose(frameUs(frame))
      track.skip()
    }
    expect(track.stats.decoded).toBe(110 - 64)
    track.choose(frameUs(110))
    expect(psnr(await bytesOf(track.current()), pictures[110]!)).toBeGreaterThan(45)
  })

  test('a track that is passed over keeps as much as it is told to, in pictures or in bytes', async () => {
    const { samples, pictures } = encodeVideo({ codec: 'h264', args: ['-bf', '0', '-g', '999'], seconds: 4 })
    const bytes = Buffer.concat(samples.slice(1, 111).flatMap(({ data }) => data)).byteLength
    for (const [bounds, decoded] of [
      [{ pictures: 1500, bytes: 16 << 20 }, 0],
      [{ pictures: 100, bytes: 16 << 20 }, 11],
      // Without the keyframe everything fits.
      [{ pictures: 1500, bytes }, 1],
    ] as const) {
      const track = await trackOf('h264')
      for (const sample of exact(samples)) track.push(sample)
      // Not every frame need be passed over for itself.
      for (let frame = 0; frame <= 110; frame++) {
        track.choose(frameUs(frame))
        if (frame % 10 === 0) track.skip(bounds)
      }
      expect(track.stats.decoded).toBe(decoded)
      expect(psnr(await bytesOf(track.current()), pictures[110]!)).toBeGreaterThan(45)
      expect(track.stats).toMatchObject({ decoded: 111, frozen: 0 })
      track.close()
    }
  })

  test('garbage is counted and the picture before it stays', async () => {
    const { samples } = encodeVideo({ codec: 'h264', args: ['-bf', '0', '-g', '15'], seconds: 2 })
    const track = await trackOf('h264')
    for (const [index, sample] of exact(samples).entries()) {
      const isBroken = index >= 5 && index < 10
      track.push(isBroken ? { ...sample, data: [Uint8Array.of(0x65, 0xff, 0xff, 1, 2, 3)] } : sample)
    }
    const shown: (number | undefined)[] = []
    for (let frame = 0; frame < 30; frame++) {
      track.choose(frameUs(frame))
      shown.push(track.current()?.pts)
    }
    expect(shown.slice(5, 10)).toEqual([12_000, 12_000, 12_000, 12_000, 12_000])
    expect(shown.slice(15)).toEqual(Array.from({ length: 15 }, (_, index) => (index + 15) * 3000))
    expect(track.stats).toMatchObject({ decodeErrors: 5, frozen: 5 })
  })

  test('a picture is held for so long and then gone, until the next', async () => {
    const { samples } = encodeVideo({ codec: 'h264', args: ['-bf', '0'], seconds: 0.2 })
    const track = await trackOf('h264', { holdUs: 200_000 })
    for (const sample of exact(samples)) track.push(sample)
    track.push({ type: 'watermark', trackId: 'camera', dts: 90_000 })
    expect(track.choose(frameUs(5))).toMatchObject({ ptsUs: frameUs(5), width: 320, height: 180 })
    expect(track.choose(frameUs(11))).toMatchObject({ ptsUs: frameUs(5) })
    expect(track.choose(frameUs(12))).toBeUndefined()
  })

  test('sizes are told upright', async () => {
    const { samples } = encodeVideo({ codec: 'h264', args: ['-bf', '0'], seconds: 0.1 })
    const track = await trackOf('h264')
    for (const sample of exact(samples, { rotation: 90 })) track.push(sample)
    track.push({ type: 'track-end', trackId: 'camera' })
    expect(track.choose(0)).toMatchObject({ width: 180, height: 320 })
    expect(track.current()).toMatchObject({ width: 180, height: 320, rotation: 90 })
    expect(track.knownUntilUs).toBe(Number.POSITIVE_INFINITY)
  })
})

test('nothing is shown of a track without pictures', async () => {
  const track = await trackOf('h264')
  expect(track.choose(0)).toBeUndefined()
  expect(track.current()).toBeUndefined()
  track.skip()
  expect(track.isDecidedAt(0)).toBe(false)
  track.push({ type: 'track-end', trackId: 'camera' })
  expect(track.isDecidedAt(0)).toBe(true)
  track.close()
})
