/** What session.json holds: who was there, which tracks they sent, and what happened. */

import type { TakeDamage } from './damage.js'

/** The newest version of the format that this package reads, and the one that it writes. */
export const SESSION_FORMAT_VERSION = 1

/** The files of a take that are no track. */
export const SESSION_FILE = 'session.json'
/** A session.json that has not got its name yet. */
export const SESSION_TEMPORARY_FILE = '.session.json.tmp'
/** Events appended while the take is recorded, one JSON object a line. */
export const EVENTS_FILE = 'events.ndjson'
/** Says who writes the take; the locks of those who took over from a dead one are `take.lock.1` and so on. */
export const LOCK_FILE = 'take.lock'

/** One RTP stream and the file that holds it. Keys not named here are kept as they are. */
export interface SessionTrack {
  /** Unique within the take. */
  readonly id: string
  readonly kind: 'audio' | 'video'
  /** Name of the rtpdump file, in the take's own folder. */
  readonly file: string
  readonly ssrc?: number
  /** As in SDP: `video/H264`, `audio/opus`. Case does not matter. */
  readonly mimeType: string
  readonly payloadType?: number
  /** Hz. */
  readonly clockRate: number
  readonly channels?: number
  /** The `a=fmtp` parameters, without the payload type. */
  readonly fmtp?: string
  /** RTP header extensions (RFC 8285), id to URI. In a file it may also be called `extmap`, or be a list of `{ id, uri }`. */
  readonly headerExtensions?: Readonly<Record<number, string>>
  /** Of video: what it shows. @defaultValue `camera`; `screen` for a second video track beside a camera */
  readonly shows?: 'camera' | 'screen'
  /** Milliseconds after the start when its first packet arrived. */
  readonly joinedAtMs: number
  /** Milliseconds after the start when it was closed; absent while it is open. */
  readonly leftAtMs?: number
}

/** One person or device in the room. Keys not named here are kept as they are. */
export interface SessionParticipant {
  /** Unique within the take. */
  readonly id: string
  readonly name?: string
  readonly tracks: readonly SessionTrack[]
}

/** Something that happened in the room. Further keys are free. */
export interface TakeEvent {
  /** Milliseconds after the start, on the clock of the packets' arrival. */
  readonly atMs: number
  /** `join`, `leave`, `mute`, `unmute`, `resize`, `replace`, `layout` or any other word. */
  readonly type: string
  /** Id of the participant concerned. */
  readonly participant?: string
  /** Id of the track concerned. */
  readonly track?: string
  readonly [key: string]: unknown
}

/** The content of session.json. Keys not named here are kept as they are. */
export interface Session {
  /** @defaultValue 1 */
  readonly formatVersion?: number
  readonly name?: string
  readonly recordingId?: string
  readonly roomId?: string
  /** Wall time of the recording's time zero, ISO 8601 in UTC. Arrival offsets count from here. */
  readonly startedAt: string
  readonly durationMs?: number
  /** `false` while it is being recorded and after a crash. @defaultValue true */
  readonly finished?: boolean
  /** Present where the take was finished after a crash: when, and what was lost. */
  readonly recovered?: SessionRecovered
  /** Participants that were erased, without a trace of who they were. */
  readonly erased?: readonly SessionErasure[]
  readonly participants: readonly SessionParticipant[]
  readonly events: readonly TakeEvent[]
}

/** What a repair after a crash found. */
export interface SessionRecovered {
  /** Wall time of the repair, ISO 8601 in UTC. */
  readonly at: string
  /** What was lost, or could not be used, by file. */
  readonly lost: readonly TakeDamage[]
}

/** The tombstone of a participant. */
export interface SessionErasure {
  /** Wall time of the erasure, ISO 8601 in UTC. */
  readonly at: string
  /**
   * 64 bits of SHA-256 over the start of the take and the id. Who knows the id can recognise it; it cannot be read
   * from the hash. An id that can be guessed (a telephone number) can also be found by trying.
   */
  readonly participantHash: string
  /** Files that were being removed when the erasure was interrupted: `recoverTake` goes on with it. */
  readonly pendingFiles?: readonly string[]
}

/** Wall time of the recording's time zero, in microseconds since 1970-01-01T00:00Z. */
export function startedAtUs(session: Pick<Session, 'startedAt'>): number {
  return Date.parse(session.startedAt) * 1000
}
