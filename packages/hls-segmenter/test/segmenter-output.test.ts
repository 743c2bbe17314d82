import { ConfigurationError, type OutputObject } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { HlsSegmenter, type HlsSegmenterOptions, parseMediaPlaylist, parseMultivariantPlaylist } from '../src/index.js'
import { linesOf, RecordingFormat } from './recording-format.js'
import {
  audio,
  camera,
  durations,
  every,
  merge,
  microphone,
  picture,
  run,
  textOf,
  video,
  videoConfiguration,
  view,
} from './samples.js'

const take = merge(audio(0, 25), video(0, 25, every(2)))
const namesOf = (objects: readonly OutputObject[]): string[] => objects.map(({ name }) => name)

describe('what is emitted, in which order', () => {
  it('vod: segments, then the media playlist, then the multivariant one', () => {
    const { objects } = run({}, take)
    expect(namesOf(objects)).toEqual([
      'segment-00001.ts',
      'segment-00002.ts',
      'segment-00003.ts',
      'segment-00004.ts',
      'segment-00005.ts',
      'media.m3u8',
      'index.m3u8',
    ])
    expect(objects.map(({ contentType }) => contentType)).toEqual([
      ...Array(5).fill('video/mp2t'),
      'application/vnd.apple.mpegurl',
      'application/vnd.apple.mpegurl',
    ])
    expect(objects[0]?.cacheControl).toContain('immutable')
  })

  it('event: each segment before the playlist that names it, the multivariant one once', () => {
    const { objects, playlists } = run({ playlistType: 'event' }, take)
    expect(namesOf(objects)).toEqual([
      'segment-00001.ts',
      'media.m3u8',
      'index.m3u8',
      ...['segment-00002.ts', 'media.m3u8', 'segment-00003.ts', 'media.m3u8'],
      ...['segment-00004.ts', 'media.m3u8', 'segment-00005.ts', 'media.m3u8'],
    ])
    playlists.forEach((text, index) => {
      expect(text.startsWith((playlists[index - 1] ?? '').replace('#EXT-X-ENDLIST\n', ''))).toBe(true)
      expect(text.endsWith('#EXT-X-ENDLIST\n')).toBe(index === playlists.length - 1)
    })
    expect(
      objects.filter(({ name }) => name.endsWith('m3u8')).every(({ cacheControl }) => cacheControl === 'no-cache'),
    ).toBe(true)
  })

  it('writes exactly this', () => {
    const { objects, playlists } = run(
      {
        playlistType: 'event',
        startedAtUs: 1_700_000_000_000_000,
        frameRate: 30,
        bandwidth: 3_000_000,
        names: { mediaPlaylist: 'v/live list.m3u8', segment: (n) => `v/a/#${n}, é.ts` },
      },
      merge(audio(0, 8), video(0, 8, every(2))),
    )
    expect(textOf(objects.find(({ name }) => name === 'v/live list.m3u8') as OutputObject)).toBe(`#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:12
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:EVENT
#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.000Z
#EXTINF:6.000000,
a/%231%2C%20%C3%A9.ts
`)
    expect(playlists).toEqual([])
    expect(textOf(objects.find(({ name }) => name === 'index.m3u8') as OutputObject)).toBe(`#EXTM3U
#EXT-X-VERSION:3
#EXT-X-STREAM-INF:BANDWIDTH=3000000,CODECS="avc1.42c01f,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=30.000
v/live%20list.m3u8
`)
  })

  it('nothing where nothing was recorded', () => {
    for (const playlistType of ['vod', 'event', 'live'] as const) expect(run({ playlistType }, []).objects).toEqual([])
  })

  it('no multivariant playlist where none is wanted', () => {
    expect(namesOf(run({ names: { multivariantPlaylist: false } }, take).objects)).not.toContain('index.m3u8')
  })

  it('with the CODECS that the host declares, where it is written beforehand', () => {
    const codecs = ['avc1.42c028', 'mp4a.40.2']
    for (const [playlistType, expected] of [
      ['live', codecs],
      ['vod', ['avc1.42c01f', 'mp4a.40.2']],
    ] as const) {
      const index = run({ playlistType, codecs }, take).objects.find(({ name }) => name === 'index.m3u8')
      expect(parseMultivariantPlaylist(textOf(index as OutputObject)).variants[0]?.codecs).toEqual(expected)
    }
  })

  it('without CODECS while a video track has not shown its profile', () => {
    const { objects } = run({ playlistType: 'event' }, audio(0, 20))
    const { variants } = parseMultivariantPlaylist(
      textOf(objects.find(({ name }) => name === 'index.m3u8') as OutputObject),
    )
    expect(variants).toEqual([{ uri: 'media.m3u8', bandwidth: 2_500_000 }])
  })
})

describe('the sliding window', () => {
  const long = video(0, 120, every(2)).map((sample, index) =>
    index % 900 === 0 && index > 0 ? { ...sample, configuration: videoConfiguration(640 + index / 900) } : sample,
  )
  const result = run(
    { playlistType: 'live', windowSegments: 4, targetDuration: 7, format: new RecordingFormat([camera]) },
    long,
  )

  it('keeps the numbers of what is in it', () => {
    // Every number's segment and every segment's number of discontinuities stays what it was.
    const numbers = new Map<string, string>()
    for (const text of result.playlists) {
      const playlist = parseMediaPlaylist(text)
      let discontinuitySequence = playlist.discontinuitySequence
      playlist.segments.forEach((segment, index) => {
        if (segment.discontinuity) discontinuitySequence++
        const number = `${playlist.mediaSequence + index} ${discontinuitySequence}`
        expect(numbers.get(segment.uri) ?? number).toBe(number)
        numbers.set(segment.uri, number)
      })
      expect(playlist.playlistType).toBeUndefined()
      expect(playlist.segments.length).toBeLessThanOrEqual(4)
    }
    expect(numbers.get('segment-00001.ts')).toBe('0 0')
    expect(numbers.get(`segment-000${numbers.size}.ts`)).toBe(`${numbers.size - 1} 3`)
  })

  it('tells what left it, after the playlist without it', () => {
    const last = result.playlist
    expect(result.removed).toEqual(
      Array.from({ length: last.mediaSequence }, (_, i) => `segment-${String(i + 1).padStart(5, '0')}.ts`),
    )
    expect(result.segmenter.stats.removedSegments).toBe(last.mediaSequence)
    expect(last.endList).toBe(true)
  })

  it('never becomes shorter than three target durations', () => {
    const short = run(
      {
        playlistType: 'live',
        windowSegments: 2,
        segmentDuration: 2,
        targetDuration: 6,
        format: new RecordingFormat([camera]),
      },
      video(0, 60, every(2)),
    )
    for (const text of short.playlists.slice(9)) {
      const { segments } = parseMediaPlaylist(text)
      expect(segments.reduce((sum, { durationUs }) => sum + durationUs, 0)).toBe(18_000_000)
    }
  })
})

describe('resuming', () => {
  const before = run({ playlistType: 'live', windowSegments: 4 }, take)
  const crashed = before.playlists.at(-2) ?? ''
  const later = merge(audio(100, 125), video(100, 125, every(2)))

  it.each(['live', 'event'] as const)('%s goes on without renumbering, after EXT-X-DISCONTINUITY', (playlistType) => {
    const first = run({ playlistType, windowSegments: 9, startedAtUs: 0 }, take)
    const stored = first.playlists.at(-2) ?? ''
    const playlist = parseMediaPlaylist(stored)
    const resumed = run({ playlistType, windowSegments: 9, startedAtUs: 0, resume: { playlist } }, later)
    expect(resumed.segments.map(({ name }) => name)[0]).toBe('segment-00005.ts')
    expect(resumed.playlists[0]?.startsWith(stored)).toBe(true)
    const added = resumed.playlist.segments.slice(4)
    expect(added.map(({ discontinuity }) => discontinuity)).toEqual([true, false, false, false, false])
    expect(added[0]?.programDateTimeMs).toBe(100_000)
    expect(resumed.segments[0]?.lines[0]).toBe('D camera microphone')
    expect(resumed.objects.some(({ name }) => name === 'index.m3u8')).toBe(false)
  })

  it('writes the multivariant playlist where the crash came before it', () => {
    const playlist = parseMediaPlaylist(crashed)
    const resumed = run({ playlistType: 'live', resume: { playlist, multivariantStored: false } }, later)
    expect(resumed.objects.filter(({ name }) => name === 'index.m3u8')).toHaveLength(1)
  })

  it('only ends the playlist where nothing more comes', () => {
    const resumed = run({ playlistType: 'live', resume: { playlist: parseMediaPlaylist(crashed) } }, [])
    expect(resumed.playlists).toEqual([`${crashed}#EXT-X-ENDLIST\n`])
  })

  it('slides on over what was there', () => {
    const playlist = parseMediaPlaylist(crashed)
    const resumed = run({ playlistType: 'live', windowSegments: 4, targetDuration: 12, resume: { playlist } }, later)
    expect(resumed.removed.slice(0, 2)).toEqual(['segment-00001.ts', 'segment-00002.ts'])
    expect(resumed.playlist.mediaSequence).toBe(resumed.removed.length)
  })

  const ended = parseMediaPlaylist(before.playlists.at(-1) ?? '')
  const open = { ...ended, endList: false }
  it.each([
    {
      name: 'a finished playlist',
      options: { playlistType: 'live', resume: { playlist: ended } },
      field: 'resume.playlist',
    },
    {
      name: 'another type',
      options: { playlistType: 'event', resume: { playlist: open } },
      field: 'resume.playlist.playlistType',
    },
    { name: 'vod', options: { resume: { playlist: open } }, field: 'resume' },
    {
      name: 'another target duration',
      options: { playlistType: 'live', targetDuration: 9, resume: { playlist: open } },
      field: 'targetDuration',
    },
    {
      name: 'a claim that cannot be kept',
      options: { playlistType: 'live', resume: { playlist: { ...open, independentSegments: true } } },
      field: 'overdue',
    },
  ] satisfies { name: string; options: Partial<HlsSegmenterOptions>; field: string }[])(
    'refuses $name',
    ({ options, field }) => {
      expect(() => run(options, [])).toThrow(expect.objectContaining({ field, code: 'BAD_CONFIGURATION' }))
    },
  )
})

describe('times over ten thousand segments', () => {
  it('add up to the microsecond', () => {
    // 29.97 pictures a second in a timescale that no microsecond fits.
    const track = { ...camera, timescale: 30_000 }
    const format = new RecordingFormat([track])
    const segmenter = new HlsSegmenter({ format, segmentDuration: 0.1, playlistType: 'vod' })
    const objects: OutputObject[] = []
    const frames = 40_000
    for (let index = 0; index < frames; index++) {
      segmenter.push(
        picture(0, index % 4 === 0, {
          pts: index * 1001,
          dts: index * 1001,
          duration: 1001,
          ...(index === 0 ? { configuration: videoConfiguration() } : {}),
        }),
        (object) => objects.push(object),
      )
    }
    segmenter.flush((object) => objects.push(object))
    const { playlist } = view(objects)
    expect(playlist.segments).toHaveLength(10_000)
    let sumUs = 0
    playlist.segments.forEach(({ durationUs }, index) => {
      sumUs += durationUs
      expect(sumUs).toBe(Math.round(((index + 1) * 4 * 1001 * 1_000_000) / 30_000))
    })
    expect(segmenter.summary()).toMatchObject({ segments: 10_000, durationUs: sumUs })
  })

  it('a growing playlist stays cheap and open media bounded', () => {
    const format = new RecordingFormat([microphone])
    const segmenter = new HlsSegmenter({ format, segmentDuration: 1, playlistType: 'event' })
    let bytes = 0
    let open = 0
    const started = performance.now()
    for (const sample of audio(0, 4_000)) {
      segmenter.push({ ...sample, data: new Uint8Array(100) }, ({ body }) => {
        for (const piece of body) bytes += piece.byteLength
      })
      open = Math.max(open, segmenter.stats.openBytes)
    }
    expect(segmenter.stats.segments).toBeGreaterThan(3_900)
    expect(open).toBeLessThan(10_000)
    expect(bytes).toBeGreaterThan(100e6)
    expect(performance.now() - started).toBeLessThan(20_000)
  })
})

describe('bit rates', () => {
  it('are measured over runs of 0.5 to 1.5 target durations', () => {
    // Segments of 6 s with 60, 120 and 60 kB, and a last one of 2 s with 80 kB, too short to count alone.
    const sizes = [60_000, 120_000, 60_000, 80_000]
    const samples = video(0, 20, every(6)).map((sample, index) =>
      index % 180 === 0 ? { ...sample, data: new Uint8Array(sizes[index / 180] ?? 0) } : sample,
    )
    const { segmenter, objects } = run({ format: new RecordingFormat([camera]) }, samples)
    const { peakBandwidth, averageBandwidth, bytes } = segmenter.summary()
    const sizeOf = (name: string): number =>
      objects
        .filter((object) => object.name === name)
        .flatMap(({ body }) => body)
        .reduce((sum, piece) => sum + piece.byteLength, 0)
    const [second, third, last] = ['segment-00002.ts', 'segment-00003.ts', 'segment-00004.ts'].map(sizeOf) as [
      number,
      number,
      number,
    ]
    expect(peakBandwidth).toBe(Math.ceil(Math.max((second * 8) / 6, ((third + last) * 8) / 8)))
    expect(averageBandwidth).toBe(Math.ceil((bytes * 8) / 20))
    const { variants } = parseMultivariantPlaylist(textOf(objects.at(-1) as OutputObject))
    expect(variants[0]).toMatchObject({ bandwidth: peakBandwidth, averageBandwidth })
  })

  it('are declared with headroom where the playlist grows', () => {
    const samples = video(0, 20, every(2)).map((sample) => ({ ...sample, data: new Uint8Array(10_000) }))
    const { objects, segmenter } = run({ playlistType: 'event', format: new RecordingFormat([camera]) }, samples)
    const { variants } = parseMultivariantPlaylist(
      textOf(objects.find(({ name }) => name === 'index.m3u8') as OutputObject),
    )
    expect(variants[0]?.bandwidth).toBeGreaterThan(7_200_000)
    expect(variants[0]?.bandwidth).toBeGreaterThan(segmenter.summary().peakBandwidth)
  })
})

describe('formats with an initialization section', () => {
  class CmafLike extends RecordingFormat {
    override readonly container = 'cmaf'
    override readonly contentType = 'video/mp4'
    override readonly extension = 'm4s'
    initialization(): Uint8Array {
      const latest = this.pushed.findLast(({ configuration }) => configuration?.kind === 'video')?.configuration
      return Buffer.from(`init ${latest?.kind === 'video' ? latest.width : 0}`)
    }
  }

  it('emit it where it changes, before the segment that needs it', () => {
    const samples = video(0, 20, every(2)).map((sample, index) =>
      index === 240 ? { ...sample, configuration: videoConfiguration(960, 540) } : sample,
    )
    const { objects } = run({ format: new CmafLike([camera]) }, samples)
    expect(namesOf(objects)).toEqual([
      'init-00001.mp4',
      'segment-00001.m4s',
      'segment-00002.m4s',
      'init-00003.mp4',
      'segment-00003.m4s',
      'segment-00004.m4s',
      'media.m3u8',
      'index.m3u8',
    ])
    const playlist = parseMediaPlaylist(textOf(objects.at(-2) as OutputObject))
    expect(playlist.version).toBe(6)
    expect(playlist.segments.map(({ map }) => map?.uri)).toEqual([
      'init-00001.mp4',
      'init-00001.mp4',
      'init-00003.mp4',
      'init-00003.mp4',
    ])
    expect(durations({ playlist } as never)).toEqual([6, 2, 6, 6])
  })

  it('describe a track only once it has sent something: it begins late then', () => {
    const format = new CmafLike([camera, microphone])
    const { objects } = run({ format }, merge(video(0, 20, every(2)), audio(7, 20)))
    const heads = objects
      .filter(({ name }) => name.startsWith('segment'))
      .map(({ body }) => `${linesOf(body)[0]}: ${linesOf(body).some((line) => line.startsWith('microphone'))}`)
    expect(heads).toEqual([
      'B camera microphone: false',
      'B camera microphone: false',
      'D camera microphone: true',
      'B camera microphone: true',
    ])
    // The format knows it from the start, and is not told twice.
    expect(format.added).toEqual([])
  })

  it('take a track that is there from the first segment on without a discontinuity', () => {
    const format = new CmafLike([camera, microphone])
    const { segmenter } = run({ format }, merge(video(0, 20, every(2)), audio(3, 20)))
    expect(segmenter.summary().discontinuities).toBe(0)
    expect(segmenter.stats.heldOff).toBe(0)
  })
})

describe('options', () => {
  const format = new RecordingFormat([camera])
  it.each([
    [{ segmentDuration: 0 }, 'segmentDuration'],
    [{ segmentDuration: Number.NaN }, 'segmentDuration'],
    [{ targetDuration: 10 }, 'targetDuration'],
    [{ playlistType: 'event', targetDuration: 5 }, 'targetDuration'],
    [{ playlistType: 'event', targetDuration: 6.5 }, 'targetDuration'],
    [{ maxSegmentDuration: 3 }, 'maxSegmentDuration'],
    [{ playlistType: 'VOD' as 'vod' }, 'playlistType'],
    [{ overdue: 'wait' as 'cut' }, 'overdue'],
    [{ windowSegments: 0 }, 'windowSegments'],
    [{ startedAtUs: 0.5 }, 'startedAtUs'],
    [{ bandwidth: -1 }, 'bandwidth'],
    [{ frameRate: 0 }, 'frameRate'],
    [{ codecs: [] }, 'codecs'],
    [{ codecs: ['avc1.42c01f,mp4a.40.2'] }, 'codecs'],
    [{ names: { segment: () => 'same.ts' } }, 'names.segment'],
    [{ names: { segment: (n) => `../${n}.ts` } }, 'names.segment'],
    [{ names: { mediaPlaylist: '' } }, 'names.mediaPlaylist'],
    [{ names: { mediaPlaylist: 'index.m3u8' } }, 'names.multivariantPlaylist'],
  ] satisfies [Partial<HlsSegmenterOptions>, string][])('%j is refused', (options, field) => {
    expect(() => new HlsSegmenter({ format, ...options })).toThrow(ConfigurationError)
    expect(() => new HlsSegmenter({ format, ...options })).toThrow(expect.objectContaining({ field }))
  })

  it('a track that is there already is refused', () => {
    expect(() => new HlsSegmenter({ format }).addTrack(camera)).toThrow(expect.objectContaining({ field: 'track.id' }))
  })

  it('items of unknown tracks are counted and dropped', () => {
    const { segmenter, objects } = run({}, [picture(0, true, { trackId: 'nobody' })])
    expect(segmenter.stats.unknownTrack).toBe(1)
    expect(objects).toEqual([])
  })
})
