import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { EncodedSample, TimedItem, Track } from '@rushes/media'
import { ConfigurationError, ticksToUs } from '@rushes/media'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createMp4Writer, type Mp4Summary, type Mp4WriterOptions } from '../src/index.js'
import {
  aac,
  aacFrames,
  camera,
  decode,
  frameSizes,
  hasFfmpeg,
  interleaved,
  opus,
  opusPackets,
  opusSample,
  pictures,
  probe,
  probePackets,
  shifted,
  temporaryFolder,
  topBoxes,
} from './media.js'

const SECOND_90K = 90_000

let folder: { path: string; remove: () => void }
let path: string
beforeEach(() => {
  folder = temporaryFolder()
  path = join(folder.path, 'call.mp4')
})
afterEach(() => folder.remove())

async function writeAll(
  items: readonly TimedItem[],
  tracks: readonly Track[],
  options: Partial<Mp4WriterOptions> = {},
): Promise<Mp4Summary> {
  const writer = await createMp4Writer({ path, tracks, originUs: 0, ...options })
  for (const item of items) await writer.write(item)
  return writer.finish()
}

function expectTimes(stream: number, samples: readonly EncodedSample[], originTicks: number): void {
  const want = samples.map(({ pts, dts, keyframe }) => ({ pts: pts - originTicks, dts: dts - originTicks, keyframe }))
  expect(probePackets(path, stream).map(({ pts, dts, keyframe }) => ({ pts, dts, keyframe }))).toEqual(want)
}

describe.skipIf(!hasFfmpeg && !process.env['CI'])('a finished file, as ffmpeg reads it', () => {
  const originUs = 5_000_000
  const modes = [{ fastStart: 'end' }, { fastStart: false }] as const

  test.each(modes)('has every sample at its own tick, B-frames and late tracks included ($fastStart)', async (mode) => {
    const video = shifted(pictures({ bFrames: 2, frames: 150 }), 5 * SECOND_90K)
    expect(video.some(({ pts, dts }) => pts - dts > 3000)).toBe(true)
    // Odd starts, so that nothing is exact by chance.
    const late = shifted(aacFrames(3), 5 * 44_100 + 30_001)
    const voice = shifted(opusPackets('solo').slice(0, 200), 5 * 48_000 + 12_347)
    const items = interleaved(video, late, voice)
    const summary = await writeAll(items, [camera, aac, opus], { originUs, ...mode })
    expectTimes(0, video, 5 * SECOND_90K)
    expectTimes(1, late, 5 * 44_100)
    expectTimes(2, voice, 5 * 48_000)
    expect(decode(path)).toEqual({ errors: '', frames: 150 })
    expect(topBoxes(path)).toEqual(mode.fastStart === 'end' ? ['ftyp', 'moov', 'mdat'] : ['ftyp', 'mdat', 'moov'])
    expect(summary).toMatchObject({ path, bytes: readFileSync(path).length })
    expect(summary.tracks).toEqual([
      expect.objectContaining({ id: 'camera', samples: 150, firstPtsUs: originUs, width: 320, height: 180 }),
      expect.objectContaining({
        id: 'aac',
        firstPtsUs: ticksToUs(late[0]!.pts, 44_100),
        sampleRate: 44_100,
        channels: 1,
      }),
      expect.objectContaining({ id: 'opus', codecString: 'opus', samples: 200 }),
    ])
    const end = Math.max(5_000_000 + originUs, ...summary.tracks.map(({ endUs }) => endUs))
    expect(summary.durationUs).toBe(end - originUs)
    expect(readdirSync(folder.path)).toEqual(['call.mp4'])
  })

  test('keeps what comes before media time zero for the decoder and shows it to nobody', async () => {
    const video = pictures({ frames: 60 })
    await writeAll(video, [camera], { originUs: 500_000 })
    const packets = probePackets(path, 0)
    expect(packets.map(({ pts }) => pts)).toEqual(video.map(({ pts }) => pts - 45_000))
    expect(decode(path)).toEqual({ errors: '', frames: 45 })
  })

  test('plays on when the picture size changes', async () => {
    const small = pictures({ frames: 60 })
    const large = shifted(pictures({ size: '640x360', frames: 60 }), 2 * SECOND_90K)
    const summary = await writeAll([...small, ...large], [camera])
    expect(decode(path)).toEqual({ errors: '', frames: 120 })
    expect(frameSizes(path)).toEqual([
      { size: '320x180', frames: 60 },
      { size: '640x360', frames: 60 },
    ])
    const { streams } = probe(path)
    expect(streams[0]).toMatchObject({ codec_tag_string: 'avc1', width: 320, height: 180, nb_frames: '120' })
    expect(summary.tracks[0]).toMatchObject({ width: 320, height: 180 })
  })

  test('copies Opus from the middle of a call without a pre-skip', async () => {
    const voice = opusPackets('mutes')
    await writeAll(voice, [opus])
    expectTimes(0, voice, 0)
    const { streams } = probe(path)
    expect(streams[0]).toMatchObject({ codec_name: 'opus', start_pts: 0, channels: 1 })
    const bytes = readFileSync(path)
    // dOps: version, channels, pre-skip, input rate.
    const description = bytes.subarray(bytes.indexOf('dOps') + 4)
    expect([...description.subarray(0, 8)]).toEqual([0, 1, 0, 0, 0, 0, 0xbb, 0x80])
    expect(decode(path).errors).toBe('')
  })

  test('tells rotation and tags', async () => {
    const [first, ...rest] = pictures({ frames: 10 })
    const configuration = { ...first!.configuration!, rotation: 90 } as EncodedSample['configuration']
    const startedAt = new Date('2026-03-01T10:00:00Z')
    await writeAll([{ ...first!, configuration: configuration! }, ...rest], [camera], {
      metadata: { title: 'Standup', startedAt },
    })
    const { streams, format } = probe(path)
    expect(JSON.stringify(streams[0])).toContain('"rotation":-90')
    expect(format['tags']).toMatchObject({ title: 'Standup', creation_time: '2026-03-01T10:00:00.000000Z' })
  })

  test('is the same to the byte for the same samples', async () => {
    const video = pictures({ frames: 40 })
    await writeAll(video, [camera])
    const once = readFileSync(path)
    await writeAll(video, [camera])
    expect(readFileSync(path).equals(once)).toBe(true)
  })
})

describe.skipIf(!hasFfmpeg && !process.env['CI'])('an unfinished file', () => {
  const part = (): string => join(folder.path, '.call.mp4.part')

  /** What a kill would leave: every write goes straight to the file. */
  async function writeAndLeave(items: readonly TimedItem[], tracks: readonly Track[]): Promise<string> {
    const writer = await createMp4Writer({ path, tracks, originUs: 0 })
    for (const item of items) await writer.write(item)
    await new Promise((resolve) => setTimeout(resolve, 200))
    const copy = join(folder.path, 'left.mp4')
    copyFileSync(part(), copy)
    expect(existsSync(path)).toBe(false)
    await writer.abort()
    expect(readdirSync(folder.path)).toEqual(['left.mp4'])
    return copy
  }

  test('can be played up to its last fragment, with one keyframe in all', async () => {
    const video = pictures({ frames: 300, gop: 1000, bFrames: 2 })
    const sound = aacFrames(10)
    const left = await writeAndLeave(interleaved(video, sound), [camera, aac])
    const { errors, frames } = decode(left)
    expect(errors).toBe('')
    // A second at most is missing of the ten.
    expect(frames).toBeGreaterThanOrEqual(269)
    // Decoding times in a fragment are unsigned (tfdt): those below zero are shifted, and an edit shifts them back.
    expect(video[0]!.dts).toBeLessThan(0)
    const bytes = readFileSync(left)
    expect(bytes.readBigInt64BE(bytes.indexOf('tfdt') + 8)).toBe(0n)
    expect(bytes.readInt32BE(bytes.indexOf('elst') + 16)).toBe(-video[0]!.dts)
    const packets = probePackets(left, 0)
    expect(packets.map(({ pts }) => pts)).toEqual(video.slice(0, packets.length).map(({ pts }) => pts))
    expect(probePackets(left, 1).map(({ pts }) => pts)).toEqual(
      sound.slice(0, probePackets(left, 1).length).map(({ pts }) => pts),
    )
  })

  test('takes up a track that begins late', async () => {
    const video = pictures({ frames: 150 })
    const voice = shifted(opusPackets('solo').slice(0, 100), 3 * 48_000)
    const left = await writeAndLeave(interleaved(video, voice), [camera, opus, aac])
    expect(probe(left).streams.map(({ codec_name }) => codec_name)).toEqual(['h264', 'opus'])
    expect(probePackets(left, 1)[0]).toMatchObject({ pts: 3 * 48_000 })
    expect(decode(left).errors).toBe('')
  })

  test('is not held up by a track that is silent or was never fed', async () => {
    const video = pictures({ frames: 300 })
    const voice = opusPackets('solo').slice(0, 20)
    const left = await writeAndLeave(interleaved(video, voice), [camera, opus, aac])
    expect(decode(left).frames).toBeGreaterThanOrEqual(269)
    expect(probePackets(left, 1)).toHaveLength(20)
  })
})

describe('writing', () => {
  test('a watermark brings what was said before a silence to the disk', async () => {
    const writer = await createMp4Writer({ path, tracks: [opus], originUs: 0 })
    await writer.write(opusSample(0, Uint8Array.of(0xf8, 1, 2), true))
    expect(writer.stats.fragments).toBe(0)
    await writer.write({ type: 'watermark', trackId: 'opus', dts: 48_000 })
    expect(writer.stats.fragments).toBe(1)
    await writer.abort()
  })

  test('a watermark far ahead does not put the fragments off', async () => {
    const writer = await createMp4Writer({ path, tracks: [opus, aac], originUs: 0 })
    await writer.write({ type: 'watermark', trackId: 'aac', dts: 3600 * 44_100 })
    for (let index = 0; index < 200; index++)
      await writer.write(opusSample(index * 960, new Uint8Array(9), index === 0))
    expect(writer.stats.fragments).toBe(3)
    await writer.abort()
  })

  test('is without a promise as long as the disk keeps up', async () => {
    const writer = await createMp4Writer({ path, tracks: [opus], originUs: 0 })
    for (let index = 0; index < 40; index++) {
      expect(writer.write(opusSample(index * 960, new Uint8Array(50), index === 0))).toBeUndefined()
    }
    await writer.abort()
  })

  test('waits for the disk when fragments come faster than it takes them', async () => {
    const writer = await createMp4Writer({ path, tracks: [opus], originUs: 0 })
    const results = Array.from({ length: 500 }, (_, index) =>
      writer.write(opusSample(index * 960, new Uint8Array(50), index === 0)),
    )
    expect(results.some((result) => result instanceof Promise)).toBe(true)
    for (const result of results) await result
    const summary = await writer.finish()
    expect(summary.tracks[0]).toMatchObject({ samples: 500, endUs: 10_000_000 })
  })

  test('a fragment ends early when it grows large', async () => {
    const writer = await createMp4Writer({ path, tracks: [opus], originUs: 0, fragmentDuration: 60 })
    for (let index = 0; index < 12; index++)
      await writer.write(opusSample(index * 960, new Uint8Array(1 << 20), index === 0))
    expect(writer.stats.fragments).toBe(1)
    await writer.abort()
  })

  test('counts what it cannot place and goes on', async () => {
    const writer = await createMp4Writer({ path, tracks: [opus], originUs: 0 })
    await writer.write(opusSample(0, Uint8Array.of(1)))
    await writer.write(opusSample(960, Uint8Array.of(1), true))
    await writer.write(opusSample(960, Uint8Array.of(2)))
    await writer.write(opusSample(1920, Uint8Array.of(3)))
    await writer.write({ type: 'track-end', trackId: 'opus' })
    expect(writer.stats).toMatchObject({ samples: 2, unconfiguredSamples: 1, outOfOrderSamples: 1 })
    expect((await writer.finish()).tracks[0]).toMatchObject({ samples: 2 })
  })

  test('an abort leaves nothing and touches no older file', async () => {
    writeFileSync(path, 'older')
    const writer = await createMp4Writer({ path, tracks: [opus], originUs: 0 })
    for (let index = 0; index < 200; index++)
      await writer.write(opusSample(index * 960, new Uint8Array(50), index === 0))
    await writer.abort()
    await writer.abort()
    expect(readdirSync(folder.path)).toEqual(['call.mp4'])
    expect(readFileSync(path, 'utf8')).toBe('older')
    expect(() => writer.write(opusSample(0, Uint8Array.of(1)))).toThrow(expect.objectContaining({ code: 'MP4_CLOSED' }))
  })

  test('without a sample there is no file', async () => {
    const writer = await createMp4Writer({ path, tracks: [opus], originUs: 0 })
    await expect(writer.finish()).rejects.toMatchObject({ code: 'MP4_NO_MEDIA' })
    expect(readdirSync(folder.path)).toEqual([])
  })

  test('a name of 255 bytes has room for a temporary one', async () => {
    path = join(folder.path, `${'ü'.repeat(125)}a.mp4`)
    const summary = await writeAll([opusSample(0, Uint8Array.of(1), true)], [opus])
    expect(summary.tracks).toHaveLength(1)
    expect(readdirSync(folder.path)).toHaveLength(1)
  })

  test.each([
    [{ originUs: 0.5 }, 'originUs'],
    [{ fragmentDuration: 0 }, 'fragmentDuration'],
    [{ path: '' }, 'path'],
    [{ tracks: [opus, opus] }, 'tracks'],
  ])('refuses %o', async (wrong, field) => {
    const failed = createMp4Writer({ path, tracks: [opus], originUs: 0, ...wrong })
    await expect(failed).rejects.toBeInstanceOf(ConfigurationError)
    await expect(failed).rejects.toMatchObject({ field })
  })

  test('refuses what MP4 cannot hold, and strangers', async () => {
    const pcmu: Track = { id: 'phone', kind: 'audio', codec: 'pcmu', clockRate: 8000 }
    await expect(createMp4Writer({ path, tracks: [pcmu], originUs: 0 })).rejects.toMatchObject({
      code: 'MP4_UNSUPPORTED_CODEC',
    })
    const writer = await createMp4Writer({ path, tracks: [opus], originUs: 0 })
    const stranger = { ...opusSample(0, Uint8Array.of(1)), trackId: 'stranger' }
    expect(() => writer.write(stranger)).toThrow(expect.objectContaining({ code: 'MP4_UNKNOWN_TRACK' }))
    await writer.abort()
  })
})

describe('a disk that fails', () => {
  /** From the n-th write on, every write of this process fails as a full disk does. */
  async function failWrites(from: number): Promise<() => void> {
    const probeFile = await open(join(folder.path, 'probe'), 'w')
    const prototype = Object.getPrototypeOf(probeFile) as FileHandle
    await probeFile.close()
    const { write, writev } = prototype
    let writes = 0
    const orFail = <Args extends unknown[], Result>(call: (this: FileHandle, ...args: Args) => Promise<Result>) =>
      function (this: FileHandle, ...args: Args): Promise<Result> {
        if (++writes < from) return call.apply(this, args)
        return Promise.reject(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }))
      }
    prototype.write = orFail(write) as FileHandle['write']
    prototype.writev = orFail(writev)
    return () => Object.assign(prototype, { write, writev })
  }

  test.each([2, 4])('is told once by a later write, and nothing is left (write %i)', async (from) => {
    const restore = await failWrites(from)
    try {
      const writer = await createMp4Writer({ path, tracks: [opus], originUs: 0 })
      const write = async (): Promise<void> => {
        for (let index = 0; index < 1000; index++)
          await writer.write(opusSample(index * 960, new Uint8Array(50), index === 0))
      }
      await expect(write()).rejects.toMatchObject({ code: 'MP4_NO_SPACE' })
      await writer.abort()
      expect(readdirSync(folder.path)).toEqual(['probe'])
    } finally {
      restore()
    }
  })

  test('that failed in an earlier write fails the finish, and nothing is left', async () => {
    const restore = await failWrites(2)
    try {
      const writer = await createMp4Writer({ path, tracks: [opus], originUs: 0 })
      for (let index = 0; index < 60; index++)
        void writer.write(opusSample(index * 960, new Uint8Array(50), index === 0))
      await new Promise((resolve) => setTimeout(resolve, 100))
      await expect(writer.finish()).rejects.toMatchObject({ code: 'MP4_NO_SPACE' })
      expect(readdirSync(folder.path)).toEqual(['probe'])
    } finally {
      restore()
    }
  })

  test('fails the finish, and nothing is left', async () => {
    const writer = await createMp4Writer({ path, tracks: [opus], originUs: 0 })
    await writer.write(opusSample(0, new Uint8Array(50), true))
    const restore = await failWrites(3)
    try {
      await expect(writer.finish()).rejects.toMatchObject({ code: 'MP4_NO_SPACE' })
      expect(readdirSync(folder.path)).toEqual(['probe'])
    } finally {
      restore()
    }
  })

  test('a folder that is none is told at once', async () => {
    writeFileSync(join(folder.path, 'file'), '')
    await expect(
      createMp4Writer({ path: join(folder.path, 'file', 'call.mp4'), tracks: [opus], originUs: 0 }),
    ).rejects.toMatchObject({ code: 'MP4_WRITE_FAILED' })
  })
})

test.skipIf(!hasFfmpeg && !process.env['CI'])(
  'the length of a track is where its last picture ends, whatever holes came before',
  async () => {
    // 30 pictures a second, then 69 ms of nothing, then a few more at 30 a second.
    const steps = [...Array.from({ length: 20 }, () => 3000), 9210, 3000, 2000]
    let at = 0
    const [first, second] = pictures({ bFrames: 0, frames: 2 }) as [EncodedSample, EncodedSample]
    const video = [
      { ...first, pts: 0, dts: 0 },
      ...steps.map((step) => {
        at += step
        return { ...second, pts: at, dts: at }
      }),
    ]
    const summary = await writeAll(video, [camera])
    expect(summary.tracks[0]?.endUs).toBe(ticksToUs(at + 2000, SECOND_90K))
    // A step of seconds says nothing about the last picture: it is taken to last as long as the one before the hole.
    const held = await writeAll([...video, { ...second, pts: at + 900_000, dts: at + 900_000 }], [camera])
    expect(held.tracks[0]?.endUs).toBe(ticksToUs(at + 902_000, SECOND_90K))
  },
)
