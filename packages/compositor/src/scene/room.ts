import type { RoomEvent, TrackAddedSceneEvent, VideoSource } from './scene-event.js'

/** A video track that is there. */
export interface RoomVideo {
  readonly trackId: string
  /** What it shows, or showed before it was off: decides where it stands. */
  kind: 'camera' | 'screen'
  /** It comes from nowhere (its source is `none`). */
  isOff: boolean
  isMuted: boolean
  /** When it was switched off last: no picture from before is shown again. */
  offUs: number
  /** When it was switched on last, or to something else. */
  sinceUs: number
}

/** Somebody in the room. */
export interface RoomPerson {
  readonly id: string
  name: string | undefined
  /** Switched off as a whole, whatever the audio tracks say. */
  isMicrophoneOff: boolean
  /** Audio tracks that are there: id to whether it is muted. */
  readonly audio: Map<string, boolean>
  /** Video tracks that are there, in the order of their beginning. */
  readonly video: Map<string, RoomVideo>
}

/** Facts of tracks that have not begun are kept for so many tracks: signalling runs ahead of media by seconds at most. */
const MAX_EARLY_FACTS = 1000
/** Nobody shows more; what comes beyond is refused, so that a broken host cannot fill memory. */
const MAX_PEOPLE = 10_000
const MAX_TRACKS_PER_PERSON = 100

/** Who is in the room with which tracks, by the events so far. */
export class Room {
  readonly #people = new Map<string, RoomPerson>()
  readonly #ownerOfTrack = new Map<string, RoomPerson>()
  readonly #early = new Map<string, { isMuted?: boolean; source?: VideoSource }>()

  /** In the order of joining. */
  get people(): ReadonlyMap<string, RoomPerson> {
    return this.#people
  }

  /** Whose track it is. */
  ownerOf(trackId: string): RoomPerson | undefined {
    return this.#ownerOfTrack.get(trackId)
  }

  /** Returns whether the event made sense: one about somebody or something that is not there changes nothing. */
  apply(event: RoomEvent): boolean {
    switch (event.type) {
      case 'join':
        return this.#join(event.participantId, event.name)
      case 'leave':
        return this.#leave(event.participantId)
      case 'track-added':
        return this.#addTrack(event)
      case 'track-removed':
        return this.#removeTrack(event.trackId)
      case 'mute':
        return this.#mute(event.participantId, event.trackId, event.atUs, true)
      case 'unmute':
        return this.#mute(event.participantId, event.trackId, event.atUs, false)
      default:
        return this.#setSource(event.trackId, event.source, event.atUs)
    }
  }

  #join(participantId: string, name: string | undefined): boolean {
    const person = this.#enter(participantId)
    if (person === undefined) return false
    person.name = name ?? person.name
    return true
  }

  #enter(participantId: string): RoomPerson | undefined {
    const known = this.#people.get(participantId)
    if (known !== undefined || this.#people.size >= MAX_PEOPLE) return known
    const person: RoomPerson = {
      id: participantId,
      name: undefined,
      isMicrophoneOff: false,
      audio: new Map(),
      video: new Map(),
    }
    this.#people.set(participantId, person)
    return person
  }

  #leave(participantId: string): boolean {
    const person = this.#people.get(participantId)
    if (person === undefined) return false
    for (const trackId of person.audio.keys()) this.#ownerOfTrack.delete(trackId)
    for (const trackId of person.video.keys()) this.#ownerOfTrack.delete(trackId)
    return this.#people.delete(participantId)
  }

  #addTrack({ participantId, trackId, media, source }: TrackAddedSceneEvent): boolean {
    if (this.#ownerOfTrack.has(trackId)) return false
    const person = this.#enter(participantId)
    if (person === undefined || person.audio.size + person.video.size >= MAX_TRACKS_PER_PERSON) return false
    const early = this.#early.get(trackId)
    this.#early.delete(trackId)
    this.#ownerOfTrack.set(trackId, person)
    const isMuted = early?.isMuted ?? false
    if (media === 'audio') {
      person.audio.set(trackId, isMuted)
      return true
    }
    const shown = early?.source === 'none' ? source : (early?.source ?? source)
    const kind = shown ?? (hasCamera(person) ? 'screen' : 'camera')
    const isOff = early?.source === 'none'
    // Whatever picture there is of a new track is its own.
    const never = Number.NEGATIVE_INFINITY
    person.video.set(trackId, { trackId, kind, isOff, isMuted, offUs: never, sinceUs: never })
    return true
  }

  #removeTrack(trackId: string): boolean {
    const person = this.#ownerOfTrack.get(trackId)
    if (person === undefined) return this.#early.delete(trackId)
    this.#ownerOfTrack.delete(trackId)
    return person.audio.delete(trackId) || person.video.delete(trackId)
  }

  #mute(participantId: string, trackId: string | undefined, atUs: number, isMuted: boolean): boolean {
    const person = trackId === undefined ? this.#people.get(participantId) : this.#ownerOfTrack.get(trackId)
    if (trackId === undefined) {
      if (person === undefined) return false
      person.isMicrophoneOff = isMuted
      if (!isMuted) for (const id of person.audio.keys()) person.audio.set(id, false)
      return true
    }
    if (person === undefined) return this.#remember(trackId, { isMuted })
    const video = person.video.get(trackId)
    if (video !== undefined) {
      if (isMuted && !video.isMuted) video.offUs = atUs
      if (!isMuted && video.isMuted) video.sinceUs = atUs
      video.isMuted = isMuted
      return true
    }
    person.audio.set(trackId, isMuted)
    // Who speaks again has the microphone on, however it was switched off.
    if (!isMuted) person.isMicrophoneOff = false
    return true
  }

  #setSource(trackId: string, source: VideoSource, atUs: number): boolean {
    const person = this.#ownerOfTrack.get(trackId)
    if (person === undefined) return this.#remember(trackId, { source })
    const video = person.video.get(trackId)
    if (video === undefined) return false
    if (source === 'none') {
      if (!video.isOff) video.offUs = atUs
      video.isOff = true
      return true
    }
    if (video.isOff || video.kind !== source) video.sinceUs = atUs
    video.isOff = false
    video.kind = source
    return true
  }

  /** Of a track that has not begun yet. */
  #remember(trackId: string, fact: { readonly isMuted?: boolean; readonly source?: VideoSource }): boolean {
    const known = this.#early.get(trackId)
    if (known === undefined && this.#early.size >= MAX_EARLY_FACTS) return false
    this.#early.set(trackId, { ...known, ...fact })
    return true
  }
}

function hasCamera({ video }: RoomPerson): boolean {
  for (const { kind } of video.values()) if (kind === 'camera') return true
  return false
}

/** The microphone is off, or there is none. */
export function isMuted({ isMicrophoneOff, audio }: RoomPerson): boolean {
  if (isMicrophoneOff) return true
  for (const muted of audio.values()) if (!muted) return false
  return true
}
