import { DeadlineHeap } from '@rushes/media'
import { Room } from './room.js'
import type { SceneEvent } from './scene-event.js'

/** A moment that somebody looking for a place in the recording would look for. */
export interface Chapter {
  /** Microseconds of recording time. */
  readonly atUs: number
  readonly type: 'join' | 'leave' | 'share-started' | 'share-stopped' | 'layout'
  readonly participantId?: string
  /** A few words in English, with the display name: `Bob joined`. */
  readonly label: string
}

/** More than anybody reads: a call with so many joins is a load test. */
const MAX_CHAPTERS = 20_000
/** As the timeline of the scene. */
const MAX_EVENTS = 250_000

/** Gathers the chapters of a recording from the events of its scene. */
export class ChapterLog {
  readonly #waiting = new DeadlineHeap<SceneEvent>()
  readonly #room = new Room()
  readonly #chapters: Chapter[] = []
  readonly #maxChapters: number
  #lastUs = 0
  #omitted = 0

  /** @param maxChapters chapters listed at most */
  constructor(maxChapters: number = MAX_CHAPTERS) {
    this.#maxChapters = maxChapters
  }

  /** Takes what happens, in any order; what is earlier than what was told already stands behind it. */
  push(event: SceneEvent): void {
    if (Number.isFinite(event.atUs) && this.#waiting.size < MAX_EVENTS) this.#waiting.push(event, event.atUs)
  }

  /** All that is known, in order of time. */
  get chapters(): readonly Chapter[] {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) this.#take(next)
    return this.#chapters
  }

  /** Chapters beyond what is listed, when `chapters` was read last. */
  get omitted(): number {
    return this.#omitted
  }

  #take(event: SceneEvent): void {
    this.#lastUs = Math.max(this.#lastUs, event.atUs)
    if (event.type === 'layout') {
      this.#add({ atUs: this.#lastUs, type: 'layout', label: `Layout: ${event.layout.name ?? event.layout.type}` })
      return
    }
    const participantId = 'participantId' in event ? event.participantId : this.#room.ownerOf(event.trackId)?.id
    const before = this.#look(participantId)
    this.#room.apply(event)
    if (participantId === undefined) return
    const after = this.#look(participantId)
    const name = after.name ?? before.name ?? participantId
    const add = (type: Chapter['type'], what: string): void =>
      this.#add({ atUs: this.#lastUs, type, participantId, label: `${name} ${what}` })
    if (after.isThere && !before.isThere) add('join', 'joined')
    if (after.isSharing && !before.isSharing) add('share-started', 'shares a screen')
    if (before.isSharing && !after.isSharing) add('share-stopped', 'stopped sharing')
    if (before.isThere && !after.isThere) add('leave', 'left')
  }

  #look(participantId: string | undefined): { isThere: boolean; isSharing: boolean; name: string | undefined } {
    const person = participantId === undefined ? undefined : this.#room.people.get(participantId)
    const isSharing = [...(person?.video.values() ?? [])].some(({ kind, isOff }) => kind === 'screen' && !isOff)
    return { isThere: person !== undefined, isSharing, name: person?.name }
  }

  #add(chapter: Chapter): void {
    if (this.#chapters.length < this.#maxChapters) this.#chapters.push(chapter)
    else this.#omitted++
  }
}
