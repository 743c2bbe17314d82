import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HlsSegmenter, OpusGapFiller, RenditionSegmenter } from '@rushes/hls-segmenter'
import { chain, type TimedItem, type Track } from '@rushes/media'
import { cmafFormat, createMp4Writer, createWebmWriter } from '@rushes/mp4-writer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findingsOf, muted, record } from '../../packages/mp4-writer/test/cmaf-hls.js'
import { merged, tone, videoTrack, voice, webPictures } from '../../packages/mp4-writer/test/encoded.js'
import { camera, hasFfmpeg, pictures, shifted, temporaryFolder } from '../../packages/mp4-writer/test/media.js'
import { type ChromiumPlayer, hasChromium, openChromiumPlayer, type Playback } from './chromium-player.js'

const canPlay = (hasFfmpeg && hasChromium) || Boolean(process.env['CI'])

describe.skipIf(!canPlay)('in Chromium', () => {
  let folder: { path: string; remove: () => void }
  let player: ChromiumPlayer
  beforeAll(async () => {
    folder = temporaryFolder()
    player = await openChromiumPlayer(folder.path)
  })
  afterAll(async () => {
    await player.close()
    folder.remove()
  })

  const play = (path: string, rate = 4): Promise<Playback> => player.play(path, { rate, timeoutSeconds: 40 })

  function hls(name: string, tracks: readonly Track[], items: readonly TimedItem[]): Promise<string> {
    const segmenter = new HlsSegmenter({ format: cmafFormat(tracks), segmentDuration: 2 })
    record(chain(new OpusGapFiller(tracks), segmenter), items, join(folder.path, name))
    return findingsOf(join(folder.path, name))
  }

  function expectWhole(playback: Playback, seconds: number, frames: number): void {
    // A machine that is busy stalls a fast playback for a moment; a hole in a buffer is told by more than that, and seeks.
    const errors = playback.errors.filter((error) => !error.includes('bufferStalledError'))
    expect({ ...playback, errors }).toMatchObject({ ended: true, fatal: [], errors: [], corrupted: 0, seeks: 0 })
    expect(Math.abs(playback.duration - seconds)).toBeLessThan(0.1)
    expect(playback.frames).toBeGreaterThanOrEqual(frames)
  }

  test('hls.js plays muxed H264 and Opus, sound silent for 10 s and late', async () => {
    const video = pictures({ frames: 600, bFrames: 2 })
    const sound = muted(await tone(19, 1), 48_000, 5, 15)
    expect(await hls('muxed', [camera, voice], merged(video, sound))).toBe('')
    expectWhole(await play('muxed/index.m3u8'), 20, 600)
  })

  test('hls.js plays across a change of the picture size', async () => {
    const small = pictures({ frames: 150 })
    const large = shifted(pictures({ size: '640x360', frames: 150 }), 450_000)
    expect(await hls('resized', [camera, voice], merged(small, large, await tone(10)))).toBe('')
    const playback = await play('resized/index.m3u8', 2)
    expectWhole(playback, 10, 300)
    expect(playback.sizes.map(({ width, height }) => [width, height])).toEqual([
      [320, 180],
      [640, 360],
    ])
    expect(Math.abs(playback.sizes[1]!.at - 5)).toBeLessThan(0.3)
  })

  test('hls.js plays across parameter sets that differ in what no picture shows', async () => {
    const one = pictures({ frames: 120 })
    const other = shifted(pictures({ frames: 120, fullRange: true }), 360_000)
    expect(await hls('vui', [camera, voice], merged(one, other, await tone(8)))).toBe('')
    const playlist = readFileSync(join(folder.path, 'vui/media.m3u8'), 'utf8')
    // A header of its own, and no discontinuity.
    expect(playlist.match(/EXT-X-MAP/g)).toHaveLength(2)
    expect(playlist).not.toContain('EXT-X-DISCONTINUITY\n')
    expectWhole(await play('vui/index.m3u8', 2), 8, 240)
  })

  test.each(['vp9', 'av1'] as const)('hls.js plays %s and Opus', async (codec) => {
    const items = merged(await webPictures(codec, { frames: 180, gop: 60 }), await tone(6))
    expect(await hls(codec, [videoTrack(codec), voice], items)).toBe('')
    expectWhole(await play(`${codec}/index.m3u8`), 6, 180)
  })

  test('hls.js plays sound as a rendition of its own', async () => {
    const video = [...pictures({ frames: 150 }), ...shifted(pictures({ size: '640x360', frames: 150 }), 450_000)]
    const sound = muted(await tone(10), 48_000, 3, 8)
    const segmenter = new RenditionSegmenter({
      format: cmafFormat([camera]),
      audio: [{ format: cmafFormat([voice]), name: 'Everyone', language: 'en' }],
      segmentDuration: 2,
    })
    const stage = chain(new OpusGapFiller([camera, voice]), segmenter)
    record(stage, merged(video, sound), join(folder.path, 'renditions'))
    expect(await findingsOf(join(folder.path, 'renditions'))).toBe('')
    expectWhole(await play('renditions/index.m3u8', 2), 10, 300)
  })

  test.each(['vp9', 'av1'] as const)('an MP4 file of %s and Opus plays', async (codec) => {
    const items = merged(await webPictures(codec, { frames: 120 }), await tone(4))
    const path = join(folder.path, `${codec}.mp4`)
    const writer = await createMp4Writer({ path, tracks: [videoTrack(codec), voice], originUs: 0 })
    for (const item of items) await writer.write(item)
    await writer.finish()
    expectWhole(await play(`${codec}.mp4`), 4, 120)
  })

  test.each(['vp8', 'vp9', 'av1'] as const)(
    'a WebM file of %s and Opus plays, sound silent and late',
    async (codec) => {
      const video = await webPictures(codec, { frames: 360 })
      const items = merged(video, muted(await tone(11, 1), 48_000, 1.5, 11.5))
      const path = join(folder.path, `${codec}.webm`)
      const writer = await createWebmWriter({ path, tracks: [videoTrack(codec), voice], originUs: 0 })
      for (const item of items) await writer.write(item)
      await writer.finish()
      expectWhole(await play(`${codec}.webm`), 12, 360)
    },
  )

  test('a WebM file that a crash left plays up to its last cluster', async () => {
    const path = join(folder.path, 'crashed.webm')
    const writer = await createWebmWriter({ path, tracks: [videoTrack('vp8'), voice], originUs: 0 })
    for (const item of merged(await webPictures('vp8', { frames: 300 }), await tone(10))) await writer.write(item)
    await new Promise((resolve) => setTimeout(resolve, 200))
    copyFileSync(join(folder.path, '.crashed.webm.part'), join(folder.path, 'left.webm'))
    await writer.abort()
    const playback = await play('left.webm')
    expect(playback).toMatchObject({ ended: true, fatal: [], corrupted: 0 })
    expect(playback.currentTime).toBeGreaterThan(8.9)
  })
})
