import type { EncodedSample, OutputObject, TimedItem, Track } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { HlsSegmenter, parseMultivariantPlaylist } from '../src/index.js'
import { RecordingFormat } from './recording-format.js'
import {
  audio,
  camera,
  durations,
  every,
  merge,
  microphone,
  picture,
  type Run,
  run,
  screen,
  sound,
  textOf,
  video,
  videoConfiguration,
  view,
} from './samples.js'

const videoOnly = (): RecordingFormat => new RecordingFormat([camera])
const audioOnly = (): RecordingFormat => new RecordingFormat([microphone])
/** The first video line of each segment. */
const firstVideo = ({ segments }: Run): (string | undefined)[] =>
  segments.map(({ lines }) => lines.find((line) => line.startsWith('camera')))
const startsWithKeyframe = (result: Run): boolean[] => firstVideo(result).map((line) => line?.endsWith('K') ?? false)
const discontinuities = ({ playlist }: Run): number[] =>
  playlist.segments.flatMap(({ discontinuity }, index) => (discontinuity ? [index] : []))

describe('where segments are cut', () => {
  it.each([
    { name: 'at the first keyframe at or after the aim', gop: 2, to: 20, expected: [6, 6, 6, 2] },
    { name: 'past the aim where the keyframe comes later', gop: 4, to: 20, expected: [8, 8, 4] },
    { name: 'at every keyframe where they are rarer than the aim', gop: 10, to: 25, expected: [10, 10, 5] },
    { name: 'nowhere in a short take', gop: 10, to: 4, expected: [4] },
  ])('$name', ({ gop, to, expected }) => {
    const result = run({ format: videoOnly() }, video(0, to, every(gop)))
    expect(durations(result)).toEqual(expected)
    expect(startsWithKeyframe(result)).toEqual(expected.map(() => true))
    expect(result.playlist.independentSegments).toBe(true)
  })

  it('never on audio while there is video', () => {
    const result = run({}, merge(audio(0, 20), video(0, 20, every(4))))
    expect(startsWithKeyframe(result)).toEqual([true, true, true])
    expect(
      result.segments.map(({ lines }) => lines.slice(1).find((line) => /^(camera|microphone)/.test(line))),
    ).toEqual(
      ['microphone 0 0', 'camera 720000 720000 K', 'camera 1440000 1440000 K'].map((line) =>
        line.startsWith('microphone') ? `${line} K` : line,
      ),
    )
  })

  it('on any audio frame once the aim is reached, where there is no video', () => {
    const result = run({ format: audioOnly() }, audio(0, 20))
    expect(durations(result).slice(0, -1)).toEqual([6.016, 6.016, 6.016])
    expect(result.playlist.independentSegments).toBe(true)
    const multivariant = parseMultivariantPlaylist(textOf(result.objects.at(-1) as never))
    expect(multivariant.variants[0]).toMatchObject({ uri: 'media.m3u8', codecs: ['mp4a.40.2'] })
    expect(multivariant.variants[0]).not.toHaveProperty('resolution')
  })

  it('on audio before the video has begun, and after it has ended', () => {
    const end: TimedItem = { type: 'track-end', trackId: 'camera' }
    const all = merge(audio(0, 60), video(20, 40, every(2)))
    const at = all.findIndex((sample) => sample.trackId === 'microphone' && sample.dts > 40 * 48_000)
    const result = run({}, [...all.slice(0, at), end, ...all.slice(at)])
    // 0 to 18 on audio; the keyframe at 26 is the first that is 6 s from 18.048 and in a segment with video.
    expect(durations(result).slice(0, 3)).toEqual([6.016, 6.016, 6.016])
    // The segment in which the video ends, at 40, goes on until its sound has been alone for 6 s.
    expect(durations(result).slice(6)).toEqual([8.016, 6.016, 6.016, 1.962667])
    expect(result.playlist.independentSegments).toBe(true)
    expect(discontinuities(result)).toEqual([])
  })

  it('not on audio that ends a moment after the video: no stub without a picture', () => {
    const end: TimedItem = { type: 'track-end', trackId: 'camera' }
    const result = run({}, [...merge(audio(0, 19), video(0, 18, every(2))), end])
    const late = merge(audio(0, 19), video(0, 18, every(2)))
    const at = late.findIndex((sample) => sample.trackId === 'microphone' && sample.dts > 18 * 48_000)
    const ended = run({}, [...late.slice(0, at), end, ...late.slice(at)])
    expect(ended.playlist.segments).toHaveLength(3)
    expect(durations(ended)).toEqual(durations(result))
  })

  it('at the keyframe nearest to the ceiling where the next one would be past it', () => {
    const result = run({ playlistType: 'event', targetDuration: 6, format: videoOnly() }, video(0, 26, every(5)))
    // The first interval has to be learnt; from then on every cut falls on a keyframe.
    expect(startsWithKeyframe(result).slice(2)).toEqual([true, true, true, true])
    expect(Math.max(...durations(result))).toBeLessThan(6.5)
  })

  it('ends the last segment where the longest presentation ends', () => {
    const result = run({}, merge(audio(0, 7), video(0, 6.5, every(10))))
    const frames = Math.ceil((7 * 48_000) / 1024 - 1e-9)
    expect(durations(result)).toEqual([(frames * 1024) / 48_000].map((seconds) => Math.round(seconds * 1e6) / 1e6))
  })

  it('starts the first segment at the earliest presentation of all tracks', () => {
    const late = video(0.05, 8, every(2)).map((sample) => ({ ...sample, dts: sample.dts - 4500 }))
    const result = run({ startedAtUs: 1_000_000_000 }, [late[0] as EncodedSample, sound(0.01), ...late.slice(1)])
    expect(result.segmenter.summary().startUs).toBe(10_000)
    expect(result.playlist.segments[0]?.programDateTimeMs).toBe(1_000_010)
  })

  it('cuts at the presentation time of the keyframe where pictures are reordered', () => {
    // I0 P3 B1 B2 and so on, decoded a frame early: each group of 60 closes before the next IDR.
    const samples: EncodedSample[] = []
    for (let group = 0; group < 10; group++) {
      for (let n = 0; n < 60; n++) {
        const shown = n === 0 ? 0 : n % 3 === 1 ? Math.min(n + 2, 59) : n - 1
        const dts = (group * 60 + n) * 3000
        samples.push(
          picture(0, n === 0, {
            dts,
            pts: (group * 60 + shown + 1) * 3000,
            duration: 3000,
            ...(samples.length === 0 ? { configuration: { ...videoConfiguration(), reorderDepth: 1 } } : {}),
          }),
        )
      }
    }
    const result = run({ format: videoOnly() }, samples)
    expect(durations(result)).toEqual([6, 6, 6, 2])
    let latestUs = 0
    result.segments.forEach(({ lines }, index) => {
      const shown = lines.filter((line) => line.startsWith('camera')).map((line) => Number(line.split(' ')[2]))
      if (index > 0) expect(Math.min(...shown)).toBeGreaterThan(latestUs)
      latestUs = Math.max(...shown)
    })
  })
})

describe('the declared ceiling', () => {
  it('leaves room for keyframes that come late', () => {
    const result = run({ playlistType: 'event', format: videoOnly() }, video(0, 30, every(10)))
    expect(result.playlist.targetDuration).toBe(12)
    expect(durations(result)).toEqual([10, 10, 10])
    expect(startsWithKeyframe(result)).toEqual([true, true, true])
    expect(result.playlist.independentSegments).toBe(false)
  })

  it('is kept by a cut on a picture that is no keyframe', () => {
    const result = run({ playlistType: 'event', targetDuration: 6, format: videoOnly() }, video(0, 30, every(100)))
    expect(startsWithKeyframe(result)).toEqual([true, false, false, false, false])
    expect(durations(result).every((seconds) => Math.round(seconds) <= 6)).toBe(true)
    expect(result.playlists.every((text) => !text.includes('INDEPENDENT'))).toBe(true)
    expect(discontinuities(result)).toEqual([])
    expect(result.segmenter.stats).toMatchObject({ overdueCuts: 4, droppedVideo: 0 })
    expect(durations(result).reduce((sum, seconds) => sum + seconds, 0)).toBeCloseTo(30, 6)
  })

  it("is kept with 'discontinuity' by leaving video out until a keyframe", () => {
    const result = run(
      { playlistType: 'event', targetDuration: 6, overdue: 'discontinuity', format: videoOnly() },
      video(0, 30, every(10)),
    )
    expect(result.playlists.every((text) => text.includes('#EXT-X-INDEPENDENT-SEGMENTS'))).toBe(true)
    expect(startsWithKeyframe(result).every(Boolean)).toBe(true)
    expect(discontinuities(result)).toEqual([1, 2])
    expect(result.segmenter.stats.droppedVideo).toBeGreaterThan(200)
    expect(durations(result).every((seconds) => Math.round(seconds) <= 6)).toBe(true)
  })

  it("goes on with audio while 'discontinuity' leaves video out", () => {
    const result = run(
      { playlistType: 'event', targetDuration: 6, overdue: 'discontinuity' },
      merge(audio(0, 30), video(0, 30, every(10))),
    )
    const heard = result.segments.flatMap(({ lines }) => lines.filter((line) => line.startsWith('microphone')))
    expect(heard).toHaveLength(audio(0, 30).length)
    expect(firstVideo(result).every((line) => line === undefined || line.endsWith('K'))).toBe(true)
    expect(discontinuities(result).length).toBeGreaterThan(0)
    expect(result.segmenter.stats.holes).toBe(0)
  })

  it('bounds vod as well, where it is computed afterwards and independence is claimed only if it came true', () => {
    const result = run({ segmentDuration: 2, format: videoOnly() }, video(0, 25, every(100)))
    expect(startsWithKeyframe(result)).toEqual([true, false, false])
    expect(durations(result).every((seconds) => seconds <= 10)).toBe(true)
    expect(result.playlist.targetDuration).toBe(10)
    expect(result.playlist.independentSegments).toBe(false)
    expect(result.playlists).toHaveLength(1)
  })

  it('falls on audio while the camera is off', () => {
    const result = run(
      { playlistType: 'event', targetDuration: 8 },
      merge(
        audio(0, 40),
        video(0, 3, every(2)),
        video(33, 40, every(2)).map(({ configuration: _, ...sample }) => sample),
      ),
    )
    expect(durations(result).every((seconds) => Math.round(seconds) <= 8)).toBe(true)
    expect(discontinuities(result)).toEqual([])
    expect(result.segmenter.stats).toMatchObject({ overdueCuts: 0, holes: 0 })
    const total = durations(result).reduce((sum, seconds) => sum + seconds, 0)
    expect(total).toBeCloseTo((audio(0, 40).length * 1024) / 48_000, 5)
  })
})

describe('holes', () => {
  const gap = [...video(0, 3, every(10)), ...video(33, 41, every(2)).map(({ configuration: _, ...sample }) => sample)]

  it('make one long segment in vod, without EXT-X-DISCONTINUITY', () => {
    const marked = gap.map((sample, index) => (index === 90 ? { ...sample, discontinuity: true } : sample))
    const result = run({ format: videoOnly() }, marked)
    expect(durations(result)).toEqual([33, 6, 2])
    expect(result.playlist.targetDuration).toBe(33)
    expect(discontinuities(result)).toEqual([])
    expect(result.playlist.independentSegments).toBe(true)
  })

  it('do not make vod cut where no keyframe is: they take no memory', () => {
    const resumed = video(33, 41, () => false).map(({ configuration: _, ...sample }) => sample)
    const result = run({ format: videoOnly() }, [...video(0, 3, every(10)), ...resumed])
    expect(durations(result)).toEqual([41])
  })

  it('end the segment in event and live, and the next one has its own time', () => {
    const result = run({ playlistType: 'event', format: videoOnly(), startedAtUs: 1_700_000_000_000_000 }, gap)
    expect(durations(result)).toEqual([3, 6, 2])
    expect(discontinuities(result)).toEqual([1])
    expect(result.playlist.segments.map(({ programDateTimeMs = 0 }) => programDateTimeMs - 1_700_000_000_000)).toEqual([
      0, 33_000, 39_000,
    ])
    expect(result.segmenter.stats.holes).toBe(1)
  })

  it('shorter than the ceiling are left to timing', () => {
    const result = run({ playlistType: 'event', format: videoOnly() }, [
      ...video(0, 3, every(10)),
      ...video(8, 20, every(2)).map(({ configuration: _, ...sample }) => sample),
    ])
    expect(durations(result)).toEqual([8, 6, 6])
    expect(discontinuities(result)).toEqual([])
  })

  it('are published as soon as a watermark shows them', () => {
    const watermark: TimedItem = { type: 'watermark', trackId: 'camera', dts: 13 * 90_000 }
    const before = run({ playlistType: 'event', format: videoOnly() }, video(0, 3, every(10)))
    const result = run({ playlistType: 'event', format: videoOnly() }, [...video(0, 3, every(10)), watermark])
    expect(before.playlists).toHaveLength(1)
    expect(result.playlists).toHaveLength(2)
    expect(result.playlists[0]).not.toContain('ENDLIST')
    expect(result.playlists[1]).toBe(`${result.playlists[0]}#EXT-X-ENDLIST\n`)
    expect(durations(result)).toEqual([3])
  })
})

describe('what begins a segment of its own', () => {
  it('a new picture size, even early, after EXT-X-DISCONTINUITY', () => {
    const samples = video(0, 12, every(2)).map((sample, index) =>
      index === 60 ? { ...sample, configuration: videoConfiguration(960, 540) } : sample,
    )
    const result = run({ format: videoOnly() }, samples)
    expect(durations(result)).toEqual([2, 6, 4])
    expect(discontinuities(result)).toEqual([1])
    expect(result.segments[1]?.lines[0]).toBe('D camera')
    expect(result.segmenter.summary().resolutions).toEqual([
      { width: 640, height: 360 },
      { width: 960, height: 540 },
    ])
    const multivariant = parseMultivariantPlaylist(textOf(result.objects.at(-1) as never))
    expect(multivariant.variants[0]?.resolution).toEqual({ width: 960, height: 540 })
  })

  it('not other parameter sets that say the same', () => {
    const samples = video(0, 12, every(2)).map((sample, index) =>
      index === 60
        ? {
            ...sample,
            configuration: { ...videoConfiguration(), parameterSets: { sps: [new Uint8Array(9)], pps: [] } },
          }
        : sample,
    )
    expect(discontinuities(run({ format: videoOnly() }, samples))).toEqual([])
  })

  it('not loss, mute or a gap', () => {
    const samples = video(0, 12, every(2)).map((sample, index) =>
      index % 7 === 3 ? { ...sample, discontinuity: true } : sample,
    )
    expect(discontinuities(run({ format: videoOnly() }, samples))).toEqual([])
  })

  it('a camera that joins a recording of sound', () => {
    const format = audioOnly()
    const result = run({ format }, merge(audio(0, 14), video(9, 14, every(2))), (segmenter) =>
      segmenter.addTrack(camera),
    )
    expect(format.added).toEqual(['camera'])
    // Announced before anything was written, it is in the tables from the start.
    expect(discontinuities(result)).toEqual([])

    const later = audioOnly()
    const items = merge(audio(0, 14), video(9, 14, every(2)))
    const joined = runLate(later, items, camera)
    expect(joined.discontinuities).toEqual([2])
    expect(joined.headers).toEqual(['B microphone', 'B microphone', 'D microphone camera'])
    expect(joined.firstOfLast).toBe('camera 810000 810000 K')
    expect(later.pushed).toHaveLength(items.length)
  })

  it('a microphone that joins video, at the next keyframe, which is asked for', () => {
    const format = videoOnly()
    const late = audio(3, 14)
    const result = runLate(format, merge(video(0, 14, every(2)), late), microphone)
    expect(result.headers).toEqual(['B camera', 'D camera microphone', 'B camera microphone'])
    expect(result.starts).toEqual([0, 4, 10])
    expect(result.heldOff).toBe(late.filter(({ dts }) => dts < 4 * 48_000).length)
    expect(result.signals).toEqual(['camera boundary-overdue'])
    // The configuration went with a sample that was held off: the first one written has it.
    expect(format.pushed.find(({ trackId }) => trackId === 'microphone')?.configuration).toMatchObject({
      kind: 'audio',
    })
  })

  it('a second camera, at a keyframe of the first one and from its own next keyframe on', () => {
    const format = videoOnly()
    const second = video(3, 14, every(1)).map((sample) => ({ ...sample, trackId: 'screen' }))
    const result = runLate(format, merge(video(0, 14, every(2)), second), screen)
    expect(result.headers).toEqual(['B camera', 'D camera screen', 'B camera screen'])
    expect(format.pushed.find(({ trackId }) => trackId === 'screen')).toMatchObject({ dts: 4 * 90_000, keyframe: true })
  })
})

describe('keyframes are asked for', () => {
  it('once per boundary, when the aim has passed', () => {
    const result = run({ playlistType: 'event' }, merge(audio(0, 30), video(0, 30, every(10))))
    expect(result.signals).toEqual([
      'camera boundary-overdue 6.00',
      'camera boundary-overdue 16.00',
      'camera boundary-overdue 26.00',
    ])
  })

  it('a second before the ceiling where that is close to the aim', () => {
    const result = run({ playlistType: 'event', targetDuration: 6, format: videoOnly() }, video(0, 6.3, every(10)))
    expect(result.signals).toEqual(['camera boundary-overdue 5.00'])
  })

  it('at the start, where the first picture is none', () => {
    const samples = video(0, 4, (_at, index) => index === 20)
    const result = run({ format: videoOnly() }, samples)
    expect(result.signals).toEqual(['camera start 0.00'])
    expect(result.segmenter.stats).toMatchObject({ droppedVideo: 20, samples: 100 })
    expect(result.format.pushed[0]?.configuration).toBeDefined()
  })

  it('not where they come in time', () => {
    const result = run({ playlistType: 'event' }, merge(audio(0, 30), video(0, 30, every(2))))
    expect(result.signals).toEqual([])
  })
})

/** Announces `track` once the first sample is in. */
function runLate(format: RecordingFormat, items: readonly EncodedSample[], track: Track) {
  const signals: string[] = []
  const objects: OutputObject[] = []
  const segmenter = new HlsSegmenter({
    format,
    onSignal: ({ trackId, reason }) => signals.push(`${trackId} ${reason}`),
  })
  items.forEach((item, index) => {
    segmenter.push(item, (object) => objects.push(object))
    if (index === 0) segmenter.addTrack(track)
  })
  segmenter.flush((object) => objects.push(object))
  const { segments, playlist } = view(objects)
  const seconds = playlist.segments.map(({ durationUs }) => durationUs / 1e6)
  return {
    discontinuities: playlist.segments.flatMap(({ discontinuity }, index) => (discontinuity ? [index] : [])),
    headers: segments.map(({ lines }) => lines[0]),
    firstOfLast: segments.at(-1)?.lines[1],
    starts: seconds.map((_, index) => seconds.slice(0, index).reduce((sum, duration) => sum + duration, 0)),
    heldOff: segmenter.stats.heldOff,
    signals,
  }
}
