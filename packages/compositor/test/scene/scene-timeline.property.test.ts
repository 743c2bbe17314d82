import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseLayout } from '../../src/layout/parse-layout.js'
import type { Tile } from '../../src/layout/tile.js'
import { LayoutLog } from '../../src/scene/layout-log.js'
import type { TrackPicture } from '../../src/scene/scene-builder.js'
import type { SceneEvent } from '../../src/scene/scene-event.js'
import { type Arrangement, SceneTimeline } from '../../src/scene/scene-timeline.js'

const PEOPLE = ['ann', 'bo', 'cy', 'di'] as const
const FRAME_US = 33_333
const FRAMES = 60
const canvas = { width: 640, height: 360 }

const who = fc.constantFrom(...PEOPLE)
/** Of a track the owner stands in its id, so that events agree about it. */
const track = fc.tuple(who, fc.constantFrom('cam', 'scr', 'mic')).map(([owner, name]) => `${owner}/${name}`)
const atUs = fc.integer({ min: 0, max: FRAMES * FRAME_US })
const ownerOf = (trackId: string): string => trackId.split('/')[0] as string
const layouts = [
  'grid',
  'spotlight',
  'presentation',
  'single',
  'pip',
  'side-by-side',
  {
    type: 'custom',
    regions: [
      { x: 0, y: 0, width: 1, height: 0.5 },
      { x: 0, y: 0.5, width: 0.5, height: 0.5, order: 'newest' },
    ],
  },
].map(parseLayout)

const event: fc.Arbitrary<SceneEvent> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('join' as const), atUs, participantId: who }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('leave' as const), atUs, participantId: who }) },
  {
    weight: 6,
    arbitrary: fc
      .record({ atUs, trackId: track, source: fc.constantFrom(undefined, 'camera' as const, 'screen' as const) })
      .map(
        ({ atUs, trackId, source }): SceneEvent => ({
          type: 'track-added',
          atUs,
          participantId: ownerOf(trackId),
          trackId,
          media: trackId.endsWith('mic') ? 'audio' : 'video',
          ...(source === undefined ? undefined : { source }),
        }),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ atUs, trackId: track })
      .map((rest): SceneEvent => ({ type: 'track-removed', participantId: ownerOf(rest.trackId), ...rest })),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({ type: fc.constantFrom('mute' as const, 'unmute' as const), atUs, trackId: track })
      .map((rest): SceneEvent => ({ participantId: ownerOf(rest.trackId), ...rest })),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constantFrom('mute' as const, 'unmute' as const), atUs, participantId: who }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('source' as const),
      atUs,
      trackId: track,
      source: fc.constantFrom('camera' as const, 'screen' as const, 'none' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('layout' as const),
      atUs,
      layout: fc.constantFrom(...layouts),
      transitionMs: fc.constantFrom(0, 100, 400),
    }),
  },
)

/** Events at times of their own, so that there is one order. */
const events = fc.uniqueArray(event, { maxLength: 40, selector: (one) => one.atUs })
/** Pictures that come and go, by track and frame. */
const pictures = fc.record({
  on: fc.integer({ min: 1, max: 9 }),
  off: fc.integer({ min: 0, max: 5 }),
  seed: fc.nat(20),
})
const start = fc.record({ layout: fc.constantFrom(...layouts), defaultTransitionMs: fc.constantFrom(0, 0, 150) })

interface Watched {
  readonly arrangements: readonly Arrangement[]
  readonly log: LayoutLog
}

type Start = { readonly layout: (typeof layouts)[number]; readonly defaultTransitionMs: number }
type Pictures = { readonly on: number; readonly off: number; readonly seed: number }

function pictureAt({ on, off, seed }: Pictures, trackId: string, frame: number): TrackPicture | undefined {
  const phase = (frame + seed * trackId.length + trackId.charCodeAt(0)) % (on + off)
  return phase < on ? { width: 320, height: phase % 2 === 0 ? 180 : 240 } : undefined
}

function watch(first: Start, given: readonly SceneEvent[], shown: Pictures): Watched {
  const timeline = new SceneTimeline({ ...first, canvas })
  const log = new LayoutLog({ canvas })
  for (const one of given) timeline.push(one)
  const arrangements: Arrangement[] = []
  for (let frame = 0; frame <= FRAMES; frame++) {
    const pictureOf = (trackId: string): TrackPicture | undefined => pictureAt(shown, trackId, frame)
    const speakers = {
      active: PEOPLE[Math.floor(frame / 20)],
      isSpeaking: (id: string) => (frame + id.charCodeAt(0)) % 17 < 5,
    }
    const arrangement = timeline.at(frame * FRAME_US, pictureOf, speakers)
    log.push(frame * FRAME_US, arrangement, pictureOf)
    arrangements.push(arrangement)
  }
  return { arrangements, log }
}

/** Who is there at a time, told in another way: by the last of the events that decide. */
function isThere(given: readonly SceneEvent[], person: string, timeUs: number): boolean {
  const decisive = given.filter(
    (one) =>
      one.atUs <= timeUs &&
      (one.type === 'join' || one.type === 'leave' || one.type === 'track-added') &&
      one.participantId === person,
  )
  const last = decisive.toSorted((one, other) => one.atUs - other.atUs).at(-1)
  return last !== undefined && last.type !== 'leave'
}

/** The tracks that are there: added, and neither removed nor left with their owner since. */
function hasTrack(given: readonly SceneEvent[], trackId: string, timeUs: number): boolean {
  const decisive = given.filter(
    (one) =>
      one.atUs <= timeUs &&
      (((one.type === 'track-added' || one.type === 'track-removed') && one.trackId === trackId) ||
        (one.type === 'leave' && one.participantId === ownerOf(trackId))),
  )
  return decisive.toSorted((one, other) => one.atUs - other.atUs).at(-1)?.type === 'track-added'
}

const look = (tiles: readonly Tile[]): string => JSON.stringify(tiles)

describe('SceneTimeline', () => {
  it('shows each source once, of people who are there, with tracks that are there, whatever happens', () => {
    fc.assert(
      fc.property(start, events, pictures, (first, given, shown) => {
        const { arrangements } = watch(first, given, shown)
        for (const [frame, { target }] of arrangements.entries()) {
          const timeUs = frame * FRAME_US
          const sources = target.map(({ participantId, kind, trackId }) => `${participantId} ${kind} ${trackId}`)
          expect(new Set(sources).size).toBe(sources.length)
          const cameras = target.filter(({ kind }) => kind === 'camera').map(({ participantId }) => participantId)
          expect(new Set(cameras).size).toBe(cameras.length)
          for (const { participantId, trackId, placeholder } of target) {
            expect(isThere(given, participantId, timeUs)).toBe(true)
            if (trackId !== undefined) {
              expect(ownerOf(trackId)).toBe(participantId)
              expect(hasTrack(given, trackId, timeUs)).toBe(true)
            }
            if (!placeholder) expect(pictureAt(shown, trackId as string, frame)).toBeDefined()
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  it('misses nobody in a grid', () => {
    fc.assert(
      fc.property(events, pictures, (given, shown) => {
        const room = given.filter(({ type }) => type !== 'layout')
        const { arrangements } = watch({ layout: parseLayout('grid'), defaultTransitionMs: 0 }, room, shown)
        for (const [frame, { tiles }] of arrangements.entries()) {
          const there = PEOPLE.filter((person) => isThere(room, person, frame * FRAME_US))
          expect([...new Set(tiles.map(({ participantId }) => participantId))].sort()).toEqual(there)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('counts a version up exactly when something to be seen changes', () => {
    fc.assert(
      fc.property(start, events, pictures, (first, given, shown) => {
        const { arrangements } = watch(first, given, shown)
        let before: Arrangement | undefined
        for (const arrangement of arrangements) {
          if (before !== undefined) {
            const isSame =
              look(before.tiles) === look(arrangement.tiles) && before.background === arrangement.background
            expect(arrangement.version - before.version).toBe(isSame ? 0 : 1)
            if (look(before.tiles) === look(arrangement.tiles)) expect(arrangement.tiles).toBe(before.tiles)
          }
          if (!arrangement.isMoving) expect(look(arrangement.tiles)).toBe(look(arrangement.target))
          before = arrangement
        }
      }),
      { numRuns: 300 },
    )
  })

  it('is the same in whatever order events were told', () => {
    fc.assert(
      fc.property(start, events, pictures, fc.infiniteStream(fc.nat()), (first, given, shown, random) => {
        const shuffled = given
          .map((one) => ({ one, key: random.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ one }) => one)
        expect(watch(first, shuffled, shown).arrangements).toEqual(watch(first, given, shown).arrangements)
      }),
      { numRuns: 200 },
    )
  })

  it('is logged without holes, and the log tells what was to be seen in each frame', () => {
    fc.assert(
      fc.property(start, events, pictures, (first, given, shown) => {
        const { arrangements, log } = watch(first, given, shown)
        const endUs = (FRAMES + 1) * FRAME_US
        const entries = log.entries(endUs)
        expect(entries[0]?.startUs).toBe(0)
        expect(entries.at(-1)?.endUs).toBe(endUs)
        for (const [index, entry] of entries.entries()) {
          expect(entry.endUs).toBeGreaterThan(entry.startUs)
          if (index > 0) expect(entry.startUs).toBe(entries[index - 1]?.endUs)
        }
        for (const [frame, { target, isMoving, name }] of arrangements.entries()) {
          const entry = entries.find(({ startUs, endUs }) => startUs <= frame * FRAME_US && frame * FRAME_US < endUs)
          expect(entry?.name).toBe(name)
          expect(entry?.transition ?? false).toBe(isMoving)
          expect(
            entry?.tiles.map(({ participantId, trackId, x, y, width, height, placeholder }) => ({
              participantId,
              trackId,
              rectangle: { x, y, width, height },
              placeholder,
            })),
          ).toEqual(
            target.map(({ participantId, trackId, rectangle, placeholder }) => ({
              participantId,
              trackId,
              rectangle,
              placeholder,
            })),
          )
        }
      }),
      { numRuns: 200 },
    )
  })
})
