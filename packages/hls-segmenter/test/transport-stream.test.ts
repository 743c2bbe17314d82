import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { tsFormat } from '@rushes/h264-ts-muxer'
import type { EncodedSample, OutputObject, TimedItem, Track } from '@rushes/media'
import { checkHls, checkPlaylistUpdate, formatFindings } from '@rushes/testkit'
import { describe, expect, it } from 'vitest'
import { HlsSegmenter, type HlsSegmenterOptions, Interleaver, parseMediaPlaylist } from '../src/index.js'
import { encodeAudio, encodeVideo, hasFfmpeg, inFolder } from './encoded.js'
import { camera, microphone, textOf } from './samples.js'

type Options = Omit<HlsSegmenterOptions, 'format'> & { readonly late?: Track; readonly tracks?: readonly Track[] }

function record(
  { late, tracks = [camera, microphone], ...options }: Options,
  ...inputs: EncodedSample[][]
): OutputObject[] {
  const interleaver = new Interleaver(tracks, { maxHeldUs: 1e9 })
  const segmenter = new HlsSegmenter({ format: tsFormat(tracks), startedAtUs: 1_700_000_000_000_000, ...options })
  const objects: OutputObject[] = []
  const into = (item: TimedItem): void => {
    segmenter.push(item, (object) => objects.push(object))
    if (late !== undefined && segmenter.stats.segments === 0 && segmenter.stats.samples === 1) segmenter.addTrack(late)
  }
  if (late !== undefined) interleaver.addTrack(late)
  for (const samples of inputs) {
    for (const sample of samples) interleaver.push(sample, into)
    interleaver.push({ type: 'track-end', trackId: samples[0]?.trackId ?? '' }, () => {})
  }
  interleaver.flush(into)
  segmenter.flush((object) => objects.push(object))
  return objects
}

/** What ffmpeg says of the presentation, and the packets that it finds in it. */
function play(objects: readonly OutputObject[]): {
  warnings: string
  packets: { stream: number; dts: number; pts: number }[]
} {
  return inFolder((folder) => {
    for (const object of objects) {
      const file = join(folder, object.name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, Buffer.concat(object.body))
    }
    const index = join(folder, 'index.m3u8')
    const run = (tool: string, args: string[]): string =>
      execFileSync('/bin/sh', ['-c', '"$0" "$@" 2>&1', tool, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 })
    const warnings =
      run('ffmpeg', ['-v', 'warning', '-copyts', '-i', index, '-c', 'copy', '-f', 'null', '-']) +
      run('ffmpeg', ['-v', 'warning', '-i', index, '-fps_mode', 'passthrough', '-f', 'null', '-'])
    const args = ['-v', 'error', '-show_entries', 'packet=stream_index,pts,dts', '-of', 'json', index]
    const { packets } = JSON.parse(execFileSync('ffprobe', args, { encoding: 'utf8', maxBuffer: 1 << 28 }))
    return {
      warnings,
      packets: packets.map((packet: { stream_index: number; pts: number; dts: number }) => ({
        ...packet,
        stream: packet.stream_index,
      })),
    }
  })
}

async function findings(
  objects: readonly OutputObject[],
  options: Parameters<typeof checkHls>[1] = {},
): Promise<string> {
  const read = (uri: string): Uint8Array => {
    const object = objects.findLast(({ name }) => name === uri)
    if (object === undefined) throw new Error('not stored')
    return Buffer.concat(object.body)
  }
  return formatFindings(await checkHls({ entry: 'index.m3u8', read }, options))
}

const playlistOf = (objects: readonly OutputObject[]): ReturnType<typeof parseMediaPlaylist> =>
  parseMediaPlaylist(textOf(objects.findLast(({ name }) => name === 'media.m3u8') as OutputObject))

describe.skipIf(!hasFfmpeg && !process.env['CI'])('with MPEG-TS', () => {
  const picture = hasFfmpeg ? encodeVideo({ size: '160x90', seconds: 20, gop: 50 }) : []
  const tone = hasFfmpeg ? encodeAudio(20) : []

  it.each(['vod', 'event', 'live'] as const)(
    '%s plays without a word, every packet at its time',
    async (playlistType) => {
      const objects = record({ playlistType, windowSegments: 20, frameRate: 25 }, picture, tone)
      expect(await findings(objects)).toBe('')
      const { warnings, packets } = play(objects)
      expect(warnings).toBe('')
      const video = packets.filter(({ stream }) => stream === 0)
      expect(video.map(({ pts }) => pts - (video[0]?.pts ?? 0))).toEqual(picture.map(({ pts }) => pts))
      const audio = packets.filter(({ stream }) => stream === 1)
      expect(audio).toHaveLength(tone.length)
      audio.forEach(({ pts }, index) => {
        expect(Math.abs(pts - (video[0]?.pts ?? 0) - index * 1920)).toBeLessThanOrEqual(1)
      })
      const states = objects.filter(({ name }) => name === 'media.m3u8').map(textOf)
      for (const [index, state] of states.entries()) {
        if (index > 0) expect(formatFindings(checkPlaylistUpdate(states[index - 1] ?? '', state))).toBe('')
      }
    },
  )

  it('B-frames', async () => {
    const reordered = encodeVideo({ size: '160x90', seconds: 15, gop: 50, bFrames: 2 })
    expect(reordered.some(({ pts, dts }) => pts > dts + 3600)).toBe(true)
    const objects = record({ tracks: [camera] }, reordered)
    expect(await findings(objects)).toBe('')
    expect(playlistOf(objects).segments.map(({ durationUs }) => durationUs)).toEqual([6_000_000, 6_000_000, 3_000_000])
    const { warnings, packets } = play(objects)
    expect(warnings).toBe('')
    expect(packets).toHaveLength(reordered.length)
  })

  it('sound alone', async () => {
    const objects = record({ tracks: [microphone] }, tone)
    expect(await findings(objects)).toBe('')
    const { warnings, packets } = play(objects)
    expect(warnings).toBe('')
    expect(packets).toHaveLength(tone.length)
  })

  it('a new picture size in the middle', async () => {
    const larger = encodeVideo({ size: '320x180', seconds: 7, gop: 50, fromSeconds: 20 })
    const objects = record({}, [...picture, ...larger], encodeAudio(27))
    expect(await findings(objects)).toBe('')
    const { segments } = playlistOf(objects)
    expect(segments.map(({ discontinuity }) => discontinuity)).toEqual([false, false, false, false, true, false])
    expect(play(objects).warnings).toBe('')
  })

  it('cuts that had to fall on other pictures than keyframes', async () => {
    const rare = encodeVideo({ size: '160x90', seconds: 20, gop: 250 })
    const objects = record({ playlistType: 'event', segmentDuration: 4, targetDuration: 4 }, rare, tone)
    expect(await findings(objects)).toBe('')
    expect(playlistOf(objects).independentSegments).toBe(false)
    const { warnings, packets } = play(objects)
    expect(warnings).toBe('')
    expect(packets.filter(({ stream }) => stream === 0)).toHaveLength(rare.length)
  })

  it('a camera that is off for a while', async () => {
    const back = picture.filter(({ dts }) => dts >= 16 * 90_000).map((sample) => ({ ...sample, discontinuity: true }))
    const objects = record({ playlistType: 'event' }, [...picture.slice(0, 175), ...back], tone)
    expect(await findings(objects, { transportStream: { allowIdle: true } })).toBe('')
    expect(playlistOf(objects).segments.every(({ discontinuity }) => !discontinuity)).toBe(true)
    expect(play(objects).warnings).toBe('')
  })

  it('a camera that joins a recording of sound', async () => {
    const joining = encodeVideo({ size: '160x90', seconds: 10, gop: 50, fromSeconds: 8 })
    const objects = record({ tracks: [microphone], late: camera }, tone, joining)
    expect(await findings(objects)).toBe('')
    const { segments } = playlistOf(objects)
    expect(segments.map(({ discontinuity }) => discontinuity)).toEqual([false, false, true, false])
  })
})
