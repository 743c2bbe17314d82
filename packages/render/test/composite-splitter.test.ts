import type { EncodedSample, TimedItem, VideoTrack } from '@rushes/media'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CompositeSplitter, type SplitItems } from '../src/composite-splitter.js'

const FPS = 15
const TICKS = 90_000 / FPS
const track = (id: string): VideoTrack => ({ id, kind: 'video', codec: 'h264', clockRate: 90_000 })
const picture = (trackId: string, frame: number, keyframe = false): EncodedSample => ({
  type: 'sample',
  trackId,
  data: [],
  pts: frame * TICKS,
  dts: frame * TICKS,
  keyframe,
})
const sound = (dts: number): EncodedSample => ({
  type: 'sample',
  trackId: 'sound',
  data: [],
  pts: dts,
  dts,
  keyframe: true,
})

function split(ids: readonly string[], items: readonly TimedItem[]): SplitItems[] {
  const splitter = new CompositeSplitter(ids.map(track), FPS)
  const splits: SplitItems[] = []
  for (const item of items) splitter.push(item, (one) => splits.push(one))
  return splits
}

describe('composed media', () => {
  it('is cut at keyframes of the picture, with the sound that has come; the rest is never whole', () => {
    const items = [
      picture('v', 30, true),
      sound(96_000),
      picture('v', 31),
      sound(97_024),
      picture('v', 32, true),
      sound(98_048),
      picture('v', 33),
      picture('v', 34, true),
      picture('v', 35),
      { type: 'track-end', trackId: 'v' } as const,
    ]
    expect(split(['v'], items)).toEqual([
      { frame: 30, nextFrame: 32, items: items.slice(0, 4) },
      { frame: 32, nextFrame: 34, items: items.slice(4, 7) },
    ])
  })

  it('waits for all sizes of the picture, however far one is ahead', () => {
    const ahead = [picture('v', 0, true), picture('v', 1, true), picture('v', 2), picture('v', 3, true)]
    const behind = [picture('w', 0, true), picture('w', 1, true), picture('w', 2), picture('w', 3, true)]
    const splits = split(['v', 'w'], [...ahead, sound(0), ...behind])
    expect(splits.map(({ frame, nextFrame }) => [frame, nextFrame])).toEqual([
      [0, 1],
      [1, 3],
    ])
    expect(splits[0]?.items).toEqual([ahead[0], sound(0), behind[0]])
    expect(splits[1]?.items).toEqual([ahead[1], ahead[2], behind[1], behind[2]])
  })

  it('is not cut where one size has no keyframe', () => {
    const items = [
      ...[picture('v', 0, true), picture('w', 0, true), picture('v', 1, true), picture('w', 1)],
      ...[picture('w', 2), picture('v', 2), picture('v', 3, true), picture('w', 3, true)],
    ]
    const splits = split(['v', 'w'], items)
    expect(splits.map(({ frame, nextFrame }) => [frame, nextFrame])).toEqual([[0, 3]])
    expect(new Set(splits[0]?.items)).toEqual(new Set(items.slice(0, 6)))
  })

  it('loses nothing, and keeps each track in its order, whatever the sizes lie apart', () => {
    const frames = fc.array(fc.boolean(), { minLength: 1, maxLength: 40 })
    const order = fc.infiniteStream(fc.nat(2))
    fc.assert(
      fc.property(frames, order, (keyframes, choices) => {
        const of = (id: string): EncodedSample[] =>
          keyframes.map((keyframe, frame) => picture(id, frame, keyframe || frame === 0))
        const queues = [of('v'), of('w'), keyframes.map((_, index) => sound(index * 1024))]
        const all = queues.map((queue) => [...queue])
        const items: TimedItem[] = []
        while (queues.some(({ length }) => length > 0)) {
          const left = queues.filter(({ length }) => length > 0)
          items.push((left[(choices.next().value as number) % left.length] as EncodedSample[]).shift() as EncodedSample)
        }
        const splits = split(['v', 'w'], items)
        const places = keyframes.flatMap((keyframe, frame) => (keyframe || frame === 0 ? [frame] : []))
        expect(splits.map(({ frame }) => frame)).toEqual(places.slice(0, -1))
        expect(splits.map(({ nextFrame }) => nextFrame)).toEqual(places.slice(1))
        for (const [index, id] of ['v', 'w', 'sound'].entries()) {
          const own = splits.flatMap(({ items: some }) => some.filter(({ trackId }) => trackId === id))
          const due = all[index]?.slice(0, own.length)
          expect(own).toEqual(due)
          if (id !== 'sound') expect(own).toHaveLength(places.at(-1) as number)
        }
      }),
      { numRuns: 300 },
    )
  })
})
