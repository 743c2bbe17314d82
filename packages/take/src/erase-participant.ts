import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { TakeError, writeFailed } from './errors.js'
import { nodeFileSystem, syncFolder, type TakeFileSystem } from './file-system.js'
import { EVENTS_FILE, type Session, type SessionErasure, type SessionParticipant } from './session.js'
import { readSession } from './take.js'
import { lockTake } from './take-lock.js'
import { writeSession } from './write-session.js'

/** How a participant is erased. */
export interface EraseParticipantOptions {
  /** Wall time in milliseconds, for the tombstone. @defaultValue the machine's */
  readonly now?: () => number
  /** For tests of crashes. @defaultValue the machine's */
  readonly fileSystem?: TakeFileSystem
}

/**
 * Removes a person from a finished take: the files of their tracks, their entry, the events that concern them, and
 * every mention of their id, their tracks' ids and their name in other events. What stays is a tombstone without
 * personal data. If it is interrupted, the same call or `recoverTake` completes it; to erase somebody who has been
 * erased does nothing. Outputs that were rendered before are not touched, nor are keys of session.json that the host
 * added. The disk may keep the bytes of a removed file until it uses their place again.
 * @throws TakeError `TAKE_NOT_FINISHED`, `TAKE_UNKNOWN_PARTICIPANT`, `TAKE_LOCKED`, `TAKE_WRITE_FAILED` and those of `openTake`
 */
export async function eraseParticipant(
  dir: string,
  participantId: string,
  options: EraseParticipantOptions = {},
): Promise<Session> {
  const files = options.fileSystem ?? nodeFileSystem
  refuseUnfinished(dir, await readSession(dir))
  try {
    const lock = await lockTake(dir, files)
    try {
      const before = await readSession(dir)
      refuseUnfinished(dir, before)
      const at = new Date((options.now ?? Date.now)()).toISOString()
      const marked = withoutParticipant(before, participantId, at)
      if (marked !== before) await writeSession(dir, marked, true, files)
      const pending = (marked.erased ?? []).flatMap(({ pendingFiles }) => pendingFiles ?? [])
      if (pending.length === 0 && marked === before) return before
      for (const file of pending) await files.remove(join(dir, file))
      // What an interrupted end of the recording left names the person too.
      await files.remove(join(dir, EVENTS_FILE))
      await syncFolder(dir, files)
      const erased = (marked.erased ?? []).map(({ pendingFiles: _, ...erasure }) => erasure)
      const session = { ...marked, erased }
      await writeSession(dir, session, true, files)
      return session
    } finally {
      await lock.release()
    }
  } catch (cause) {
    throw cause instanceof TakeError ? cause : writeFailed(dir, cause)
  }
}

/** What a tombstone says in place of an id. */
export function participantHashOf(session: Pick<Session, 'startedAt' | 'recordingId'>, participantId: string): string {
  const text = JSON.stringify([session.startedAt, session.recordingId ?? '', participantId])
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

function refuseUnfinished(dir: string, session: Session): void {
  if (session.finished !== false) return
  const message = `the take in ${dir} is not finished: nobody can be erased from it before it is finished or recovered`
  throw new TakeError('TAKE_NOT_FINISHED', message)
}

/** The session without the person, with a tombstone that names the files to remove; itself where this was done before. */
function withoutParticipant(session: Session, participantId: string, at: string): Session {
  const participant = session.participants.find(({ id }) => id === participantId)
  const participantHash = participantHashOf(session, participantId)
  if (participant === undefined) {
    if (session.erased?.some((erasure) => erasure.participantHash === participantHash) === true) return session
    throw new TakeError('TAKE_UNKNOWN_PARTICIPANT', `nobody in the take is called ${JSON.stringify(participantId)}`)
  }
  const erasure: SessionErasure = { at, participantHash, pendingFiles: participant.tracks.map(({ file }) => file) }
  const trackIds = new Set(participant.tracks.map(({ id }) => id))
  const names = namesOf(participant)
  const events = session.events
    .filter((event) => event.participant !== participantId && !trackIds.has(event.track ?? ''))
    .map((event) => withoutMentions(event, names) as typeof event)
  const { recovered } = session
  const kept = recovered && { ...recovered, lost: recovered.lost.filter(({ trackId }) => !trackIds.has(trackId ?? '')) }
  return {
    ...session,
    ...(kept === undefined ? {} : { recovered: kept }),
    erased: [...(session.erased ?? []), erasure],
    participants: session.participants.filter(({ id }) => id !== participantId),
    events,
  }
}

function namesOf(participant: SessionParticipant): ReadonlySet<string> {
  const names = new Set([participant.id])
  if (participant.name !== undefined && participant.name !== '') names.add(participant.name)
  for (const { id, file } of participant.tracks) names.add(id).add(file)
  return names
}

/** Without these an event is none. */
const ownKeys: ReadonlySet<string> = new Set(['type', 'atMs'])

/** A value without strings, and without keys, that name the person. */
function withoutMentions(value: unknown, names: ReadonlySet<string>): unknown {
  if (Array.isArray(value))
    return value.filter((entry) => !isName(entry, names)).map((entry) => withoutMentions(entry, names))
  if (typeof value !== 'object' || value === null) return value
  const kept: [string, unknown][] = []
  for (const [key, entry] of Object.entries(value)) {
    if (!ownKeys.has(key) && (names.has(key) || isName(entry, names))) continue
    kept.push([key, withoutMentions(entry, names)])
  }
  return Object.fromEntries(kept)
}

function isName(value: unknown, names: ReadonlySet<string>): boolean {
  return typeof value === 'string' && names.has(value)
}
