import { validateSessionTrack, validateTakeEvent } from './parse-session.js'
import type { Session, SessionParticipant, SessionTrack, TakeEvent } from './session.js'

/** Longest line of events.ndjson that is read: an event is a few hundred bytes, a layout a few thousand. */
const MAX_EVENT_LINE_BYTES = 1_048_576

/** The event that announces a track while the take is recorded; folding turns it into an entry of its participant. */
export interface TrackAddedEvent extends TakeEvent {
  readonly type: 'track-added'
  readonly participant: string
  readonly definition: SessionTrack
}

/** The track of a `track-added` event, or `undefined` when the event is another one. */
export function addedTrackOf(event: TakeEvent): SessionTrack | undefined {
  if (event.type !== 'track-added' || event.participant === undefined) return undefined
  return validateSessionTrack(event['definition'], '$.definition')
}

/**
 * The session as it is after `events`: tracks and participants that joined are in their place, everything else is
 * appended to its events. A track that is there already is not added again, so that folding twice does no harm.
 */
export function foldEvents(session: Session, events: readonly TakeEvent[]): Session {
  const participants = session.participants.map((participant) => ({ ...participant, tracks: [...participant.tracks] }))
  const kept: TakeEvent[] = [...session.events]
  const participantOf = (id: string): SessionParticipant & { tracks: SessionTrack[] } => {
    const known = participants.find((participant) => participant.id === id)
    if (known !== undefined) return known
    const added = { id, tracks: [] }
    participants.push(added)
    return added
  }
  for (const event of events) {
    const track = addedTrackOf(event)
    if (track !== undefined && event.participant !== undefined) {
      const known = participants.some((participant) => participant.tracks.some((other) => sameTrack(other, track)))
      if (!known) participantOf(event.participant).tracks.push(track)
      continue
    }
    if (event.type === 'join' && event.participant !== undefined) {
      const participant = participantOf(event.participant)
      if (typeof event['name'] === 'string' && participant.name === undefined) {
        Object.assign(participant, { name: event['name'] })
      }
    }
    if (event.type === 'track-removed' && event.track !== undefined) {
      for (const { tracks } of participants) {
        const index = tracks.findIndex((other) => other.id === event.track)
        const open = tracks[index]
        if (open !== undefined) tracks[index] = { ...open, leftAtMs: event.atMs }
      }
    }
    kept.push(event)
  }
  return { ...session, participants, events: kept }
}

// Two tracks that share a file would be read twice: neither name may come back.
function sameTrack(one: SessionTrack, other: SessionTrack): boolean {
  return one.id === other.id || one.file === other.file
}

/** Reads events.ndjson as it grows. Lines that are no event are counted and left out: the tail of a crash is one. */
export class EventLineParser {
  readonly #decoder = new TextDecoder()
  #rest = ''
  #badLines = 0
  #skipping = false

  /** Complete lines that were no event, or too long. */
  get badLines(): number {
    return this.#badLines
  }

  /** Bytes of a last line that has no end: a torn one, when nothing follows. */
  get restBytes(): number {
    return Buffer.byteLength(this.#rest)
  }

  /** The events whose lines end in `chunk`. */
  push(chunk: Uint8Array): readonly TakeEvent[] {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n')
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > MAX_EVENT_LINE_BYTES) {
      this.#rest = ''
      this.#skipping = true
    }
    const events: TakeEvent[] = []
    for (const line of lines) {
      if (this.#skipping || line.length > MAX_EVENT_LINE_BYTES) {
        this.#skipping = false
        this.#badLines += 1
        continue
      }
      if (line.trim() === '') continue
      try {
        const event = validateTakeEvent(JSON.parse(line), '$')
        addedTrackOf(event)
        events.push(event)
      } catch {
        this.#badLines += 1
      }
    }
    return events
  }
}

/** One line of events.ndjson. */
export function serializeEventLine(event: TakeEvent): string {
  return `${JSON.stringify(event)}\n`
}
