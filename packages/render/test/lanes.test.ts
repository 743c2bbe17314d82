import type { TimedItem, VideoTrack } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { assignLane, type Lane, LaneMerger } from '../src/lanes.js'
import { audio, picture, short, size, video } from './samples.js'

const span = (id: string, startMs: number, endMs: number | undefined, more: Partial<VideoTrack> = {}) => ({
  track: { ...video, id, ...more },
  startUs: startMs * 1000,
  endUs: endMs === undefined ? undefined : endMs * 1000,
})

describe('assignLane', () => {
  it.each([
    ['one after the other', span('v2', 5000, 9000), 1],
    ['that overlap by what a reconnection takes', span('v2', 3750, 9000), 1],
    ['that overlap by more', span('v2', 3749, 9000), 2],
    ['of another codec', span('v2', 5000, 9000, { codec: 'vp8' }), 2],
    ['of another clock', span('v2', 5000, 9000, { clockRate: 48_000 }), 2],
    ['of another kind', { track: { ...audio, id: 'a2' }, startUs: 5_000_000, endUs: 9_000_000 }, 2],
  ])('puts tracks %s where they belong', (_what, next, expected) => {
    const lanes: Lane[] = []
    expect(assignLane(lanes, span('v1', 0, 4000)).isNew).toBe(true)
    const second = assignLane(lanes, next)
    expect(second.isNew).toBe(expected === 2)
    expect(lanes).toHaveLength(expected)
    expect(second.lane.trackIds).toContain(next.track.id)
    expect(second.lane.endUs).toBe(9_000_000)
  })

  it('does not wait for a track whose end is not known', () => {
    const lanes: Lane[] = []
    assignLane(lanes, span('v1', 0, undefined))
    expect(assignLane(lanes, span('v2', 60_000, undefined)).isNew).toBe(true)
  })

  it('names a lane after its first track, and frees it at the end of its last', () => {
    const lanes: Lane[] = []
    assignLane(lanes, span('v1', 0, 1000))
    assignLane(lanes, span('v2', 1000, 2000))
    expect(assignLane(lanes, span('v3', 1500, 3000)).isNew).toBe(true)
    expect(assignLane(lanes, span('v4', 2000, 3000)).isNew).toBe(false)
    expect(lanes.map(({ track, trackIds }) => [track.id, trackIds])).toEqual([
      ['v1', ['v1', 'v2', 'v4']],
      ['v3', ['v3']],
    ])
  })
})

describe('LaneMerger', () => {
  const lane = (endUs?: number): Lane => ({ track: { ...video, id: 'v1' }, trackIds: ['v1', 'v2'], endUs })
  function merge(items: readonly TimedItem[], merger: LaneMerger): TimedItem[] {
    const out: TimedItem[] = []
    for (const item of items) merger.push(item, (merged) => void out.push(merged))
    return out
  }
  const of = (trackId: string, ms: number, keyframe = false) => picture(ms, { trackId, keyframe })

  it('makes one track of two, and says where they join', () => {
    const merger = new LaneMerger(lane())
    const out = merge([of('v1', 0, true), of('v1', 20), of('v2', 100, true), of('v2', 120)], merger)
    expect(short(out)).toBe('v10K v120 v1100K v1120')
    expect(out.map((item) => item.type === 'sample' && item.discontinuity === true)).toEqual([
      false,
      false,
      true,
      false,
    ])
  })

  it('leaves out, and counts, what lies before what was said', () => {
    const merger = new LaneMerger(lane())
    expect(short(merge([of('v1', 100), of('v2', 90), of('v2', 100), of('v2', 101)], merger))).toBe('v1100 v1101')
    expect(merger.stats.overlapping).toBe(2)
  })

  it('promises only what all of its tracks promise, and an ended one anything', () => {
    const merger = new LaneMerger(lane())
    const promise = (trackId: string, ms: number): TimedItem => ({ type: 'watermark', trackId, dts: ms * 90 })
    expect(merge([promise('v1', 100)], merger)).toEqual([])
    expect(short(merge([promise('v2', 50)], merger))).toBe('v1>50')
    expect(short(merge([{ type: 'track-end', trackId: 'v2' }], merger))).toBe('v1>100')
    expect(merge([promise('v1', 100)], merger)).toEqual([])
    expect(merger.idle).toBe(false)
    merge([{ type: 'track-end', trackId: 'v1' }], merger)
    expect(merger.idle).toBe(true)
  })

  it('does not promise past a known end', () => {
    const merger = new LaneMerger(lane(80_000))
    const ends: TimedItem[] = [
      { type: 'track-end', trackId: 'v2' },
      { type: 'watermark', trackId: 'v1', dts: 9000 },
    ]
    expect(short(merge(ends, merger))).toBe('v1>80')
  })

  it('knows when all of its tracks are past its end', () => {
    const merger = new LaneMerger(lane(80_000))
    merge([{ type: 'watermark', trackId: 'v1', dts: 7200 }], merger)
    expect(merger.pastEnd).toBe(false)
    merge([{ type: 'watermark', trackId: 'v2', dts: 7199 }], merger)
    expect(merger.pastEnd).toBe(false)
    merge([{ type: 'track-end', trackId: 'v2' }], merger)
    expect(merger.pastEnd).toBe(true)
  })

  it('ends once', () => {
    const merger = new LaneMerger(lane())
    const out: TimedItem[] = []
    merger.close((item) => void out.push(item))
    merger.close((item) => void out.push(item))
    expect(out).toEqual([{ type: 'track-end', trackId: 'v1' }])
  })

  it('keeps everything of a sample, and does not join its NAL units', () => {
    let joined = 0
    const pieces = [[Uint8Array.of(1)]]
    const sample = {
      ...of('v2', 5, true),
      pieces,
      duration: 7,
      configuration: size(2, 2),
      lostPackets: 3,
      arrivalUs: 9,
      discontinuity: true,
      get data() {
        joined++
        return [Uint8Array.of(1)]
      },
    }
    const [out] = merge([sample], new LaneMerger(lane()))
    expect(joined).toBe(0)
    expect(out).toEqual({ ...sample, trackId: 'v1' })
  })
})
