import { describe, expect, it } from 'vitest'
import type { SceneEvent } from '../../src/scene/scene-event.js'
import { sceneEventsOf, TakeSceneEvents } from '../../src/scene/take-scene-events.js'
import type { TakeSceneFacts } from '../../src/scene/take-scene-facts.js'
import { TAKES, takeFacts } from './take-facts.js'

/** One line an event: `ms type who what`. */
function line(event: SceneEvent): string {
  return [event.atUs / 1000, event.type, ...detailsOf(event)].filter((part) => part !== undefined).join(' ')
}

function detailsOf(event: SceneEvent): (string | undefined)[] {
  switch (event.type) {
    case 'join':
      return [event.participantId, event.name === undefined ? undefined : `(${event.name})`]
    case 'leave':
      return [event.participantId]
    case 'track-added':
      return [event.participantId, event.trackId, event.media, event.source]
    case 'track-removed':
    case 'mute':
    case 'unmute':
      return [event.participantId, event.trackId]
    case 'source':
      return [event.trackId, event.source]
    default:
      return [event.layout.type, event.transitionMs === undefined ? undefined : `${event.transitionMs} ms`]
  }
}

const lines = (take: TakeSceneFacts): string[] => sceneEventsOf(take).map(line)
const audio = { kind: 'audio' } as const
const video = { kind: 'video' } as const

describe('sceneEventsOf', () => {
  it('reads the calls that were recorded', () => {
    expect(lines(takeFacts('meeting3'))).toEqual([
      '171 join alice',
      '178 track-added alice alice-video video',
      '198 track-added alice alice-audio audio',
      '2934 join bob',
      '2943 track-added bob bob-video video',
      '2952 track-added bob bob-audio audio',
      '5930 join carol',
      '5936 track-added carol carol-video video',
      '5946 track-added carol carol-audio audio',
      '14017 leave bob',
      '14018 track-removed bob bob-video',
      '14018 track-removed bob bob-audio',
    ])
    expect(lines(takeFacts('rejoin'))).toEqual([
      '200 join alice',
      '215 track-added alice alice-video video',
      '236 track-added alice alice-audio audio',
      '312 join bob',
      '320 track-added bob bob-video video',
      '335 track-added bob bob-audio audio',
      '7012 leave bob',
      '7013 track-removed bob bob-video',
      '7013 track-removed bob bob-audio',
      '9953 join bob',
      '9961 track-added bob bob-video-2 video',
      '9970 track-added bob bob-audio-2 audio',
    ])
    expect(lines(takeFacts('mutes'))).toEqual([
      '186 join alice',
      '193 track-added alice alice-audio audio',
      '200 track-added alice alice-video video',
      '4004 mute alice alice-audio',
      '8003 unmute alice alice-audio',
      '9003 mute alice alice-video',
      '12002 unmute alice alice-video',
      '14002 source alice-video none',
      '17007 source alice-video camera',
      '19018 source alice-video screen',
    ])
    for (const take of TAKES.filter((name) => !['meeting3', 'rejoin', 'mutes'].includes(name))) {
      expect(lines(takeFacts(take)).map((text) => text.replace(/^\d+ /, ''))).toEqual([
        'join alice',
        'track-added alice alice-video video',
        'track-added alice alice-audio audio',
      ])
    }
  })

  it('takes the names of the session where the join does not tell, and of the join where it does', () => {
    const participants = [
      { id: 'a', name: 'Ada', tracks: [] },
      { id: 'b', name: 'Bob', tracks: [] },
    ]
    const events = [
      { atMs: 1, type: 'join', participant: 'a' },
      { atMs: 2, type: 'join', participant: 'b', name: 'Bobby' },
      { atMs: 3, type: 'join', participant: 'c' },
    ]
    expect(lines({ participants, events })).toEqual(['1 join a (Ada)', '2 join b (Bobby)', '3 join c'])
  })

  it('makes stays of the tracks of whoever was never announced', () => {
    const tracks = [
      { id: 'v', ...video, joinedAtMs: 100, leftAtMs: 5000 },
      { id: 'a', ...audio, joinedAtMs: 150, leftAtMs: 4000 },
      { id: 'v2', ...video, joinedAtMs: 5900, leftAtMs: 7000 },
      { id: 'v3', ...video, joinedAtMs: 9000, leftAtMs: 19_500 },
    ]
    expect(lines({ durationMs: 20_000, participants: [{ id: 'p', name: 'P', tracks }], events: [] })).toEqual([
      '100 join p (P)',
      '100 track-added p v video',
      '150 track-added p a audio',
      '4000 track-removed p a',
      '5000 track-removed p v',
      '5900 track-added p v2 video',
      '7000 leave p',
      '7000 track-removed p v2',
      '9000 join p (P)',
      '9000 track-added p v3 video',
    ])
  })

  it('lets a track that has no word of its end last to the end of the take, but for one that ended long before', () => {
    const track = (id: string, leftAtMs?: number) => ({
      id,
      ...video,
      joinedAtMs: 1,
      ...(leftAtMs === undefined ? undefined : { leftAtMs }),
    })
    const participants = [
      { id: 'p', tracks: [track('open'), track('end', 59_990), track('gone', 30_000), track('told', 40_000)] },
    ]
    const events = [
      { atMs: 0, type: 'join', participant: 'p' },
      { atMs: 40_000, type: 'track-removed', track: 'told' },
    ]
    const removed = lines({ durationMs: 60_000, participants, events }).filter((text) => text.includes('removed'))
    expect(removed).toEqual(['30000 track-removed p gone', '40000 track-removed p told'])
  })

  it('puts a track behind the join that it came with, also after a leave in the same millisecond', () => {
    const participants = [
      {
        id: 'p',
        tracks: [
          { id: 'v', ...video, joinedAtMs: 1, leftAtMs: 500 },
          { id: 'v2', ...video, joinedAtMs: 500 },
        ],
      },
    ]
    const events = [
      { atMs: 1.8, type: 'join', participant: 'p' },
      { atMs: 500.2, type: 'leave', participant: 'p' },
      { atMs: 500.6, type: 'join', participant: 'p' },
    ]
    const expected = [
      '1.8 join p',
      '1.8 track-added p v video',
      '500 track-removed p v',
      '500.2 leave p',
      '500.6 join p',
      '500.6 track-added p v2 video',
    ]
    expect(lines({ participants, events })).toEqual(expected)
    const live = new TakeSceneEvents()
    const pushed = [
      live.push({ atMs: 1.8, type: 'join', participant: 'p' }),
      live.addTrack('p', { id: 'v', ...video, joinedAtMs: 1 }),
      live.push({ atMs: 500, type: 'track-removed', track: 'v' }),
      live.push({ atMs: 500.2, type: 'leave', participant: 'p' }),
      live.push({ atMs: 500.6, type: 'join', participant: 'p' }),
      live.addTrack('p', { id: 'v2', ...video, joinedAtMs: 500 }),
    ]
    expect(pushed.flat().map(line)).toEqual(expected)
  })
})

describe('TakeSceneEvents', () => {
  it('gives while a call is recorded what its finished take gives', () => {
    for (const name of TAKES) {
      const take = takeFacts(name)
      const live = new TakeSceneEvents()
      const tracks = take.participants.flatMap(({ id, tracks }) => tracks.map((track) => ({ id, track })))
      const items = [
        ...take.events.map((event) => ({ atMs: event.atMs, give: () => live.push(event) })),
        ...tracks.map(({ id, track }) => ({ atMs: track.joinedAtMs, give: () => live.addTrack(id, track) })),
        ...tracks
          .filter(({ track }) => (track.leftAtMs ?? 0) < (take.durationMs ?? 0) - 1000)
          .map(({ track: { id: track, leftAtMs: atMs = 0 } }) => ({
            atMs,
            give: () => live.push({ type: 'track-removed', atMs, track }),
          })),
      ]
      const given = items.sort((one, other) => one.atMs - other.atMs).flatMap(({ give }) => give())
      expect(given).toEqual(sceneEventsOf(take))
    }
  })

  it('takes events in the words of the journal', () => {
    const scene = new TakeSceneEvents()
    const lineOf = (event: Parameters<TakeSceneEvents['push']>[0]): string[] => scene.push(event).map(line)
    const definition = { id: 'v', ...video, joinedAtMs: 3, shows: 'screen' }
    expect(lineOf({ atMs: 3, type: 'track-added', participant: 'p', definition })).toEqual([
      '3 track-added p v video screen',
    ])
    expect(lineOf({ atMs: 4, type: 'layout', layout: 'spotlight', transitionMs: 300 })).toEqual([
      '4 layout spotlight 300 ms',
    ])
    expect(lineOf({ atMs: 4, type: 'layout', layout: { type: 'grid', gap: 0 } })).toEqual(['4 layout grid'])
    expect(lineOf({ atMs: 5, type: 'mute', participant: 'p' })).toEqual(['5 mute p'])
    expect(lineOf({ atMs: 6, type: 'mute', track: 'v' })).toEqual(['6 mute p v'])
    for (const type of [
      'pause',
      'resume',
      'mark',
      'resize',
      'whatever',
      'join',
      'leave',
      'mute',
      'replace',
      'track-removed',
      'track-added',
    ]) {
      expect(lineOf({ atMs: 7, type })).toEqual([])
    }
    expect(lineOf({ atMs: 8, type: 'track-added', participant: 'p', definition: { id: 4 } })).toEqual([])
    expect(lineOf({ atMs: 8, type: 'track-removed', track: 'nobody' })).toEqual([])
    expect(lineOf({ atMs: 9, type: 'track-removed', track: 'v' })).toEqual(['9 track-removed p v'])
    expect(lineOf({ atMs: 9, type: 'track-removed', track: 'v' })).toEqual([])
  })

  it('leaves a layout out that is none, and tells of it', () => {
    const told: string[] = []
    const scene = new TakeSceneEvents({
      onBadLayout: (error, atUs) => told.push(`${atUs} ${(error as Error).message}`),
    })
    expect(scene.push({ atMs: 5, type: 'layout', layout: { type: 'gird' } })).toEqual([])
    expect(scene.push({ atMs: 6, type: 'layout' })).toEqual([])
    expect(told).toEqual([expect.stringMatching(/^5000 .*gird/), expect.stringMatching(/^6000 /)])
  })

  it('takes what a pause has cut in two for one track', () => {
    const scene = new TakeSceneEvents()
    scene.addTrack('p', { id: 'v', ...video, joinedAtMs: 1 })
    scene.push({ atMs: 10, type: 'replace', track: 'v', source: 'screen' })
    scene.push({ atMs: 11, type: 'mute', track: 'v' })
    scene.push({ atMs: 20, type: 'track-removed', track: 'v' })
    expect(scene.addTrack('p', { id: 'v~2', ...video, joinedAtMs: 30 }).map(line)).toEqual([
      '30 track-added p v~2 video screen',
      '30 mute p v~2',
    ])
    expect(scene.push({ atMs: 40, type: 'unmute', track: 'v' }).map(line)).toEqual(['40 unmute p v~2'])
    expect(scene.push({ atMs: 41, type: 'replace', track: 'v', source: null }).map(line)).toEqual([
      '41 source v~2 none',
    ])
    scene.push({ atMs: 50, type: 'track-removed', track: 'v~2' })
    expect(scene.addTrack('p', { id: 'v~10', ...video, joinedAtMs: 60 }).map(line)).toEqual([
      '60 track-added p v~10 video',
      '60 source v~10 none',
    ])
    // Another one beside it has said nothing yet.
    expect(scene.addTrack('p', { id: 'v~11', ...video, joinedAtMs: 61 }).map(line)).toEqual([
      '61 track-added p v~11 video',
    ])
  })
})
