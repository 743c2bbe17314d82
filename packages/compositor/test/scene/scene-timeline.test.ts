import { describe, expect, it } from 'vitest'
import { parseLayout } from '../../src/layout/parse-layout.js'
import { LayoutLog, type LoggedLayout } from '../../src/scene/layout-log.js'
import type { PictureOf, Speakers, TrackPicture } from '../../src/scene/scene-builder.js'
import type { SceneEvent } from '../../src/scene/scene-event.js'
import { type Arrangement, SceneTimeline, type SceneTimelineOptions } from '../../src/scene/scene-timeline.js'
import { sceneEventsOf } from '../../src/scene/take-scene-events.js'
import { takeFacts } from './take-facts.js'

const canvas = { width: 1280, height: 720 }
const nobody: Speakers = { active: undefined, isSpeaking: () => false }
const HD: TrackPicture = { width: 640, height: 360 }
const everyTrack: PictureOf = () => HD
const frameUs = (frame: number): number => Math.round((frame * 1_000_000) / 30)

function timelineOf(layout: unknown = 'grid', options: Partial<SceneTimelineOptions> = {}): SceneTimeline {
  return new SceneTimeline({ layout: parseLayout(layout), canvas, ...options })
}

/** `alice` with a picture, `alice-` as a placeholder, `alice*` as a screen; `alice'` with the mark of a muted microphone. */
function people({ tiles }: Pick<Arrangement, 'tiles'>): string {
  return tiles
    .map(({ participantId, placeholder, kind, mutedMark }) =>
      [participantId, placeholder ? '-' : '', kind === 'screen' ? '*' : '', mutedMark ? "'" : ''].join(''),
    )
    .join(' ')
}

/** What there is to see over time, frame by frame at 30 frames a second. */
function watch(
  timeline: SceneTimeline,
  frames: number,
  pictureOf: (trackId: string, timeUs: number) => TrackPicture | undefined,
): string[] {
  const seen: string[] = []
  let last: string | undefined
  for (let frame = 0; frame < frames; frame++) {
    const timeUs = frameUs(frame)
    const now = people(timeline.at(timeUs, (trackId) => pictureOf(trackId, timeUs), nobody))
    if (now !== last) seen.push(`${frame}: ${now}`)
    last = now
  }
  return seen
}

const join = (atUs: number, participantId: string, name?: string): SceneEvent =>
  name === undefined ? { type: 'join', atUs, participantId } : { type: 'join', atUs, participantId, name }
const leave = (atUs: number, participantId: string): SceneEvent => ({ type: 'leave', atUs, participantId })
const video = (atUs: number, participantId: string, trackId: string, source?: 'camera' | 'screen'): SceneEvent => ({
  type: 'track-added',
  atUs,
  participantId,
  trackId,
  media: 'video',
  ...(source === undefined ? undefined : { source }),
})
const audio = (atUs: number, participantId: string, trackId: string): SceneEvent => ({
  type: 'track-added',
  atUs,
  participantId,
  trackId,
  media: 'audio',
})
const gone = (atUs: number, participantId: string, trackId: string): SceneEvent => ({
  type: 'track-removed',
  atUs,
  participantId,
  trackId,
})
const source = (atUs: number, trackId: string, source: 'camera' | 'screen' | 'none'): SceneEvent => ({
  type: 'source',
  atUs,
  trackId,
  source,
})
const mute = (type: 'mute' | 'unmute', atUs: number, participantId: string, trackId?: string): SceneEvent => ({
  type,
  atUs,
  participantId,
  ...(trackId === undefined ? undefined : { trackId }),
})

function peopleAt(timeline: SceneTimeline, timeUs: number, pictureOf: PictureOf = everyTrack): string {
  return people(timeline.at(timeUs, pictureOf, nobody))
}

function push(timeline: SceneTimeline, ...events: readonly SceneEvent[]): void {
  for (const event of events) timeline.push(event)
}

/** Frame in which something of this time is to be seen. */
const frameOf = (ms: number): number => Math.ceil((ms * 30) / 1000)

describe('SceneTimeline', () => {
  describe('of the recorded calls', () => {
    /** Pictures of each track: from 100 ms after its first packet, 30 a second, to its end. */
    const playing = (
      name: 'meeting3' | 'rejoin' | 'mutes' | 'solo',
      size: (trackId: string, ms: number) => TrackPicture | undefined,
    ) => {
      const take = takeFacts(name)
      const timeline = timelineOf()
      for (const event of sceneEventsOf(take)) timeline.push(event)
      const tracks = new Map(take.participants.flatMap((person) => person.tracks.map((track) => [track.id, track])))
      return watch(timeline, Math.floor(((take.durationMs ?? 0) * 30) / 1000), (trackId, timeUs) => {
        const track = tracks.get(trackId)
        const ms = timeUs / 1000
        if (track === undefined || ms < track.joinedAtMs + 100 || ms >= (track.leftAtMs ?? 0)) return undefined
        return size(trackId, ms)
      })
    }

    // Where a microphone comes within the frame of the join, nobody sees that there was none.
    it('meeting3: everyone from the frame after the join to the leave', () => {
      expect(playing('meeting3', () => HD)).toEqual([
        '0: ',
        `${frameOf(198)}: alice-`,
        `${frameOf(278)}: alice`,
        `${frameOf(2952)}: alice bob-`,
        `${frameOf(3043)}: alice bob`,
        `${frameOf(5930)}: alice bob carol-'`,
        `${frameOf(5946)}: alice bob carol-`,
        `${frameOf(6036)}: alice bob carol`,
        `${frameOf(14_017)}: alice carol`,
      ])
    })

    it('rejoin: bob goes and comes back, with other tracks', () => {
      expect(playing('rejoin', () => HD)).toEqual([
        '0: ',
        `${frameOf(200)}: alice-'`,
        `${frameOf(236)}: alice-`,
        `${frameOf(315)}: alice bob-'`,
        `${frameOf(335)}: alice bob-`,
        `${frameOf(420)}: alice bob`,
        `${frameOf(7012)}: alice`,
        `${frameOf(9953)}: alice bob-'`,
        `${frameOf(9970)}: alice bob-`,
        `${frameOf(10_061)}: alice bob`,
      ])
    })

    it('mutes: a placeholder while the camera is muted or off, then a screen', () => {
      // The first picture of another source comes 70 ms after the change; before that there is the last one of the old.
      const pictures = (_: string, ms: number): TrackPicture => {
        const atMs = ms >= 14_002 && ms < 17_077 ? 14_000 : ms >= 19_018 && ms < 19_088 ? 18_991.6 : ms
        return ms >= 19_088 ? { width: 1280, height: 720, ptsUs: atMs * 1000 } : { ...HD, ptsUs: atMs * 1000 }
      }
      expect(playing('mutes', pictures)).toEqual([
        '0: ',
        `${frameOf(193)}: alice-`,
        `${frameOf(300)}: alice`,
        `${frameOf(4004)}: alice'`,
        `${frameOf(8003)}: alice`,
        `${frameOf(9003)}: alice-`,
        `${frameOf(12_002)}: alice`,
        `${frameOf(14_002)}: alice-`,
        `${frameOf(17_077)}: alice`,
        `${frameOf(19_018)}: alice-*`,
        `${frameOf(19_088)}: alice*`,
      ])
    })

    it('solo: a change of size changes no tile', () => {
      const timeline = timelineOf()
      for (const event of sceneEventsOf(takeFacts('solo'))) timeline.push(event)
      const before = timeline.at(9_000_000, everyTrack, nobody)
      const after = timeline.at(11_000_000, () => ({ width: 960, height: 540 }), nobody)
      expect(people(after)).toBe('alice')
      expect(after.tiles).toBe(before.tiles)
      expect(after.version).toBe(before.version)
      expect(timeline.stats.solves).toBe(2)
    })
  })

  it('starts empty, with the name and the background of the layout', () => {
    const timeline = timelineOf({ type: 'grid', name: 'all', background: '#102030' })
    expect(timeline.at(0, everyTrack, nobody)).toMatchObject({
      name: 'all',
      background: '#102030',
      tiles: [],
      version: 0,
    })
    expect(timelineOf('spotlight').at(0, everyTrack, nobody)).toMatchObject({
      name: 'spotlight',
      background: '#202124',
    })
  })

  it('takes events in any order, each at its time', () => {
    const timeline = timelineOf()
    push(timeline, leave(300, 'bob'), join(200, 'bob'), audio(100, 'alice', 'aa'), join(100, 'alice'))
    expect([99, 100, 200, 299, 300].map((atUs) => peopleAt(timeline, atUs))).toEqual([
      '',
      'alice-',
      "alice- bob-'",
      "alice- bob-'",
      'alice-',
    ])
    expect(timeline.stats).toMatchObject({ events: 4, lateEvents: 0, ignoredEvents: 0, refusedEvents: 0 })
  })

  it('takes a late event from now on, and counts it', () => {
    const timeline = timelineOf()
    push(timeline, audio(100, 'alice', 'aa'))
    expect(peopleAt(timeline, 1000)).toBe('alice-')
    push(timeline, leave(500, 'alice'), join(1000, 'bob'), audio(1001, 'carol', 'ca'))
    expect(timeline.stats).toMatchObject({ events: 4, lateEvents: 2 })
    expect(peopleAt(timeline, 1000)).toBe("bob-'")
    expect(peopleAt(timeline, 2000)).toBe("bob-' carol-")
  })

  it('refuses an event without a time, and ignores what concerns nobody', () => {
    const timeline = timelineOf()
    push(timeline, join(Number.NaN, 'alice'), join(Number.POSITIVE_INFINITY, 'alice'))
    push(timeline, leave(1, 'bob'), gone(1, 'bob', 'bv'), mute('mute', 1, 'bob'))
    expect(peopleAt(timeline, 10)).toBe('')
    expect(timeline.stats).toMatchObject({ events: 3, refusedEvents: 2, ignoredEvents: 3 })
  })

  it('keeps what a broken host tells within bounds', () => {
    const timeline = timelineOf()
    for (let index = 0; index < 150; index++) timeline.push(video(1, 'a', `v${index}`))
    for (let index = 0; index < 1500; index++) timeline.push(source(2, `unknown${index}`, 'screen'))
    expect(timeline.at(3, everyTrack, nobody).tiles.length).toBe(49)
    expect(timeline.stats.ignoredEvents).toBe(50 + 500)
  })

  it('takes somebody who comes and goes 100 times', () => {
    const timeline = timelineOf()
    push(timeline, audio(0, 'a', 'am'))
    for (let index = 0; index < 100; index++) {
      push(
        timeline,
        join(100 * index + 10, 'b'),
        video(100 * index + 20, 'b', `v${index}`),
        leave(100 * index + 60, 'b'),
      )
    }
    const seen = Array.from({ length: 200 }, (_, index) => peopleAt(timeline, 50 * (index + 1)))
    expect(seen).toEqual(Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? "a- b'" : 'a-')))
    expect(timeline.stats.ignoredEvents).toBe(0)
  })

  it('does not go back in time', () => {
    const timeline = timelineOf()
    push(timeline, audio(100, 'alice', 'aa'))
    const now = timeline.at(1000, everyTrack, nobody)
    expect(timeline.at(50, everyTrack, nobody)).toBe(now)
  })

  it.each<[string, readonly SceneEvent[], string]>([
    ['a track without a join', [video(1, 'a', 'v')], "a'"],
    ['a join told twice, with a name the second time', [join(1, 'a'), join(2, 'a', 'Ada')], "a-'"],
    ['a second camera without a word of it: a screen', [video(1, 'a', 'v'), video(2, 'a', 'w')], "a' a*"],
    ['a second camera that says so: the newer one', [video(1, 'a', 'v'), video(2, 'a', 'w', 'camera')], "a'"],
    ['a camera behind a screen', [video(1, 'a', 'v', 'screen'), video(2, 'a', 'w', 'camera')], "a' a*"],
    ['a screen alone', [video(1, 'a', 'v', 'screen')], 'a*'],
    ['a screen that has ended', [video(1, 'a', 'v', 'screen'), source(2, 'v', 'none')], "a-'"],
    ['a screen that is muted', [video(1, 'a', 'v', 'screen'), mute('mute', 2, 'a', 'v')], "a-'"],
    ['two screens', [video(1, 'a', 'v', 'screen'), video(2, 'a', 'w', 'screen')], 'a* a*'],
    ['a camera that becomes a screen', [video(1, 'a', 'v'), source(2, 'v', 'screen')], 'a*'],
    ['a source told before its track', [source(1, 'v', 'screen'), video(2, 'a', 'v')], 'a*'],
    ['a camera that is off before it begins', [source(1, 'v', 'none'), video(2, 'a', 'v')], "a-'"],
    ['a mute told before its track', [join(0, 'a'), mute('mute', 1, 'a', 'v'), video(2, 'a', 'v')], "a-'"],
    ['a muted camera', [video(1, 'a', 'v'), mute('mute', 2, 'a', 'v')], "a-'"],
    ['a camera that is on again', [video(1, 'a', 'v'), mute('mute', 2, 'a', 'v'), mute('unmute', 3, 'a', 'v')], "a'"],
    ['a microphone', [audio(1, 'a', 'm'), video(1, 'a', 'v')], 'a'],
    ['a muted microphone', [audio(1, 'a', 'm'), video(1, 'a', 'v'), mute('mute', 2, 'a', 'm')], "a'"],
    ['a microphone of two', [audio(1, 'a', 'm'), audio(1, 'a', 'n'), mute('mute', 2, 'a', 'm')], 'a-'],
    ['a mute of the person', [audio(1, 'a', 'm'), mute('mute', 2, 'a'), audio(3, 'a', 'n')], "a-'"],
    ['a person on again', [audio(1, 'a', 'm'), mute('mute', 2, 'a', 'm'), mute('unmute', 3, 'a')], 'a-'],
    [
      'a track on again of a muted person',
      [audio(1, 'a', 'm'), mute('mute', 2, 'a'), mute('unmute', 3, 'a', 'm')],
      'a-',
    ],
    ['a track twice', [video(1, 'a', 'v'), video(2, 'b', 'v')], "a'"],
    ['a leave with tracks, which end later', [video(1, 'a', 'v'), leave(2, 'a'), gone(3, 'a', 'v')], ''],
    ['a return', [join(1, 'a'), join(2, 'b'), leave(3, 'a'), join(4, 'a')], "b-' a-'"],
    ['a track of a return while the old one is there', [video(1, 'a', 'v'), leave(2, 'a'), video(2, 'a', 'v')], "a'"],
  ])('shows %s', (_, events, expected) => {
    const timeline = timelineOf({ type: 'grid' })
    push(timeline, ...events)
    // Long after, as there is no telling of what time pictures are.
    expect(peopleAt(timeline, 1_000_000)).toBe(expected)
  })

  it('shows the newest camera that has a picture: a change of device leaves no hole', () => {
    const timeline = timelineOf()
    push(
      timeline,
      audio(0, 'a', 'm'),
      video(0, 'a', 'old', 'camera'),
      video(100, 'a', 'new', 'camera'),
      gone(300, 'a', 'old'),
    )
    const trackAt = (timeUs: number, ...pictures: readonly string[]): [string | undefined, boolean | undefined] => {
      const [tile] = timeline.at(timeUs, (id) => (pictures.includes(id) ? HD : undefined), nobody).tiles
      return [tile?.trackId, tile?.placeholder]
    }
    expect(trackAt(50, 'old')).toEqual(['old', false])
    expect(trackAt(100, 'old')).toEqual(['old', false])
    expect(trackAt(150, 'old', 'new')).toEqual(['new', false])
    expect(trackAt(200, 'old')).toEqual(['old', false])
    expect(trackAt(250)).toEqual(['new', true])
    expect(trackAt(300, 'old', 'new')).toEqual(['new', false])
  })

  it('never shows again what was there before a mute, and what came while muted only half a second after', () => {
    const timeline = timelineOf()
    push(timeline, audio(0, 'a', 'm'), video(0, 'a', 'v'))
    push(timeline, mute('mute', 1_000_000, 'a', 'v'), mute('unmute', 2_000_000, 'a', 'v'))
    const ofTime =
      (atUs: number): PictureOf =>
      () => ({ ...HD, ptsUs: atUs })
    expect(peopleAt(timeline, 990_000, ofTime(990_000))).toBe('a')
    expect(peopleAt(timeline, 1_000_000, ofTime(1_000_000))).toBe('a-')
    expect(peopleAt(timeline, 2_000_000, ofTime(990_000))).toBe('a-')
    expect(peopleAt(timeline, 2_030_000, ofTime(1_981_000))).toBe('a')
    expect(peopleAt(timeline, 2_060_000, ofTime(1_979_000))).toBe('a-')
    expect(peopleAt(timeline, 2_500_000, ofTime(1_979_000))).toBe('a')
    expect(peopleAt(timeline, 2_600_000, ofTime(990_000))).toBe('a-')
  })

  it('does not take the last picture of a camera for one of the screen that replaces it, for half a second', () => {
    const timeline = timelineOf()
    push(timeline, audio(0, 'a', 'm'), video(0, 'a', 'v'), source(1_000_000, 'v', 'screen'))
    const of =
      (atUs: number): PictureOf =>
      () => ({ ...HD, ptsUs: atUs })
    expect(peopleAt(timeline, 1_000_000, of(975_000))).toBe('a-*')
    expect(peopleAt(timeline, 1_033_000, of(994_000))).toBe('a*')
    expect(peopleAt(timeline, 1_066_000, of(975_000))).toBe('a-*')
    expect(peopleAt(timeline, 1_500_000, of(975_000))).toBe('a*')
  })

  it('has a screen while it has a picture', () => {
    const timeline = timelineOf('presentation')
    push(
      timeline,
      audio(0, 'a', 'm'),
      video(0, 'a', 'v'),
      video(1_000_000, 'a', 's', 'screen'),
      gone(4_000_000, 'a', 's'),
    )
    const only =
      (...ids: readonly string[]): PictureOf =>
      (id) =>
        ids.includes(id) ? HD : undefined
    expect(peopleAt(timeline, 1_000_000, only('v'))).toBe('a')
    const sharing = timeline.at(1_500_000, only('v', 's'), nobody)
    expect(people(sharing)).toBe('a* a')
    expect(peopleAt(timeline, 2_000_000, only('v'))).toBe('a')
    expect(timeline.at(3_000_000, only('v', 's'), nobody).tiles).toEqual(sharing.tiles)
    expect(peopleAt(timeline, 4_000_000, only('v', 's'))).toBe('a')
  })

  it('rings who speaks, but nobody who is muted, and knows an active speaker only who is there', () => {
    const timeline = timelineOf('spotlight')
    push(timeline, audio(0, 'a', 'am'), audio(0, 'b', 'bm'), audio(0, 'c', 'cm'), mute('mute', 500, 'c'))
    const speaking = { active: 'b', isSpeaking: (id: string) => id !== 'a' }
    const rings = timeline.at(100, everyTrack, speaking).tiles.filter(({ ring }) => ring !== undefined)
    expect(rings.map(({ participantId }) => participantId).sort()).toEqual(['b', 'c'])
    const large = (timeUs: number, speakers: Speakers): string | undefined =>
      timeline
        .at(timeUs, everyTrack, speakers)
        .tiles.toSorted((one, other) => other.rectangle.width - one.rectangle.width)[0]?.participantId
    expect(large(200, speaking)).toBe('b')
    push(timeline, leave(400, 'b'))
    expect(large(400, { ...speaking, active: 'b' })).not.toBe('b')
    const later = timeline.at(500, everyTrack, speaking).tiles.filter(({ ring }) => ring !== undefined)
    expect(later).toEqual([])
  })

  it('solves nothing while nothing changes', () => {
    const timeline = timelineOf()
    push(timeline, video(0, 'a', 'av'), video(0, 'b', 'bv'))
    const first = timeline.at(0, everyTrack, nobody)
    for (let frame = 1; frame < 300; frame++) expect(timeline.at(frameUs(frame), everyTrack, nobody)).toBe(first)
    expect(timeline.stats.solves).toBe(1)
    expect(first.version).toBe(1)
  })

  it('changes the layout at its time, and the version with the background alone, too', () => {
    const timeline = timelineOf({ type: 'grid', background: '#000000' })
    push(timeline, video(0, 'a', 'av'), video(0, 'b', 'bv'))
    push(timeline, { type: 'layout', atUs: 100, layout: parseLayout({ type: 'grid', background: '#ffffff' }) })
    push(timeline, { type: 'layout', atUs: 200, layout: parseLayout('single') })
    const [black, white, single] = [99, 100, 200].map((timeUs) => timeline.at(timeUs, everyTrack, nobody))
    expect(white).toMatchObject({ name: 'grid', background: '#ffffff', version: (black?.version ?? 0) + 1 })
    expect(white?.tiles).toBe(black?.tiles)
    expect(single).toMatchObject({ name: 'single', background: '#202124', version: (black?.version ?? 0) + 2 })
    expect(people(single as Arrangement)).toBe("a'")
  })

  it('refuses a transition that is none', () => {
    expect(() => timelineOf('grid', { defaultTransitionMs: -1 })).toThrow('defaultTransitionMs')
    expect(() => timelineOf('grid', { defaultTransitionMs: Number.NaN })).toThrow('defaultTransitionMs')
  })

  describe('with transitions', () => {
    const pair = (...more: readonly SceneEvent[]): SceneTimeline => {
      const timeline = timelineOf('grid', { defaultTransitionMs: 300 })
      push(timeline, audio(0, 'a', 'am'), video(0, 'a', 'av'), audio(0, 'b', 'bm'), video(0, 'b', 'bv'), ...more)
      return timeline
    }
    const at = (timeline: SceneTimeline, frame: number, pictureOf = everyTrack): Arrangement =>
      timeline.at(frameUs(frame), pictureOf, nobody)

    it('shows the first ones at once', () => {
      const first = at(pair(), 0)
      expect(first.isMoving).toBe(false)
      expect(first.tiles).toBe(first.target)
    })

    it('moves tiles for the time that was asked for, and then rests', () => {
      const timeline = pair(leave(frameUs(30), 'b'))
      const before = at(timeline, 29)
      const moving = [30, 31, 32, 33, 34, 35, 36, 37, 38].map((frame) => at(timeline, frame))
      const target = moving[0]?.target
      for (const [index, arrangement] of moving.entries()) {
        expect(arrangement).toMatchObject({ isMoving: true, target, version: before.version + 1 + index })
        expect(people(arrangement)).toBe('b a')
      }
      // It starts where it was.
      expect(moving[0]?.tiles.find(({ participantId }) => participantId === 'a')?.rectangle).toEqual(
        before.tiles[0]?.rectangle,
      )
      const after = at(timeline, 39)
      expect(after).toMatchObject({ isMoving: false, tiles: target })
      expect(at(timeline, 40)).toBe(after)
      expect(timeline.stats.solves).toBe(2)
    })

    it('fades somebody out without a picture where there is none any more', () => {
      const timeline = pair(leave(frameUs(30), 'b'))
      at(timeline, 29)
      const withPicture = at(timeline, 33)
      expect(withPicture.tiles.find(({ participantId }) => participantId === 'b')?.placeholder).toBe(false)
      const without = at(timeline, 34, (id) => (id === 'bv' ? undefined : HD))
      expect(people(without)).toBe('b- a')
    })

    it('acts on a mute at once, also in the first frame of a move', () => {
      const timeline = pair(mute('mute', frameUs(30), 'a', 'av'), leave(frameUs(30), 'b'))
      at(timeline, 29)
      expect(people(at(timeline, 30))).toBe('b a-')
    })

    it('changes looks in the midst of a move, and goes on moving', () => {
      const timeline = pair(leave(frameUs(30), 'b'), mute('mute', frameUs(33), 'a', 'am'))
      at(timeline, 29)
      expect(people(at(timeline, 30))).toBe('b a')
      expect(people(at(timeline, 33))).toBe("b a'")
      expect(at(timeline, 38).isMoving).toBe(true)
      expect(at(timeline, 39).isMoving).toBe(false)
    })

    it('starts a move in the midst of another from where things are', () => {
      const timeline = pair(leave(frameUs(30), 'b'), join(frameUs(34), 'c'))
      at(timeline, 29)
      at(timeline, 30)
      const before = at(timeline, 33).tiles.find(({ participantId }) => participantId === 'a')?.rectangle
      const then = at(timeline, 34).tiles.find(({ participantId }) => participantId === 'a')?.rectangle
      expect(Math.abs((then?.x ?? 0) - (before?.x ?? 0))).toBeLessThan(200)
      expect(at(timeline, 42).isMoving).toBe(true)
      expect(at(timeline, 43).isMoving).toBe(false)
    })

    it('takes the time of the layout event where it says one', () => {
      const layout = parseLayout('side-by-side')
      const instant = pair({ type: 'layout', atUs: frameUs(30), layout: parseLayout('single'), transitionMs: 0 })
      at(instant, 29)
      expect(at(instant, 30).isMoving).toBe(false)
      const slow = pair(leave(frameUs(10), 'b'), { type: 'layout', atUs: frameUs(30), layout, transitionMs: 1000 })
      at(slow, 29)
      expect(at(slow, 30).name).toBe('side-by-side')
      expect(at(slow, 59).isMoving).toBe(at(slow, 30).isMoving)
      expect(at(slow, 60).isMoving).toBe(false)
    })
  })
})

describe('LayoutLog', () => {
  const log = (
    timeline: SceneTimeline,
    frames: number,
    pictureOf: PictureOf = everyTrack,
    maxEntries?: number,
  ): readonly LoggedLayout[] => {
    const noted = new LayoutLog({ canvas, ...(maxEntries === undefined ? undefined : { maxEntries }) })
    for (let frame = 0; frame < frames; frame++) {
      noted.push(frameUs(frame), timeline.at(frameUs(frame), pictureOf, nobody), pictureOf)
    }
    return noted.entries(frameUs(frames))
  }
  const brief = (entries: readonly LoggedLayout[]): string[] =>
    entries.map(
      ({ startUs, endUs, name, tiles, transition }) =>
        `${Math.round((startUs * 30) / 1e6)}-${Math.round((endUs * 30) / 1e6)} ${name}${transition === true ? '>' : ''}: ` +
        tiles.map(({ participantId, placeholder }) => participantId + (placeholder ? '-' : '')).join(' '),
    )

  it('has an entry for each stretch, by frames, without holes', () => {
    const timeline = timelineOf()
    push(
      timeline,
      video(frameUs(3), 'a', 'av'),
      video(frameUs(10) + 1, 'b', 'bv'),
      mute('mute', frameUs(20), 'b', 'bv'),
    )
    push(timeline, { type: 'layout', atUs: frameUs(25), layout: parseLayout('single') })
    const entries = log(timeline, 30)
    expect(brief(entries)).toEqual([
      '0-3 grid: ',
      '3-11 grid: a',
      '11-20 grid: a b',
      '20-25 grid: a b-',
      '25-30 single: a',
    ])
    for (const [index, { startUs, canvas: size }] of entries.entries()) {
      expect(startUs).toBe(index === 0 ? 0 : entries[index - 1]?.endUs)
      expect(size).toEqual(canvas)
    }
    expect(entries.at(-1)?.tiles).toEqual([
      {
        participantId: 'a',
        trackId: 'av',
        x: 0,
        y: 0,
        width: 1280,
        height: 720,
        picture: { x: 0, y: 0, width: 1280, height: 720 },
        placeholder: false,
      },
    ])
  })

  it('has one entry for a move, with the places at its end', () => {
    const timeline = timelineOf('grid', { defaultTransitionMs: 300 })
    push(timeline, video(0, 'a', 'av'), video(0, 'b', 'bv'), leave(frameUs(30), 'b'))
    const entries = log(timeline, 60)
    expect(brief(entries)).toEqual(['0-30 grid: a b', '30-39 grid>: a', '39-60 grid: a'])
    expect(entries[1]?.tiles).toEqual(entries[2]?.tiles)
    expect(entries[1]?.transition).toBe(true)
    expect(entries[2]).not.toHaveProperty('transition')
  })

  it('makes no entry of a ring, a label or a muted microphone', () => {
    const timeline = timelineOf()
    push(
      timeline,
      audio(0, 'a', 'am'),
      video(0, 'a', 'av'),
      mute('mute', frameUs(10), 'a', 'am'),
      join(frameUs(20), 'a', 'Ada'),
    )
    expect(brief(log(timeline, 30))).toEqual(['0-30 grid: a'])
    expect(timeline.stats.solves).toBe(3)
  })

  it('says where the whole picture lies, also where the tile shows a part of it, and when its size changes', () => {
    const timeline = timelineOf({ type: 'single', tile: { fit: 'cover' } })
    push(timeline, video(0, 'a', 'av'))
    const noted = new LayoutLog({ canvas })
    const pictures: PictureOf[] = [() => ({ width: 640, height: 480 }), () => ({ width: 400, height: 800 })]
    for (const [frame, pictureOf] of pictures.entries()) {
      noted.push(frameUs(frame), timeline.at(frameUs(frame), pictureOf, nobody), pictureOf)
    }
    expect(noted.entries(frameUs(2)).map(({ tiles }) => tiles[0]?.picture)).toEqual([
      { x: 0, y: -120, width: 1280, height: 960 },
      // Cut to even pixels, and so pulled by less than a pixel.
      { x: 0, y: -911, width: 1280, height: 2549 },
    ])
    expect(noted.entries(frameUs(2)).map(({ tiles }) => tiles[0]?.height)).toEqual([720, 720])
  })

  it('counts what is too much, and keeps what it has', () => {
    const timeline = timelineOf()
    for (let frame = 0; frame < 10; frame++) timeline.push(join(frameUs(frame), `p${frame}`))
    const noted = new LayoutLog({ canvas, maxEntries: 3 })
    for (let frame = 0; frame < 10; frame++)
      noted.push(frameUs(frame), timeline.at(frameUs(frame), everyTrack, nobody), everyTrack)
    expect(noted.entries(frameUs(10)).map(({ tiles }) => tiles.length)).toEqual([1, 2, 3])
    expect(noted.omitted).toBe(6)
  })

  it('may be asked in the midst, and goes on', () => {
    const timeline = timelineOf()
    push(timeline, video(0, 'a', 'av'))
    const noted = new LayoutLog({ canvas })
    noted.push(0, timeline.at(0, everyTrack, nobody), everyTrack)
    expect(noted.entries(0)).toEqual([])
    expect(brief(noted.entries(frameUs(1)))).toEqual(['0-1 grid: a'])
    noted.push(frameUs(1), timeline.at(frameUs(1), everyTrack, nobody), everyTrack)
    expect(brief(noted.entries(frameUs(2)))).toEqual(['0-2 grid: a'])
  })
})
