import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { EncodedSample, OutputObject, TimedItem } from '@rushes/media'
import { checkPlaylistUpdate } from '@rushes/testkit'
import { describe, expect, it } from 'vitest'
import {
  createRenditionSegmenterStream,
  type MediaPlaylist,
  parseMediaPlaylist,
  parseMultivariantPlaylist,
  RenditionSegmenter,
  type RenditionSegmenterOptions,
} from '../src/index.js'
import { linesOf, RecordingFormat } from './recording-format.js'
import {
  audio,
  camera,
  every,
  merge,
  microphone,
  picture,
  sound,
  textOf,
  video,
  videoConfiguration,
} from './samples.js'

type Options = Partial<Omit<RenditionSegmenterOptions, 'format' | 'audio'>>

interface Result {
  readonly segmenter: RenditionSegmenter
  readonly objects: OutputObject[]
  readonly video: MediaPlaylist
  readonly audio: MediaPlaylist
}

function run(items: readonly TimedItem[], options: Options = {}): Result {
  const segmenter = new RenditionSegmenter({
    format: new RecordingFormat([camera]),
    audio: [{ format: new RecordingFormat([microphone]), name: 'Everyone', language: 'en' }],
    ...options,
  })
  const objects: OutputObject[] = []
  const emit = (object: OutputObject): void => void objects.push(object)
  for (const item of items) segmenter.push(item, emit)
  segmenter.flush(emit)
  const playlist = (name: string): MediaPlaylist =>
    parseMediaPlaylist(textOf(objects.findLast((object) => object.name === name) as OutputObject))
  return { segmenter, objects, video: playlist('video/media.m3u8'), audio: playlist('audio-1/media.m3u8') }
}

const starts = ({ segments }: MediaPlaylist): number[] => {
  let at = 0
  return segments.map(({ durationUs }) => {
    const start = at
    at += durationUs
    return start / 1e6
  })
}

/** A recording with keyframes at odd distances, so that nothing is aligned by chance. */
const odd = (_at: number, index: number): boolean => index === 0 || [70, 205, 390, 480].includes(index)

describe('RenditionSegmenter', () => {
  it('cuts sound where the video is cut, at its first frame from there on', () => {
    const {
      video: pictures,
      audio: sounds,
      objects,
    } = run(merge(video(0, 20, odd), audio(0, 20)), { segmentDuration: 2 })
    expect(starts(pictures)).toEqual([0, 70 / 30, 205 / 30, 13, 16].map((at) => Math.round(at * 1e6) / 1e6))
    expect(sounds.segments).toHaveLength(pictures.segments.length)
    for (const [index, start] of starts(sounds).entries()) {
      const late = start - starts(pictures)[index]!
      expect(late).toBeGreaterThanOrEqual(0)
      expect(late).toBeLessThan(1024 / 48_000 + 1e-6)
    }
    const samples = objects
      .filter(({ name }) => name.startsWith('audio-1/segment'))
      .flatMap(({ body }) => linesOf(body).filter((line) => line.startsWith('microphone')))
    expect(samples).toHaveLength(audio(0, 20).length)
    expect(pictures.targetDuration).toBe(sounds.targetDuration)
  })

  it('writes one multivariant playlist, after both media playlists', () => {
    const { objects } = run(merge(video(0, 10, every(2)), audio(0, 10)))
    expect(objects.slice(-3).map(({ name }) => name)).toEqual(['video/media.m3u8', 'audio-1/media.m3u8', 'index.m3u8'])
    const playlist = parseMultivariantPlaylist(textOf(objects.at(-1) as OutputObject))
    expect(playlist).toMatchObject({
      version: 4,
      independentSegments: true,
      audio: [
        {
          groupId: 'audio',
          name: 'Everyone',
          language: 'en',
          uri: 'audio-1/media.m3u8',
          isDefault: true,
          autoselect: true,
        },
      ],
      variants: [
        {
          uri: 'video/media.m3u8',
          audioGroup: 'audio',
          codecs: ['avc1.42c01f', 'mp4a.40.2'],
          resolution: { width: 640, height: 360 },
        },
      ],
    })
  })

  it('puts every discontinuity of the video into all playlists', () => {
    const changed = video(0, 20, every(2)).map((sample, index) =>
      index === 240 ? { ...sample, configuration: videoConfiguration(960, 540) } : sample,
    )
    const { video: pictures, audio: sounds } = run(merge(changed, audio(0, 20)))
    const discontinuities = ({ segments }: MediaPlaylist): boolean[] => segments.map((segment) => segment.discontinuity)
    expect(discontinuities(pictures)).toEqual([false, false, true, false])
    expect(discontinuities(sounds)).toEqual(discontinuities(pictures))
  })

  it('lets sound begin before and end after the video', () => {
    const { audio: sounds, video: pictures } = run(merge(video(1, 13, every(2)), audio(0, 15)))
    expect(pictures.segments).toHaveLength(2)
    expect(sounds.segments).toHaveLength(2)
    expect(starts(sounds)[1]).toBeCloseTo(7, 1)
  })

  it('declares one target duration, also where a silent sound makes one of them longer', () => {
    const quiet = audio(0, 20).filter(({ dts }) => dts < 3 * 48_000 || dts > 17 * 48_000)
    const { audio: sounds, video: pictures } = run(merge(video(0, 20, every(2)), quiet))
    expect(sounds.targetDuration).toBe(pictures.targetDuration)
    for (const { segments, targetDuration } of [sounds, pictures]) {
      for (const { durationUs } of segments) expect(Math.round(durationUs / 1e6)).toBeLessThanOrEqual(targetDuration)
    }
  })

  it('grows: the multivariant playlist comes once both have a segment, and lines stay', () => {
    const { objects } = run(merge(video(0, 30, every(2)), audio(0, 30)), { playlistType: 'event' })
    const names = objects.map(({ name }) => name)
    expect(names.filter((name) => name === 'index.m3u8')).toHaveLength(1)
    expect(names.indexOf('index.m3u8')).toBeGreaterThan(names.indexOf('video/media.m3u8'))
    expect(names.indexOf('index.m3u8')).toBeGreaterThan(names.indexOf('audio-1/media.m3u8'))
    for (const name of ['video/media.m3u8', 'audio-1/media.m3u8']) {
      const states = objects.filter((object) => object.name === name).map(textOf)
      expect(states.length).toBeGreaterThan(4)
      expect(states.at(-1)).toContain('#EXT-X-ENDLIST')
      for (const [index, state] of states.slice(1).entries()) {
        expect(checkPlaylistUpdate(states[index]!, state)).toEqual([])
      }
    }
  })

  it('names a rendition only if it has sent something', () => {
    const segmenter = new RenditionSegmenter({
      format: new RecordingFormat([camera]),
      audio: [{ format: new RecordingFormat([microphone]), name: 'Everyone' }],
      playlistType: 'event',
    })
    const objects: OutputObject[] = []
    for (const sample of video(0, 30, every(2))) segmenter.push(sample, (object) => objects.push(object))
    segmenter.flush((object) => objects.push(object))
    const text = textOf(objects.find(({ name }) => name === 'index.m3u8') as OutputObject)
    expect(text).not.toContain('AUDIO')
    // After its third segment the video no longer waits for sound.
    expect(objects.filter(({ name }) => name.includes('segment')).map(({ name }) => name)).toHaveLength(5)
    expect(objects.findIndex(({ name }) => name === 'index.m3u8')).toBe(6)
  })

  it('publishes by watermarks, and counts strangers', () => {
    const items: TimedItem[] = [
      ...merge(video(0, 3, every(2)), audio(0, 3)),
      { type: 'watermark', trackId: 'microphone', dts: 48_000 * 40 },
      picture(0, true, { trackId: 'nobody' }),
    ]
    const { segmenter, video: pictures, audio: sounds } = run(items, { playlistType: 'event' })
    expect(segmenter.stats).toMatchObject({ unknownTrack: 1, variant: { segments: 1 }, audio: [{ segments: 1 }] })
    expect([pictures.segments.length, sounds.segments.length]).toEqual([1, 1])
  })

  it('takes a late track of either kind', () => {
    const segmenter = new RenditionSegmenter({
      format: new RecordingFormat([camera]),
      audio: [{ format: new RecordingFormat([microphone]), name: 'Everyone' }],
    })
    const objects: OutputObject[] = []
    const second = { ...microphone, id: 'second' }
    const late = audio(8, 20).map((sample) => ({ ...sample, trackId: 'second' }))
    const items = [...merge(video(0, 20, every(2)), audio(0, 20)), ...late].sort(
      (a, b) => a.dts / (a.trackId === 'camera' ? 90_000 : 48_000) - b.dts / (b.trackId === 'camera' ? 90_000 : 48_000),
    )
    for (const [index, sample] of items.entries()) {
      if (index === 100) segmenter.addTrack(second)
      segmenter.push(sample, (object) => objects.push(object))
    }
    segmenter.flush((object) => objects.push(object))
    const heads = objects.filter(({ name }) => name.startsWith('audio-1/segment')).map(({ body }) => linesOf(body)[0])
    expect(heads).toEqual(['B microphone', 'B microphone', 'D microphone second', 'B microphone second'])
    expect(() => segmenter.addTrack(second)).toThrow(expect.objectContaining({ field: 'track.id' }))
    expect(() => segmenter.addTrack({ ...microphone, id: 'third' }, 1)).toThrow(
      expect.objectContaining({ field: 'audioIndex' }),
    )
  })

  const format = (): RecordingFormat => new RecordingFormat([camera])
  const everyone = { format: new RecordingFormat([microphone]), name: 'Everyone' }
  it.each([
    ['no rendition', [], 'audio'],
    ['a name twice', [everyone, { ...everyone, format: new RecordingFormat([{ ...microphone, id: 'b' }]) }], 'audio'],
    ['a track twice', [everyone, { ...everyone, name: 'Others' }], 'audio'],
    ['pictures in sound', [{ ...everyone, format: new RecordingFormat([camera]) }], 'audio[0].format'],
    ['a name of an object twice', [{ ...everyone, names: { mediaPlaylist: 'video/media.m3u8' } }], 'names'],
  ])('refuses %s', (_name, audio, field) => {
    expect(() => new RenditionSegmenter({ format: format(), audio })).toThrow(expect.objectContaining({ field }))
  })
})

describe('createRenditionSegmenterStream', () => {
  const options = (): RenditionSegmenterOptions => ({
    format: new RecordingFormat([camera]),
    audio: [{ format: new RecordingFormat([microphone]), name: 'Everyone' }],
  })
  const items: EncodedSample[] = Array.from({ length: 20 }, (_, second) => [
    ...audio(0, 20).filter(({ dts }) => Math.floor(dts / 48_000) === second),
    ...video(0, 20, every(2)).filter(({ dts }) => Math.floor(dts / 90_000) === second),
  ]).flat()

  it('gives what the cores give, whatever the order between tracks', async () => {
    const objects: OutputObject[] = []
    const stream = createRenditionSegmenterStream(options())
    await pipeline(Readable.from(items), stream, async (source: AsyncIterable<OutputObject>) => {
      for await (const object of source) objects.push(object)
    })
    const expected = run(merge(video(0, 20, every(2)), audio(0, 20))).objects.filter(
      ({ name }) => name !== 'index.m3u8',
    )
    expect(objects.slice(0, -1).map(({ name }) => name)).toEqual(expected.map(({ name }) => name))
    expect(objects.slice(0, -1).map(textOf)).toEqual(expected.map(textOf))
    expect(stream.summaries().map(({ segments }) => segments)).toEqual([4, 4])
  })

  it('can be left, and is aborted by a signal', async () => {
    const stream = createRenditionSegmenterStream({ ...options(), playlistType: 'event' })
    for await (const object of Readable.from(items).pipe(stream) as AsyncIterable<OutputObject>) {
      expect(object.name).toBe('video/segment-00001.ts')
      break
    }
    expect(stream.destroyed).toBe(true)
    const controller = new AbortController()
    const aborted = createRenditionSegmenterStream({ ...options(), signal: controller.signal })
    const done = pipeline(Readable.from(items), aborted, async (source: AsyncIterable<OutputObject>) => {
      for await (const { type } of source) if (type === 'object') controller.abort()
    })
    await expect(done).rejects.toMatchObject({ code: 'ABORT_ERR' })
  })

  it('checks its options at once', () => {
    expect(() => createRenditionSegmenterStream({ ...options(), maxHeldUs: -1 })).toThrow(
      expect.objectContaining({ field: 'maxHeldUs' }),
    )
    expect(() => createRenditionSegmenterStream({ ...options(), audio: [] })).toThrow(
      expect.objectContaining({ field: 'audio' }),
    )
  })

  it('fails the pipeline with the error of the format', async () => {
    class Broken extends RecordingFormat {
      override end(): void {
        throw new Error('disk on fire')
      }
    }
    const stream = createRenditionSegmenterStream({ ...options(), format: new Broken([camera]) })
    const sink = async (source: AsyncIterable<OutputObject>): Promise<void> => {
      for await (const object of source) expect(object.name).toContain('audio-1/')
    }
    await expect(pipeline(Readable.from(items), stream, sink)).rejects.toThrow('disk on fire')
  })
})

describe('one sample of sound', () => {
  it('is a rendition', () => {
    const { audio: sounds } = run(
      merge(video(0, 4, every(2)), [sound(1, { configuration: audio(0, 1)[0]!.configuration! })]),
    )
    expect(sounds.segments).toHaveLength(1)
  })
})
