import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { joinAnnexB } from '@rushes/bitstream'
import {
  ConfigurationError,
  type EncodedSample,
  type TimedItem,
  toStream,
  type VideoCodec,
  type VideoConfiguration,
  type VideoTrack,
} from '@rushes/media'
import { describe, expect, test } from 'vitest'
import { createVideoTranscoder, type VideoTranscoder, type VideoTranscoderOptions } from '../src/index.js'
import { hasFfmpeg } from './sound.js'
import { encodeVideo, picturesOf, psnr, run, type VideoSource } from './video-source.js'
import { h264SamplesOf } from './video-take.js'

const trackOf = (codec: VideoCodec): VideoTrack => ({
  id: 'camera',
  kind: 'video',
  codec,
  clockRate: 90_000,
  participantId: 'alice',
  fmtp: 'x=1',
})

interface Transcoded {
  readonly samples: EncodedSample[]
  readonly items: TimedItem[]
  readonly stats: VideoTranscoder['stats']
}

async function transcode(
  codec: VideoCodec,
  input: readonly TimedItem[],
  options: Partial<VideoTranscoderOptions> = {},
  before: (transcoder: VideoTranscoder, index: number) => void = () => {},
): Promise<Transcoded> {
  const transcoder = await createVideoTranscoder({ track: trackOf(codec), ...options })
  const items: TimedItem[] = []
  for (const [index, item] of input.entries()) {
    before(transcoder, index)
    transcoder.push(item, (out) => items.push(out))
  }
  transcoder.flush((out) => items.push(out))
  return { items, samples: items.filter((item) => item.type === 'sample'), stats: transcoder.stats }
}

function decode(samples: readonly EncodedSample[], width: number, height: number): Buffer[] {
  const stream = Buffer.concat(samples.map(({ data }) => joinAnnexB(data as Uint8Array[])))
  return picturesOf(
    run(['-f', 'h264', '-i', '-', '-vsync', 'passthrough', '-f', 'rawvideo', '-'], stream),
    width,
    height,
  )
}

function expectAlike(got: readonly Buffer[], want: readonly Buffer[], db: number): void {
  expect(got).toHaveLength(want.length)
  const worst = Math.min(...got.map((picture, index) => psnr(picture, want[index]!)))
  expect(worst).toBeGreaterThan(db)
}

const sizesOf = (samples: readonly EncodedSample[]): string[] =>
  samples.flatMap(({ configuration }) => {
    const video = configuration as VideoConfiguration | undefined
    return video === undefined ? [] : [`${video.width}x${video.height}`]
  })

const sorted = (samples: readonly EncodedSample[]): number[] => samples.map(({ pts }) => pts).sort((a, b) => a - b)

describe.skipIf(!hasFfmpeg && !process.env['CI'])('with ffmpeg', () => {
  const sources = new Map<string, VideoSource>()
  const sourceOf = (codec: VideoCodec): VideoSource => {
    const source = sources.get(codec) ?? encodeVideo({ codec, args: codec === 'h264' ? ['-bf', '2', '-g', '60'] : [] })
    sources.set(codec, source)
    return source
  }

  describe.each(['vp8', 'vp9', 'av1', 'h265', 'h264'] as const)('%s', (codec) => {
    test('every picture, at its time, as it was', async () => {
      const { samples: input, pictures } = sourceOf(codec)
      const { samples, stats } = await transcode(codec, input)
      expect(samples.map(({ pts }) => pts)).toEqual(sorted(input))
      expect(samples.every(({ pts, dts }) => pts === dts)).toBe(true)
      expect(samples.filter(({ keyframe }) => keyframe).map(({ pts }) => pts)).toEqual([
        samples[0]!.pts,
        samples[60]!.pts,
      ])
      expect(samples[0]!.configuration).toMatchObject({
        codec: 'h264',
        codecString: expect.stringMatching(/^avc1\.64/),
        width: 320,
        height: 180,
        rotation: 0,
        reorderDepth: 0,
      })
      expect(sizesOf(samples)).toEqual(['320x180'])
      expectAlike(decode(samples, 320, 180), pictures, 30)
      expect(stats).toEqual({
        picturesIn: 90,
        picturesOut: 90,
        keyframesOut: 2,
        decodeErrors: 0,
        damagedPictures: 0,
        droppedPictures: 0,
        encoders: 1,
        lateSamples: 0,
      })
    })

    test('damage is counted and thrown nowhere, and what comes after it is well again', async () => {
      const { samples: input } = sourceOf(codec)
      let seed = 5
      const random = (): number => {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
        return seed >>> 8
      }
      const broken = input.map((sample, index) => {
        if (index % 7 !== 3) return sample
        const units = (sample.data as Uint8Array[]).map((unit) => {
          if (index % 2 === 0) return unit.subarray(0, random() % unit.length)
          const copy = Uint8Array.from(unit)
          for (let count = 0; count < 20; count++) copy[random() % copy.length] = random()
          return copy
        })
        return { ...sample, data: index % 3 === 0 ? [] : units }
      })
      const again = input.map((sample) => ({ ...sample, pts: sample.pts + 900_000, dts: sample.dts + 900_000 }))
      const { samples, stats } = await transcode(codec, [...broken, ...again])
      expect(stats.decodeErrors).toBeGreaterThan(2)
      expect(samples.filter(({ pts }) => pts >= 900_000).map(({ pts }) => pts)).toEqual(sorted(again))
      for (const [index, { pts }] of samples.entries()) expect(pts).toBeGreaterThan(samples[index - 1]?.pts ?? -1)
    })
  })

  test('without its keyframe nothing comes out, with the next one all', async () => {
    const { samples: input } = sourceOf('h264')
    const { samples, stats } = await transcode('h264', input.slice(1))
    const from = input.findIndex(({ keyframe }, index) => index > 0 && keyframe)
    expect(samples.map(({ pts }) => pts)).toEqual(sorted(input.slice(from)))
    expect(stats.decodeErrors).toBe(from - 1)
  })

  test('Chromium: sizes change on the way, full range becomes limited', async () => {
    const input = h264SamplesOf('ramp')
    const { samples, stats } = await transcode('h264', input, { crf: 18 })
    expect(samples.map(({ pts }) => pts)).toEqual(input.map(({ pts }) => pts))
    expect(sizesOf(samples)).toEqual(['640x360', '960x540', '1280x720'])
    expect(stats).toMatchObject({ encoders: 3, decodeErrors: 0, damagedPictures: 0, droppedPictures: 0 })
    expect(samples.filter(({ configuration }) => configuration !== undefined).every(({ keyframe }) => keyframe)).toBe(
      true,
    )
    let last = Number.NEGATIVE_INFINITY
    for (const { keyframe, pts } of samples) {
      if (keyframe) last = pts
      expect(pts - last).toBeLessThan(180_000)
    }
    const count = samples.findIndex(({ configuration }, index) => index > 0 && configuration !== undefined)
    const stream = Buffer.concat(input.slice(0, count).map(({ data }) => joinAnnexB(data as Uint8Array[])))
    const toLimited = ['-vf', 'scale=in_range=pc:out_range=tv,format=yuv420p']
    const want = run(['-f', 'h264', '-i', '-', '-vsync', 'passthrough', ...toLimited, '-f', 'rawvideo', '-'], stream)
    expectAlike(decode(samples.slice(0, count), 640, 360), picturesOf(want, 640, 360), 35)
    const all = Buffer.concat(samples.map(({ data }) => joinAnnexB(data as Uint8Array[])))
    const list = run(['-f', 'h264', '-i', '-', '-c', 'copy', '-f', 'framecrc', '-'], all).toString()
    expect(list.split('\n').filter((line) => line.startsWith('0,'))).toHaveLength(samples.length)
  })

  test('full range is limited also where the format does not say it', async () => {
    const full = encodeVideo({ codec: 'vp9', seconds: 1, args: ['-color_range', 'pc'], pixelFormat: 'yuvj420p' })
    const { samples } = await transcode('vp9', full.samples)
    expectAlike(decode(samples, 320, 180), full.pictures, 30)
  })

  test.each(['yuv444p', 'yuv420p10le'])('%s becomes 8-bit 4:2:0', async (pixelFormat) => {
    const source = encodeVideo({ codec: 'h265', seconds: 1, pixelFormat })
    const { samples } = await transcode('h265', source.samples)
    expectAlike(decode(samples, 320, 180), source.pictures, 30)
  })

  test.each([
    [{ maxWidth: 160 }, 160, 90],
    [{ maxHeight: 100 }, 176, 100],
    [{ maxWidth: 1000, maxHeight: 500 }, 320, 180],
  ])('%o makes it smaller in proportion, never larger', async (options, width, height) => {
    const { samples: input, pictures } = sourceOf('vp8')
    const { samples } = await transcode('vp8', input.slice(0, 30), { ...options, crf: 15 })
    expect(sizesOf(samples)).toEqual([`${width}x${height}`])
    const raw = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', '320x180', '-r', '30', '-i', '-']
    const scale = ['-vf', `scale=${width}:${height}:flags=bicubic`, '-f', 'rawvideo', '-']
    const want = picturesOf(run([...raw, ...scale], Buffer.concat(pictures.slice(0, 30))), width, height)
    expectAlike(decode(samples, width, height), want, 30)
  })

  test('one size for all: put into it with black around, the configuration stays', async () => {
    const wide = sourceOf('vp8')
    const tall = encodeVideo({ codec: 'vp8', width: 90, height: 160, seconds: 1 })
    const later = tall.samples.map((sample) => ({ ...sample, pts: sample.pts + 270_000, dts: sample.dts + 270_000 }))
    const input = [...wide.samples, ...later]
    const { samples, stats } = await transcode('vp8', input, { size: { width: 320, height: 240 }, crf: 15 })
    expect(sizesOf(samples)).toEqual(['320x240'])
    expect(stats.encoders).toBe(1)
    const got = decode(samples, 320, 240)
    expect(got).toHaveLength(120)
    const luma = (picture: Buffer, x: number, y: number): number => picture[y * 320 + x]!
    for (const y of [0, 15, 27, 212, 230, 239]) expect(Math.abs(luma(got[45]!, 160, y) - 16)).toBeLessThan(6)
    const middle = got.slice(0, 90).map((picture) => picture.subarray(30 * 320, 210 * 320))
    expectAlike(
      middle,
      wide.pictures.map((picture) => picture.subarray(0, 180 * 320)),
      30,
    )
    // 90x160 becomes 134x240, at x 92 (even).
    for (const x of [0, 80, 88, 230, 319]) expect(Math.abs(luma(got[110]!, x, 120) - 16)).toBeLessThan(6)
    expect(luma(got[110]!, 160, 120)).not.toBe(16)
  })

  test('a picture with odd sides loses a pixel', async () => {
    const { samples: input } = encodeVideo({ codec: 'vp8', width: 161, height: 91, seconds: 1 })
    const { samples } = await transcode('vp8', input)
    expect(sizesOf(samples)).toEqual(['160x90'])
    expect(decode(samples, 160, 90)).toHaveLength(30)
  })

  test('times as irregular as they come stay as they are, negative ones too', async () => {
    const { samples: input } = sourceOf('vp8')
    let pts = -90_000
    const irregular = input.map((sample, index) => {
      pts += 90 + ((index * 7919) % 8000)
      return { ...sample, pts, dts: pts }
    })
    for (const bitRate of [undefined, 500_000]) {
      const { samples } = await transcode('vp8', irregular, bitRate === undefined ? {} : { bitRate })
      expect(samples.map(({ pts: at }) => at)).toEqual(irregular.map(({ pts: at }) => at))
    }
  })

  test('the bit rate is kept, whatever the picture rate', async () => {
    const { samples: input } = encodeVideo({ codec: 'h264', width: 640, height: 360, seconds: 8 })
    for (const step of [1, 3]) {
      const slow = input.map((sample) => ({ ...sample, pts: sample.pts * step, dts: sample.dts * step }))
      const { samples } = await transcode('h264', slow, { bitRate: 400_000 })
      const bytes = samples.flatMap(({ data }) => data as Uint8Array[]).reduce((sum, { length }) => sum + length, 0)
      const bitRate = (bytes * 8) / (8 * step)
      expect(bitRate).toBeGreaterThan(280_000)
      expect(bitRate).toBeLessThan(500_000)
    }
  })

  test('a keyframe when it is asked for, at a new rotation, and in time', async () => {
    const { samples: input } = sourceOf('vp8')
    const rotated: VideoConfiguration = {
      kind: 'video',
      codec: 'vp8',
      codecString: 'vp8',
      width: 320,
      height: 180,
      rotation: 90,
      reorderDepth: 0,
    }
    const turned = input.map((sample, index) => (index === 50 ? { ...sample, configuration: rotated } : sample))
    const { samples } = await transcode('vp8', turned, { keyframeInterval: 1 }, (transcoder, index) => {
      if (index === 17) transcoder.requestKeyframe()
    })
    const keyframes = samples.flatMap(({ keyframe }, index) => (keyframe ? [index] : []))
    expect(keyframes).toEqual([0, 17, 47, 50, 80])
    expect(samples.flatMap(({ configuration }, index) => (configuration === undefined ? [] : [index]))).toEqual([0, 50])
    expect(samples[50]!.configuration).toMatchObject({ rotation: 90, width: 320, height: 180 })
    decode(samples, 320, 180)
  })

  test('what a sample tells is passed on, also by one that is lost itself', async () => {
    const { samples: input } = sourceOf('vp8')
    const told = input.map((sample, index) => {
      if (index === 10) return { ...sample, discontinuity: true, lostPackets: 3, arrivalUs: 77 }
      if (index === 20) return { ...sample, discontinuity: true, lostPackets: 2, data: [] }
      return index === 21 ? { ...sample, lostPackets: 4 } : sample
    })
    const { samples } = await transcode('vp8', told)
    expect(
      samples.filter(({ discontinuity, lostPackets }) => discontinuity === true || lostPackets !== undefined),
    ).toEqual([
      expect.objectContaining({ pts: input[10]!.pts, discontinuity: true, lostPackets: 3, arrivalUs: 77 }),
      expect.objectContaining({ pts: input[21]!.pts, discontinuity: true, lostPackets: 6 }),
    ])
  })

  test('watermarks wait for pictures that are held back, but not for ever', async () => {
    const { samples: input } = sourceOf('h264')
    const items: TimedItem[] = []
    for (const sample of input) {
      items.push(sample, { type: 'watermark', trackId: 'camera', dts: sample.dts + 1 })
    }
    items.push({ type: 'watermark', trackId: 'camera', dts: 900_000 }, { type: 'track-end', trackId: 'camera' })
    const { items: out, samples, stats } = await transcode('h264', items)
    let promised = Number.NEGATIVE_INFINITY
    for (const item of out) {
      if (item.type === 'track-end') continue
      expect(item.dts).toBeGreaterThanOrEqual(promised)
      promised = item.type === 'watermark' ? item.dts : item.dts + 1
    }
    const marks = out.filter(({ type }) => type === 'watermark')
    expect(marks.length).toBeGreaterThan(20)
    expect(marks.at(-1)).toMatchObject({ dts: 900_000 })
    expect(out.at(-1)).toEqual({ type: 'track-end', trackId: 'camera' })
    // Those that the decoder still held came too late for the last promise.
    expect(stats.droppedPictures).toBeGreaterThan(0)
    expect(samples.length + stats.droppedPictures).toBe(90)
  })

  test('at the end of the track everything is out, and what comes later is counted', async () => {
    const { samples: input } = sourceOf('h264')
    const { items, stats } = await transcode('h264', [...input, { type: 'track-end', trackId: 'camera' }, input[0]!])
    expect(items).toHaveLength(91)
    expect(items.at(-1)).toEqual({ type: 'track-end', trackId: 'camera' })
    expect(stats).toMatchObject({ lateSamples: 1, picturesOut: 90 })
  })

  test('of the spatial layers in a VP9 superframe the last is shown', async () => {
    const small = encodeVideo({ codec: 'vp9', width: 160, height: 90, seconds: 1, args: ['-g', '1'] })
    const large = encodeVideo({ codec: 'vp9', seconds: 1, args: ['-g', '1'] })
    const input = large.samples.map((sample, index) => {
      const layers = [(small.samples[index]!.data as Uint8Array[])[0]!, (sample.data as Uint8Array[])[0]!]
      return { ...sample, data: [superframe(layers)] }
    })
    const { samples, stats } = await transcode('vp9', input)
    expect(samples.map(({ pts }) => pts)).toEqual(input.map(({ pts }) => pts))
    expect(stats).toMatchObject({ encoders: 1, droppedPictures: 0 })
    expectAlike(decode(samples, 320, 180), large.pictures, 30)
  })

  test('native memory does not grow, not even without a turn of the event loop', async () => {
    const { samples: input } = encodeVideo({ codec: 'vp8', width: 640, height: 360, seconds: 2 })
    const transcoder = await createVideoTranscoder({ track: trackOf('vp8'), maxWidth: 480, preset: 'ultrafast' })
    const round = (count: number): void => {
      for (const sample of input) {
        const pts = sample.pts + count * 180_000
        transcoder.push({ ...sample, pts, dts: pts }, () => {})
      }
    }
    for (let count = 0; count < 2; count++) round(count)
    const { rss } = process.memoryUsage()
    for (let count = 2; count < 10; count++) round(count)
    // 480 pictures: 166 MB, were they kept.
    expect(process.memoryUsage().rss - rss).toBeLessThan(60_000_000)
    transcoder.close()
  })

  test('works as a stream', async () => {
    const { samples: input } = sourceOf('vp8')
    const out: TimedItem[] = []
    const transcoder = await createVideoTranscoder({ track: trackOf('vp8') })
    await pipeline(Readable.from(input), toStream(transcoder), async (items: AsyncIterable<TimedItem>) => {
      for await (const item of items) out.push(item)
    })
    expect(out).toEqual((await transcode('vp8', input)).items)
  })

  test('emitted pictures are the receiver’s, and pieces are read', async () => {
    const { samples: input } = sourceOf('vp8')
    const inPieces = input.slice(0, 40).map((sample): EncodedSample => {
      const [frame] = sample.data as Uint8Array[]
      return { ...sample, data: [], pieces: [[frame!.subarray(0, 9), frame!.subarray(9)]] }
    })
    const { samples } = await transcode('vp8', inPieces)
    const { samples: want } = await transcode('vp8', input.slice(0, 40))
    expect(samples).toEqual(want)
    const buffers = samples.map(({ data }) => (data as Uint8Array[])[0]!.buffer)
    expect(new Set(buffers).size).toBe(samples.length)
  })
})

describe('contract', () => {
  test('the track', async () => {
    const transcoder = await createVideoTranscoder({ track: trackOf('vp9') })
    expect(transcoder.track).toEqual({
      id: 'camera',
      kind: 'video',
      codec: 'h264',
      clockRate: 90_000,
      participantId: 'alice',
    })
    transcoder.close()
    transcoder.close()
    expect(() => transcoder.push({ type: 'track-end', trackId: 'camera' }, () => {})).toThrow(
      expect.objectContaining({ code: 'CODECS_CLOSED' }),
    )
  })

  test('an empty track ends without a picture', async () => {
    const { items } = await transcode('av1', [
      { type: 'watermark', trackId: 'camera', dts: 5 },
      { type: 'track-end', trackId: 'camera' },
    ])
    expect(items).toEqual([
      { type: 'watermark', trackId: 'camera', dts: 5 },
      { type: 'track-end', trackId: 'camera' },
    ])
  })

  test.each([
    [{ track: { ...trackOf('vp8'), codec: 'opus' as 'vp8' } }, 'track.codec'],
    [{ bitRate: 5 }, 'bitRate'],
    [{ bitRate: 100_000, crf: 20 }, 'crf'],
    [{ crf: 52 }, 'crf'],
    [{ preset: 'placebo' as 'fast' }, 'preset'],
    [{ keyframeInterval: 0 }, 'keyframeInterval'],
    [{ frameRate: Number.NaN }, 'frameRate'],
    [{ maxWidth: 8 }, 'maxWidth'],
    [{ maxHeight: 100.5 }, 'maxHeight'],
    [{ size: { width: 321, height: 240 } }, 'size.width'],
    [{ size: { width: 320, height: 0 } }, 'size.height'],
    [{ size: { width: 320, height: 240 }, maxWidth: 320 }, 'size'],
  ])('refuses %o', async (wrong, field) => {
    const failed = createVideoTranscoder({ track: trackOf('vp8'), ...wrong })
    await expect(failed).rejects.toBeInstanceOf(ConfigurationError)
    await expect(failed).rejects.toMatchObject({ field })
  })
})

/** VP9 Annex B: the frames, then their sizes between two marker bytes. */
function superframe(frames: readonly Uint8Array[]): Uint8Array {
  const marker = 0b110_11_000 | (frames.length - 1)
  const index = Buffer.alloc(2 + 4 * frames.length, marker)
  for (const [number, { length }] of frames.entries()) index.writeUInt32LE(length, 1 + 4 * number)
  return Buffer.concat([...frames, index])
}
