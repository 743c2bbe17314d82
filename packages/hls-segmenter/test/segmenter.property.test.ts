import type { EncodedSample, OutputObject, TimedItem } from '@rushes/media'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  HlsSegmenter,
  type HlsSegmenterOptions,
  parseMediaPlaylist,
  parseMultivariantPlaylist,
  serializeMediaPlaylist,
} from '../src/index.js'
import { RecordingFormat } from './recording-format.js'
import { camera, microphone, picture, sound, textOf, videoConfiguration, view } from './samples.js'

/** What happens next on the one clock that both tracks share. */
const event = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('pictures' as const),
      count: fc.integer({ min: 1, max: 90 }),
      stepMs: fc.integer({ min: 1, max: 250 }),
    }),
  },
  { weight: 4, arbitrary: fc.constantFrom({ kind: 'keyframe' as const }, { kind: 'resize' as const }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('sound' as const), count: fc.integer({ min: 1, max: 200 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('hole' as const), ms: fc.integer({ min: 1, max: 40_000 }) }) },
  { weight: 1, arbitrary: fc.constantFrom({ kind: 'watermark' as const }, { kind: 'end' as const }) },
)
const input = fc.record({
  events: fc.array(event, { minLength: 1, maxLength: 30 }),
  durations: fc.boolean(),
  reorder: fc.boolean(),
})
const options: fc.Arbitrary<Partial<HlsSegmenterOptions>> = fc
  .record({
    playlistType: fc.constantFrom('vod', 'event', 'live'),
    segmentDuration: fc.constantFrom(0.5, 1, 2, 4, 6),
    headroom: fc.nat({ max: 3 }),
    overdue: fc.constantFrom('cut', 'discontinuity'),
    windowSegments: fc.integer({ min: 1, max: 5 }),
    startedAtUs: fc.constantFrom(undefined, 1_700_000_000_123_456),
  })
  .map(({ headroom, startedAtUs, ...rest }) => ({
    ...rest,
    ...(startedAtUs === undefined ? {} : { startedAtUs }),
    ...(rest.playlistType === 'vod'
      ? {}
      : { targetDuration: Math.max(1, Math.round(rest.segmentDuration)) + headroom }),
  }))

type Input = typeof input extends fc.Arbitrary<infer T> ? T : never

/** The events as interleaved items. Sound and pictures run side by side from where the clock stands. */
function itemsOf({ events, durations, reorder }: Input): TimedItem[] {
  const items: { readonly at: number; readonly item: TimedItem }[] = []
  let pictureMs = 0
  let soundMs = 0
  let width = 640
  let ended = false
  let keyframe = true
  let fresh = true
  for (const next of events) {
    if (next.kind === 'keyframe' || next.kind === 'resize') {
      keyframe = true
      if (next.kind === 'resize') {
        width += 16
        fresh = true
      }
    } else if (next.kind === 'pictures' && !ended) {
      for (let n = 0; n < next.count; n++) {
        const ticks = pictureMs * 90
        const delay = reorder ? ((n % 3) + 1) * next.stepMs * 90 : 0
        const sample = picture(0, keyframe, {
          dts: ticks,
          pts: ticks + (keyframe && reorder ? next.stepMs * 90 : delay),
          ...(durations ? { duration: next.stepMs * 90 } : {}),
          ...(fresh && keyframe ? { configuration: videoConfiguration(width) } : {}),
        })
        if (keyframe) fresh = false
        keyframe = false
        items.push({ at: pictureMs, item: sample })
        pictureMs += next.stepMs
      }
    } else if (next.kind === 'sound') {
      for (let n = 0; n < next.count; n++) {
        items.push({ at: soundMs, item: sound(soundMs / 1000, { duration: durations ? 960 : 1024 }) })
        soundMs += 20
      }
    } else if (next.kind === 'hole') {
      pictureMs = soundMs = Math.max(pictureMs, soundMs) + next.ms
    } else if (next.kind === 'watermark') {
      const at = Math.max(pictureMs, soundMs)
      pictureMs = soundMs = at
      items.push({ at, item: { type: 'watermark', trackId: 'microphone', dts: at * 48 } })
    } else if (next.kind === 'end') {
      ended = true
      items.push({ at: pictureMs, item: { type: 'track-end', trackId: 'camera' } })
    }
  }
  return items.sort((left, right) => left.at - right.at).map(({ item }) => item)
}

function segment(given: Partial<HlsSegmenterOptions>, items: readonly TimedItem[]) {
  const format = new RecordingFormat([camera, microphone])
  const segmenter = new HlsSegmenter({ format, ...given })
  const objects: OutputObject[] = []
  for (const item of items) segmenter.push(item, (object) => objects.push(object))
  segmenter.flush((object) => objects.push(object))
  return { format, segmenter, objects, ...pick(objects) }
}

function pick(objects: OutputObject[]) {
  const { segments, playlists } = view(objects)
  return { segments, playlists }
}

describe('HlsSegmenter', () => {
  it('puts every sample into exactly one segment, in order, and loses only what it counts', () => {
    fc.assert(
      fc.property(input, options, (given, settings) => {
        const items = itemsOf(given)
        const { segmenter, segments } = segment(settings, items)
        const samples = items.filter((item): item is EncodedSample => item.type === 'sample')
        const written = segments.flatMap(({ lines }) => lines.filter((line) => /^(camera|microphone)/.test(line)))
        const expected = samples.map(
          ({ trackId, dts, pts, keyframe }) => `${trackId} ${dts} ${pts}${keyframe ? ' K' : ''}`,
        )
        const { samples: counted, droppedVideo, heldOff } = segmenter.stats
        expect(written).toHaveLength(counted)
        expect(counted + droppedVideo + heldOff).toBe(samples.length)
        expect(heldOff).toBe(0)
        // A subsequence, in the same order.
        let at = 0
        for (const line of written) {
          while (at < expected.length && expected[at] !== line) at++
          expect(at).toBeLessThan(expected.length)
          at++
        }
        if (settings.overdue === 'cut') {
          // Only what came before the first keyframe is lost.
          const first = samples.findIndex(({ trackId, keyframe }) => trackId === 'camera' && keyframe)
          const before = samples.filter(({ trackId }, index) => trackId === 'camera' && (first < 0 || index < first))
          expect(droppedVideo).toBe(before.length)
        }
      }),
    )
  })

  it('takes a track that joins at any time, and counts what it leaves out', () => {
    fc.assert(
      fc.property(input, options, fc.nat({ max: 400 }), fc.boolean(), (given, settings, joinAt, cameraFirst) => {
        const items = itemsOf(given)
        const [first, late] = cameraFirst ? [camera, microphone] : [microphone, camera]
        const format = new RecordingFormat([first])
        const segmenter = new HlsSegmenter({ format, ...settings })
        const objects: OutputObject[] = []
        const from = Math.min(joinAt, items.length)
        items.forEach((item, index) => {
          if (index === from) segmenter.addTrack(late)
          // The format throws if it is given a track that its tables do not name.
          segmenter.push(item, (object) => objects.push(object))
        })
        segmenter.flush((object) => objects.push(object))
        const unknown = items.slice(0, from).filter(({ trackId }) => trackId === late.id).length
        const samples = items.filter(
          (item, index) => item.type === 'sample' && (index >= from || item.trackId === first.id),
        )
        const { samples: written, droppedVideo, heldOff, unknownTrack } = segmenter.stats
        expect(unknownTrack).toBe(unknown)
        expect(written + droppedVideo + heldOff).toBe(samples.length)
        expect(format.pushed).toHaveLength(written)
        if (!cameraFirst) expect(heldOff).toBe(0)
        // The tables change at a discontinuity only, unless nothing was written before.
        const begins = view(objects).segments.map(({ lines: [begin = ''] }) => begin)
        begins.forEach((begin, index) => {
          if (index > 0 && begin.slice(1) !== begins[index - 1]?.slice(1)) expect(begin[0]).toBe('D')
        })
      }),
    )
  })

  it('keeps to the target duration, to the true times and to its word', () => {
    fc.assert(
      fc.property(input, options, (given, settings) => {
        const { segmenter, segments, playlists, objects } = segment(settings, itemsOf(given))
        const stored = new Set<string>()
        const lines = new Map<number, string>()
        let header: object | undefined
        for (const object of objects) {
          stored.add(object.name)
          if (object.name !== 'media.m3u8') continue
          const text = textOf(object)
          const playlist = parseMediaPlaylist(text)
          expect(serializeMediaPlaylist(playlist)).toBe(text)
          const { targetDuration, version, independentSegments, playlistType } = playlist
          header ??= { targetDuration, version, independentSegments, playlistType }
          expect({ targetDuration, version, independentSegments, playlistType }).toEqual(header)
          playlist.segments.forEach((one, index) => {
            expect(stored.has(one.uri)).toBe(true)
            expect(Math.round(one.durationUs / 1e6)).toBeLessThanOrEqual(targetDuration)
            // Under its number every segment says the same for ever.
            const number = playlist.mediaSequence + index
            expect(lines.get(number) ?? JSON.stringify(one)).toBe(JSON.stringify(one))
            lines.set(number, JSON.stringify(one))
          })
        }
        if (settings.playlistType === 'event') {
          playlists.forEach((text, index) => {
            expect(text.startsWith((playlists[index - 1] ?? '').replace(/#EXT-X-ENDLIST\n$/, ''))).toBe(true)
            expect(text.includes('ENDLIST')).toBe(index === playlists.length - 1)
          })
        }
        if (playlists.length === 0) {
          expect(segments).toHaveLength(0)
          return
        }
        const last = parseMediaPlaylist(playlists.at(-1) ?? '')
        expect(last.endList).toBe(true)
        const summary = segmenter.summary()
        expect(summary.segments).toBe(segments.length)
        expect(summary.targetDuration).toBe(last.targetDuration)
        expect(summary.discontinuities).toBe(segments.filter(({ lines: [begin] }) => begin?.startsWith('D')).length)
        if (last.independentSegments) {
          for (const { lines: own } of segments) {
            const first = own.find((line) => line.startsWith('camera'))
            expect(first === undefined || first.endsWith('K')).toBe(true)
          }
        }
        if (settings.playlistType !== 'live') checkTimes(last.segments, segments, settings.startedAtUs)
        const multivariants = objects.filter(({ name }) => name === 'index.m3u8')
        expect(multivariants).toHaveLength(1)
        const { variants } = parseMultivariantPlaylist(textOf(multivariants[0] as OutputObject))
        if (settings.playlistType === 'vod') expect(variants[0]?.bandwidth).toBe(summary.peakBandwidth)
      }),
    )
  })
})

/** EXTINF and dates against the presentation times of the samples. */
function checkTimes(
  listed: ReturnType<typeof parseMediaPlaylist>['segments'],
  segments: readonly { readonly lines: readonly string[] }[],
  startedAtUs: number | undefined,
): void {
  expect(listed).toHaveLength(segments.length)
  const ptsUs = (line: string): number => {
    const [track, , pts] = line.split(' ')
    return Math.round((Number(pts) * 1_000_000) / (track === 'camera' ? 90_000 : 48_000))
  }
  if (startedAtUs === undefined) return
  // A date is rounded to the millisecond.
  const startsUs = listed.map(({ programDateTimeMs }) => (programDateTimeMs ?? Number.NaN) * 1000 - startedAtUs)
  segments.forEach(({ lines }, index) => {
    const own = lines.filter((line) => /^(camera|microphone)/.test(line))
    const startUs = startsUs[index] ?? Number.NaN
    const before = listed[index - 1]
    if (before === undefined) {
      expect(Math.abs(startUs - Math.min(...own.map(ptsUs)))).toBeLessThanOrEqual(500)
      return
    }
    const gapUs = startUs - ((startsUs[index - 1] ?? Number.NaN) + before.durationUs)
    // Each segment begins where the one before ended; after a hole, later.
    expect(gapUs).toBeGreaterThanOrEqual(-1000)
    if (listed[index]?.discontinuity === true) return
    expect(gapUs).toBeLessThanOrEqual(1000)
    const [first = ''] = own
    if (first.endsWith('K')) expect(Math.abs(startUs - ptsUs(first))).toBeLessThanOrEqual(501)
  })
}
