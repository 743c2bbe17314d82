import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  HlsSegmenter,
  type HlsSegmenterOptions,
  OpusGapFiller,
  parseMediaPlaylist,
  RenditionSegmenter,
} from '@rushes/hls-segmenter'
import { chain, type OutputObject, type Stage, type TimedItem, type Track } from '@rushes/media'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cmafFormat } from '../src/index.js'
import { findingsOf, muted, record } from './cmaf-hls.js'
import { hevcPictures, merged, tone, videoTrack, voice, webPictures } from './encoded.js'
import { camera, hasFfmpeg, opusPackets, pictures, probePackets, shifted, temporaryFolder } from './media.js'

const OFFSET_90K = 900_000

describe.skipIf(!hasFfmpeg && !process.env['CI'])('CMAF by the segmenter, as ffmpeg reads it', () => {
  let folder: { path: string; remove: () => void }
  beforeEach(() => {
    folder = temporaryFolder()
  })
  afterEach(() => folder.remove())

  const index = (): string => join(folder.path, 'index.m3u8')
  const names = (objects: readonly OutputObject[]): string[] => objects.map(({ name }) => name)
  const hls = (tracks: readonly Track[], options: Partial<HlsSegmenterOptions> = {}): Stage<TimedItem, OutputObject> =>
    chain(new OpusGapFiller(tracks), new HlsSegmenter({ format: cmafFormat(tracks), segmentDuration: 2, ...options }))

  /** Everything that ffmpeg has to say while it decodes the presentation, and the pictures that came out. */
  function play(): { warnings: string; frames: number } {
    const args = ['-v', 'warning', '-i', index(), '-map', '0:v', '-map', '0:a?']
    const { stdout, stderr } = spawnSync('ffmpeg', [...args, '-fps_mode', 'passthrough', '-f', 'framecrc', '-'], {
      maxBuffer: 1 << 28,
    })
    const frames = stdout
      .toString()
      .split('\n')
      .filter((line) => line.startsWith('0,')).length
    return { warnings: stderr.toString().trim(), frames }
  }

  test('H264 with B-frames and Opus: every picture at its tick', async () => {
    const video = pictures({ frames: 300, bFrames: 2, gop: 45 })
    const objects = record(hls([camera, voice]), merged(video, await tone(10)), folder.path)
    expect(names(objects).filter((name) => name.startsWith('init'))).toEqual(['init-00001.mp4'])
    expect(await findingsOf(folder.path)).toBe('')
    expect(play()).toEqual({ warnings: '', frames: 300 })
    const list = parseMediaPlaylist(readFileSync(join(folder.path, 'media.m3u8'), 'utf8'))
    const media = [list.segments[0]!.map!.uri, ...list.segments.map(({ uri }) => uri)]
    // One behind the other, the header and all segments are a file.
    const file = join(folder.path, 'whole.mp4')
    writeFileSync(file, Buffer.concat(media.map((name) => readFileSync(join(folder.path, name)))))
    expect(probePackets(file, 0).map(({ pts, dts }) => ({ pts, dts }))).toEqual(
      video.map(({ pts, dts }) => ({ pts: pts + OFFSET_90K, dts: dts + OFFSET_90K })),
    )
  })

  test.each(['vp9', 'av1'] as const)('%s and Opus', async (codec) => {
    const video = await webPictures(codec, { frames: 180, gop: 60 })
    record(hls([videoTrack(codec), voice]), merged(video, await tone(6)), folder.path)
    expect(await findingsOf(folder.path)).toBe('')
    expect(play()).toEqual({ warnings: '', frames: 180 })
  })

  test('H265 with B-frames', async () => {
    record(hls([videoTrack('h265')]), hevcPictures({ frames: 180, gop: 60, bFrames: 2 }), folder.path)
    expect(await findingsOf(folder.path)).toBe('')
    expect(play()).toEqual({ warnings: '', frames: 180 })
  })

  test('a header for each picture size, after a discontinuity', async () => {
    const small = pictures({ frames: 150 })
    const large = shifted(pictures({ size: '640x360', frames: 150 }), 450_000)
    const objects = record(hls([camera, voice]), merged(small, large, await tone(10)), folder.path)
    expect(names(objects).filter((name) => name.startsWith('init'))).toEqual(['init-00001.mp4', 'init-00004.mp4'])
    const playlist = parseMediaPlaylist(readFileSync(join(folder.path, 'media.m3u8'), 'utf8'))
    expect(playlist.segments.map(({ discontinuity, map }) => [discontinuity, map?.uri])).toEqual([
      [false, 'init-00001.mp4'],
      [false, 'init-00001.mp4'],
      [false, 'init-00001.mp4'],
      [true, 'init-00004.mp4'],
      [false, 'init-00004.mp4'],
      [false, 'init-00004.mp4'],
    ])
    expect(await findingsOf(folder.path)).toBe('')
    expect(play().frames).toBe(300)
  })

  test('a captured voice with mutes runs through beside the pictures', async () => {
    const sound = opusPackets('mutes').map((sample) => ({ ...sample, trackId: voice.id }))
    const video = pictures({ frames: 600 })
    const stage = hls([camera, voice])
    record(stage, merged(video, sound), folder.path)
    expect(await findingsOf(folder.path)).toBe('')
    const { warnings, frames } = play()
    expect({ warnings, frames }).toEqual({ warnings: '', frames: 600 })
  })

  test('sound as a rendition of its own, silent for ten seconds', async () => {
    const video = pictures({ frames: 450, bFrames: 2, gop: 50 })
    const sound = muted(await tone(15), 48_000, 3, 13)
    const stage = chain(
      new OpusGapFiller([camera, voice]),
      new RenditionSegmenter({
        format: cmafFormat([camera]),
        audio: [{ format: cmafFormat([voice]), name: 'Everyone' }],
        segmentDuration: 2,
      }),
    )
    const objects = record(stage, merged(video, sound), folder.path)
    expect(await findingsOf(folder.path)).toBe('')
    expect(play()).toEqual({ warnings: '', frames: 450 })
    const ofKind = (prefix: string): string[] => names(objects).filter((name) => name.startsWith(prefix))
    expect(ofKind('video/segment').length).toBe(ofKind('audio-1/segment').length)
    const header = objects.find(({ name }) => name === 'audio-1/init-00001.mp4')!
    expect(Buffer.concat(header.body).includes('cmfc')).toBe(true)
    const segment = objects.find(({ name }) => name === 'audio-1/segment-00001.m4s')!
    expect(segment.contentType).toBe('audio/mp4')
  })

  test('a late track begins after a discontinuity, with a header that has it', async () => {
    const video = pictures({ frames: 300 })
    const sound = await tone(6, 4)
    const segmenter = new HlsSegmenter({ format: cmafFormat([camera]), segmentDuration: 2 })
    const stage: Stage<TimedItem, OutputObject> = {
      push(item, emit) {
        if (item.trackId === voice.id && segmenter.stats.samples > 0 && !added) segmenter.addTrack(voice)
        added ||= item.trackId === voice.id
        segmenter.push(item, emit)
      },
      flush: (emit) => segmenter.flush(emit),
      stats: {},
    }
    let added = false
    const objects = record(stage, merged(video, sound), folder.path)
    expect(names(objects).filter((name) => name.startsWith('init'))).toHaveLength(2)
    expect(segmenter.summary().discontinuities).toBe(1)
    expect(await findingsOf(folder.path)).toBe('')
  })
})
