import type { Layout } from '../layout/layout.js'
import { parseLayout } from '../layout/parse-layout.js'
import { impliedStays } from './implied-stays.js'
import type { SceneEvent } from './scene-event.js'
import type { TakeSceneEvent, TakeSceneFacts, TakeSceneTrack } from './take-scene-facts.js'

/** How events of a take are read. */
export interface TakeSceneEventsOptions {
  /** Told of a layout in the journal that is none. It is left out: a recording does not fail of it. */
  readonly onBadLayout?: (error: unknown, atUs: number) => void
}

/** A pause ends a track in the journal, and what comes after it is the track `id~2`: to the host it is one. */
const STRETCH = /~[2-9]\d*$|~1\d+$/

/** Turns the events of a growing take into those of its scene, as they come. */
export class TakeSceneEvents {
  readonly #onBadLayout: (error: unknown, atUs: number) => void
  // What is remembered of tracks is bounded by the events of a take.
  /** The tracks that are there, by the id in the journal; and for each name of the host the last one of them. */
  readonly #ownerOfTrack = new Map<string, string>()
  readonly #newestStretch = new Map<string, string>()
  /** What was said of a track goes for its later stretches. */
  readonly #saidOfTrack = new Map<string, { isMuted?: boolean; source?: 'camera' | 'screen' | 'none' }>()
  readonly #joinedAtUs = new Map<string, number>()

  constructor({ onBadLayout }: TakeSceneEventsOptions = {}) {
    this.#onBadLayout = onBadLayout ?? (() => {})
  }

  /** A track begins. */
  addTrack(participantId: string, track: TakeSceneTrack): SceneEvent[] {
    const { id: trackId, kind: media } = track
    // The journal has the begin of a track in whole milliseconds: it may seem to lie before the join that it came with.
    const atUs = usOf(track.joinedAtMs)
    const joinedAtUs = this.#joinedAtUs.get(participantId) ?? Number.NEGATIVE_INFINITY
    const at = { atUs: joinedAtUs > atUs && joinedAtUs < atUs + 1000 ? joinedAtUs : atUs }
    const name = hostNameOf(trackId)
    const earlier = this.#newestStretch.get(name)
    const said = earlier !== undefined && this.#ownerOfTrack.has(earlier) ? undefined : this.#saidOfTrack.get(name)
    this.#ownerOfTrack.set(trackId, participantId)
    this.#newestStretch.set(name, trackId)
    const fact = track.shows
    const told = said?.source === 'none' ? fact : (said?.source ?? fact)
    const source = told === 'camera' || told === 'screen' ? told : undefined
    const added = { type: 'track-added', ...at, participantId, trackId, media } as const
    const events: SceneEvent[] = [media === 'audio' || source === undefined ? added : { ...added, source }]
    if (said?.source === 'none') events.push({ type: 'source', ...at, trackId, source: 'none' })
    if (said?.isMuted === true) events.push({ type: 'mute', ...at, participantId, trackId })
    return events
  }

  /** Something happened. What does not concern the scene gives nothing. */
  push(event: TakeSceneEvent): SceneEvent[] {
    const { type, participant: participantId } = event
    const atUs = usOf(event.atMs)
    switch (type) {
      case 'join': {
        if (participantId === undefined) return []
        this.#joinedAtUs.set(participantId, atUs)
        const name = event['name']
        return [{ type, atUs, participantId, ...(typeof name === 'string' && name !== '' ? { name } : undefined) }]
      }
      case 'leave':
        return participantId === undefined ? [] : [{ type, atUs, participantId }]
      case 'track-added': {
        const definition = event['definition']
        return participantId !== undefined && isTrack(definition) ? this.addTrack(participantId, definition) : []
      }
      case 'track-removed':
        return event.track === undefined ? [] : this.#removeTrack(event.track, atUs)
      case 'mute':
      case 'unmute':
        return this.#mute(type, atUs, participantId, event.track)
      case 'replace':
        return this.#replace(atUs, event)
      case 'layout':
        return this.#layout(atUs, event)
      default:
        return []
    }
  }

  #removeTrack(trackId: string, atUs: number): SceneEvent[] {
    const participantId = this.#ownerOfTrack.get(trackId)
    if (participantId === undefined) return []
    this.#ownerOfTrack.delete(trackId)
    return [{ type: 'track-removed', atUs, participantId, trackId }]
  }

  #mute(
    type: 'mute' | 'unmute',
    atUs: number,
    participant: string | undefined,
    track: string | undefined,
  ): SceneEvent[] {
    if (track === undefined) return participant === undefined ? [] : [{ type, atUs, participantId: participant }]
    const trackId = this.#stretchOf(track)
    this.#say(track, { isMuted: type === 'mute' })
    const participantId = this.#ownerOfTrack.get(trackId) ?? participant
    return participantId === undefined ? [] : [{ type, atUs, participantId, trackId }]
  }

  #replace(atUs: number, event: TakeSceneEvent): SceneEvent[] {
    if (event.track === undefined) return []
    const given = event['source']
    const source = given === null || given === 'none' ? 'none' : given === 'screen' ? 'screen' : 'camera'
    this.#say(event.track, { source })
    return [{ type: 'source', atUs, trackId: this.#stretchOf(event.track), source }]
  }

  #layout(atUs: number, event: TakeSceneEvent): SceneEvent[] {
    let layout: Layout
    try {
      layout = parseLayout(event['layout'])
    } catch (error) {
      this.#onBadLayout(error, atUs)
      return []
    }
    const transitionMs = event['transitionMs']
    const transition = typeof transitionMs === 'number' && transitionMs >= 0 ? { transitionMs } : undefined
    return [{ type: 'layout', atUs, layout, ...transition }]
  }

  /** The track that a host means by this id. */
  #stretchOf(track: string): string {
    if (this.#ownerOfTrack.has(track)) return track
    return this.#newestStretch.get(hostNameOf(track)) ?? track
  }

  #say(track: string, fact: { readonly isMuted?: boolean; readonly source?: 'camera' | 'screen' | 'none' }): void {
    const name = hostNameOf(track)
    this.#saidOfTrack.set(name, { ...this.#saidOfTrack.get(name), ...fact })
  }
}

/** A track without a word of its end that stops so close to the end of the take was there to the end. */
const END_OF_TAKE_MS = 1000

/** The events of the scene of a whole take, in order of time. */
export function sceneEventsOf(take: TakeSceneFacts, options: TakeSceneEventsOptions = {}): SceneEvent[] {
  const names = new Map(take.participants.map(({ id, name }) => [id, name]))
  const events = take.events.map((event) => {
    const name = event.type === 'join' && event['name'] === undefined ? names.get(event.participant ?? '') : undefined
    return name === undefined ? event : { ...event, name }
  })
  const removed = new Set(take.events.map(({ type, track }) => (type === 'track-removed' ? track : undefined)))
  const lastMs = (take.durationMs ?? Number.POSITIVE_INFINITY) - END_OF_TAKE_MS
  const scene = new TakeSceneEvents(options)
  const joinsOf = new Map<string, TakeSceneEvent[]>()
  for (const event of take.events) {
    if (event.type !== 'join' || event.participant === undefined) continue
    const joins = joinsOf.get(event.participant)
    if (joins === undefined) joinsOf.set(event.participant, [event])
    else joins.push(event)
  }
  const ends: TakeSceneEvent[] = []
  const begins: { readonly atMs: number; readonly take: () => SceneEvent[] }[] = []
  for (const { id: participant, name, tracks } of take.participants) {
    const joins = joinsOf.get(participant)
    if (joins === undefined) events.push(...impliedStays(participant, name, tracks, lastMs))
    for (const track of tracks) {
      const { joinedAtMs, leftAtMs = Number.POSITIVE_INFINITY } = track
      // As above: not before the join that it came with.
      const join = joins?.findLast(({ atMs }) => atMs >= joinedAtMs && atMs < joinedAtMs + 1)
      begins.push({ atMs: join?.atMs ?? joinedAtMs, take: () => scene.addTrack(participant, track) })
      if (leftAtMs >= lastMs || removed.has(track.id)) continue
      ends.push({ type: 'track-removed', atMs: leftAtMs, participant, track: track.id })
    }
  }
  // Sorting is stable: at the same time events come first, as they stand, then tracks that begin, then those that end.
  const happenings = [
    ...events.map((event) => ({ atMs: event.atMs, take: () => scene.push(event) })),
    ...begins,
    ...ends.map((event) => ({ atMs: event.atMs, take: () => scene.push(event) })),
  ]
  return happenings.sort((one, other) => one.atMs - other.atMs).flatMap(({ take }) => take())
}

function hostNameOf(trackId: string): string {
  return trackId.replace(STRETCH, '')
}

function isTrack(value: unknown): value is TakeSceneTrack {
  if (typeof value !== 'object' || value === null) return false
  const { id, kind, joinedAtMs } = value as Record<string, unknown>
  return typeof id === 'string' && (kind === 'audio' || kind === 'video') && typeof joinedAtMs === 'number'
}

function usOf(ms: number): number {
  return Math.round(ms * 1000)
}
