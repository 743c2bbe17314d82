import { copyFileSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EncodedSample, TimedItem, Track } from '@rushes/media'
import { ConfigurationError } from '@rushes/media'
import { BufferSource, EncodedPacketSink, Input, WEBM } from 'mediabunny'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createWebmWriter, type WebmSummary, type WebmWriterOptions } from '../src/index.js'
import { merged, tone, videoTrack, voice, webPictures } from './encoded.js'
import { decode, frameSizes, hasFfmpeg, opusSample, probe, shifted, temporaryFolder } from './media.js'

let folder: { path: string; remove: () => void }
let path: string
beforeEach(() => {
  folder = temporaryFolder()
  path = join(folder.path, 'call.webm')
})
afterEach(() => folder.remove())

async function writeAll(
  items: readonly TimedItem[],
  tracks: readonly Track[],
  options: Partial<WebmWriterOptions> = {},
): Promise<WebmSummary> {
  const writer = await createWebmWriter({ path, tracks, originUs: 0, ...options })
  for (const item of items) await writer.write(item)
  return writer.finish()
}

/** Opus packets of silence that `opus` tracks of these tests take. */
const quiet = (pts: number, isFirst = false): EncodedSample => ({
  ...opusSample(pts, Uint8Array.of(0xf8, 0xff, 0xfe), isFirst),
  trackId: voice.id,
})

async function readBack(
  file: string,
): Promise<{ codec: string; packets: { seconds: number; data: string; key: boolean }[] }[]> {
  const input = new Input({ formats: [WEBM], source: new BufferSource(readFileSync(file)) })
  const tracks = []
  for (const track of await input.getTracks()) {
    const packets = []
    for await (const packet of new EncodedPacketSink(track).packets()) {
      packets.push({
        seconds: packet.timestamp,
        data: Buffer.from(packet.data).toString('base64'),
        key: packet.type === 'key',
      })
    }
    tracks.push({ codec: (await track.getCodec()) ?? '', packets })
  }
  input.dispose()
  return tracks
}

function dataOf({ data }: EncodedSample): string {
  return Buffer.concat(data instanceof Uint8Array ? [data] : data).toString('base64')
}

describe.skipIf(!hasFfmpeg && !process.env['CI'])('a finished WebM file', () => {
  test.each(['vp8', 'vp9', 'av1'] as const)('of %s and Opus has every sample, to the millisecond', async (codec) => {
    const video = shifted(await webPictures(codec), 5 * 90_000)
    const sound = shifted(await tone(3), 5 * 48_000 + 12_347)
    const summary = await writeAll(merged(video, sound), [videoTrack(codec), voice], { originUs: 5_000_000 })
    const [camera, microphone] = await readBack(path)
    expect(camera).toEqual({
      codec,
      packets: video.map((sample) => ({
        seconds: Math.round(sample.pts / 90 - 5000) / 1000,
        data: dataOf(sample),
        key: sample.keyframe,
      })),
    })
    expect(microphone).toEqual({
      codec: 'opus',
      packets: sound.map((sample) => ({
        seconds: Math.round(sample.pts / 48 - 5000) / 1000,
        data: dataOf(sample),
        key: true,
      })),
    })
    expect(decode(path)).toEqual({ errors: '', frames: 90 })
    const { streams, format } = probe(path)
    expect(streams.map(({ codec_name }) => codec_name)).toEqual([codec, 'opus'])
    expect(Number(format['duration'])).toBeCloseTo(summary.durationUs / 1e6, 3)
    expect(summary).toMatchObject({ path, bytes: readFileSync(path).length })
    expect(summary.tracks[0]).toMatchObject({ id: 'camera', samples: 90, firstPtsUs: 5_000_000, endUs: 8_000_000 })
    expect(readdirSync(folder.path)).toEqual(['call.webm'])
  })

  test('is not held up by a track that is silent, absent or late', async () => {
    const video = await webPictures('vp8', { frames: 450 })
    const sound = [...(await tone(1)), ...(await tone(2, 12)).map(({ configuration, ...rest }) => rest)]
    const writer = await createWebmWriter({
      path,
      tracks: [videoTrack('vp8'), { ...voice, id: 'absent' }],
      originUs: 0,
    })
    let clusters = 0
    for (const sample of merged(video, sound)) {
      if (sample.trackId === voice.id && clusters === 0 && writer.stats.samples === 1) {
        writer.addTrack(voice)
        clusters++
      }
      await writer.write(sample)
    }
    expect(writer.stats.clusters).toBeGreaterThanOrEqual(14)
    await writer.finish()
    const [camera, microphone, ...others] = await readBack(path)
    expect(camera!.packets).toHaveLength(450)
    expect(microphone!.packets.map(({ seconds }) => seconds)).toEqual(
      sound.map(({ pts }) => Math.round(pts / 48) / 1000),
    )
    expect(others).toEqual([])
    expect(decode(path)).toEqual({ errors: '', frames: 450 })
  })

  test('plays on when the picture size changes', async () => {
    const small = await webPictures('vp8', { frames: 30 })
    const large = await webPictures('vp8', { frames: 30, size: '640x360', fromSeconds: 1 })
    await writeAll([...small, ...large], [videoTrack('vp8')])
    expect(frameSizes(path)).toEqual([
      { size: '320x180', frames: 30 },
      { size: '640x360', frames: 30 },
    ])
  })

  test('can be jumped into by its cues', async () => {
    const video = await webPictures('vp8', { frames: 300, gop: 60 })
    await writeAll(video, [videoTrack('vp8')])
    const input = new Input({ formats: [WEBM], source: new BufferSource(readFileSync(path)) })
    const sink = new EncodedPacketSink((await input.getPrimaryVideoTrack())!)
    expect((await sink.getKeyPacket(7))?.timestamp).toBe(6)
    expect((await sink.getKeyPacket(1.9))?.timestamp).toBe(0)
    input.dispose()
    const bytes = readFileSync(path)
    expect(bytes.subarray(-400).includes(Buffer.from([0x1c, 0x53, 0xbb, 0x6b]))).toBe(true)
  })

  test('shows what came before media time zero at zero, and leaves sound from there out', async () => {
    const video = await webPictures('vp8', { frames: 30 })
    const sound = await tone(1)
    const writer = await createWebmWriter({ path, tracks: [videoTrack('vp8'), voice], originUs: 100_000 })
    for (const sample of merged(video, sound)) await writer.write(sample)
    expect(writer.stats.beforeZeroSamples).toBe(3 + 5)
    await writer.finish()
    const [camera, microphone] = await readBack(path)
    expect(camera!.packets.slice(0, 5).map(({ seconds }) => seconds)).toEqual([0, 0, 0, 0, 0.033])
    expect(microphone!.packets[0]!.seconds).toBe(0)
  })

  test('tells its tags, and is the same to the byte for the same samples', async () => {
    const video = await webPictures('vp9', { frames: 30 })
    const metadata = { title: 'Standup', startedAt: new Date('2026-03-01T10:00:00Z') }
    await writeAll(video, [videoTrack('vp9')], { metadata })
    const once = readFileSync(path)
    await writeAll(video, [videoTrack('vp9')], { metadata })
    expect(readFileSync(path).equals(once)).toBe(true)
    expect(probe(path).format['tags']).toMatchObject({
      title: 'Standup',
      creation_time: '2026-03-01T10:00:00.000000Z',
    })
  })
})

describe.skipIf(!hasFfmpeg && !process.env['CI'])('an unfinished WebM file', () => {
  test('plays up to its last cluster, also where that is cut', async () => {
    const video = await webPictures('vp8', { frames: 300, gop: 1000 })
    const writer = await createWebmWriter({ path, tracks: [videoTrack('vp8'), voice], originUs: 0 })
    for (const sample of video) await writer.write(sample)
    await new Promise((resolve) => setTimeout(resolve, 200))
    const left = join(folder.path, 'left.webm')
    copyFileSync(join(folder.path, '.call.webm.part'), left)
    await writer.abort()
    expect(readdirSync(folder.path)).toEqual(['left.webm'])
    expect(decode(left).errors).toBe('')
    expect(decode(left).frames).toBeGreaterThanOrEqual(269)
    truncateSync(left, readFileSync(left).length - 1000)
    expect(decode(left).frames).toBeGreaterThanOrEqual(230)
  })
})

describe('writing WebM', () => {
  test('holds one cluster, however long it is silent or loud', async () => {
    const writer = await createWebmWriter({ path, tracks: [voice], originUs: 0 })
    await writer.write(quiet(0, true))
    await writer.write({ type: 'watermark', trackId: voice.id, dts: 48_000 })
    expect(writer.stats.clusters).toBe(1)
    const large = new Uint8Array(1 << 20)
    for (let index = 0; index < 6; index++) await writer.write({ ...quiet(50_000 + index), data: large })
    expect(writer.stats.clusters).toBe(2)
    await writer.abort()
  })

  test('a sample far behind the others stays within the reach of its cluster', async () => {
    const screen: Track = { ...voice, id: 'screen' }
    const writer = await createWebmWriter({ path, tracks: [voice, screen], originUs: 0, clusterDuration: 5 })
    await writer.write(quiet(0, true))
    await writer.write(quiet(100 * 48_000))
    await writer.write({ ...quiet(10 * 48_000, true), trackId: 'screen' })
    await writer.write(quiet(101 * 48_000))
    await writer.finish()
    const [first, second] = await readBack(path)
    expect(first!.packets.map(({ seconds }) => seconds)).toEqual([0, 100, 101])
    expect(second!.packets.map(({ seconds }) => seconds)).toEqual([10])
  })

  test('waits for the disk when clusters come faster than it takes them', async () => {
    const writer = await createWebmWriter({ path, tracks: [voice], originUs: 0 })
    const results = Array.from({ length: 500 }, (_, index) => writer.write(quiet(index * 960, index === 0)))
    expect(results.some((result) => result instanceof Promise)).toBe(true)
    for (const result of results) await result
    expect((await writer.finish()).tracks[0]).toMatchObject({ samples: 500, endUs: 10_000_000 })
  })

  test('counts what it cannot place and goes on', async () => {
    const writer = await createWebmWriter({ path, tracks: [voice], originUs: 0 })
    await writer.write(quiet(0))
    await writer.write(quiet(960, true))
    await writer.write(quiet(960))
    await writer.write({ type: 'track-end', trackId: voice.id })
    expect(writer.stats).toMatchObject({ samples: 1, unconfiguredSamples: 1, outOfOrderSamples: 1 })
    await writer.finish()
  })

  test('takes dozens of late tracks', async () => {
    const tracks = Array.from({ length: 40 }, (_, index): Track => ({ ...voice, id: `voice-${index}` }))
    const writer = await createWebmWriter({ path, tracks: tracks.slice(0, 1), originUs: 0 })
    for (const [index, track] of tracks.entries()) {
      if (index > 0) writer.addTrack(track)
      await writer.write({ ...quiet(index * 96_000, true), trackId: track.id })
    }
    await writer.finish()
    expect(await readBack(path)).toHaveLength(40)
  })

  test('without a sample there is no file, and an abort leaves none', async () => {
    const writer = await createWebmWriter({ path, tracks: [voice], originUs: 0 })
    await expect(writer.finish()).rejects.toMatchObject({ code: 'WEBM_NO_MEDIA' })
    writeFileSync(path, 'older')
    const other = await createWebmWriter({ path, tracks: [voice], originUs: 0 })
    await other.write(quiet(0, true))
    await other.abort()
    await other.abort()
    expect(readdirSync(folder.path)).toEqual(['call.webm'])
    expect(readFileSync(path, 'utf8')).toBe('older')
    expect(() => other.write(quiet(0, true))).toThrow(expect.objectContaining({ code: 'WEBM_CLOSED' }))
  })

  test('a folder that is none is told at once', async () => {
    writeFileSync(join(folder.path, 'file'), '')
    const options = { path: join(folder.path, 'file', 'call.webm'), tracks: [voice], originUs: 0 }
    await expect(createWebmWriter(options)).rejects.toMatchObject({ code: 'WEBM_WRITE_FAILED' })
    expect(existsSync(options.path)).toBe(false)
  })

  test.each([
    [{ originUs: 0.5 }, 'originUs'],
    [{ clusterDuration: 6 }, 'clusterDuration'],
    [{ path: '' }, 'path'],
    [{ tracks: [voice, voice] }, 'tracks'],
  ])('refuses %o', async (wrong, field) => {
    const failed = createWebmWriter({ path, tracks: [voice], originUs: 0, ...wrong })
    await expect(failed).rejects.toBeInstanceOf(ConfigurationError)
    await expect(failed).rejects.toMatchObject({ field })
  })

  test('refuses what WebM cannot hold, and strangers', async () => {
    await expect(createWebmWriter({ path, tracks: [videoTrack('h264')], originUs: 0 })).rejects.toMatchObject({
      code: 'WEBM_UNSUPPORTED_CODEC',
    })
    const writer = await createWebmWriter({ path, tracks: [voice], originUs: 0 })
    expect(() => writer.write({ ...quiet(0), trackId: 'stranger' })).toThrow(
      expect.objectContaining({ code: 'WEBM_UNKNOWN_TRACK' }),
    )
    await writer.abort()
  })
})
