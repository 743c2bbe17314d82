/** What an earlier process left behind in the journal's folder. */

import { join } from 'node:path'
import type { Manifest } from '@rushes/render'
import { listTakes, recoverTake, type Session } from '@rushes/take'
import { EVENT_JOURNAL_FILE, EventJournal } from './event-journal.js'
import { conclude, renderJournal, retire } from './finishing.js'
import { notifyAll, type RecorderSurroundings } from './recorder-surroundings.js'
import type { RecordingSettings } from './settings.js'

/** What became of a recording that was found. */
export interface RecoveredRecording {
  readonly recordingId: string
  readonly dir: string
  readonly outcome: 'ready' | 'failed'
  readonly manifest?: Manifest
  readonly error?: unknown
}

/** A recording that is not ready, as it lies in its folder. */
interface Left {
  readonly dir: string
  readonly recordingId: string
  readonly roomId: string
  readonly startedAt: string
  readonly settings: RecordingSettings
}

/**
 * Repairs every take that was cut short, and begins to make the outputs of all that are not ready. Resolves when the
 * takes are repaired; `finished` when the outputs are there.
 */
export async function recoverAll(
  journalDir: string,
  surroundings: RecorderSurroundings,
): Promise<{ readonly finished: Promise<readonly RecoveredRecording[]> }> {
  const { logger } = surroundings
  const found: Left[] = []
  for (const { dir, state, session, error } of await listTakes(journalDir)) {
    if (state === 'recording') {
      // Another recorder on the same folder: its recordings are not ours to finish.
      logger.warn('a living process writes this take; it is left alone', { dir })
      continue
    }
    if (state === 'broken' || session === undefined) {
      logger.error('a take cannot be read; it is left as it is', { dir, error })
      continue
    }
    const left = leftOf(dir, session)
    if (left === undefined) continue
    try {
      if (state === 'unfinished') await recoverTake(dir)
      found.push(left)
    } catch (failure) {
      logger.error('a take cannot be repaired; it is tried again at the next start', { dir, error: failure })
    }
  }
  return { finished: Promise.all(found.map((left) => finishLeft(left, surroundings))).then((all) => all.flat()) }
}

/** Folders of takes whose outputs are in the store: what may be deleted when space runs out. */
export async function finishedTakes(journalDir: string): Promise<string[]> {
  const finished: { readonly dir: string; readonly startedAt: string }[] = []
  for (const { dir, state, session } of await listTakes(journalDir)) {
    if (state !== 'finished' || session === undefined) continue
    const events = await EventJournal.open(join(dir, EVENT_JOURNAL_FILE), identityOf(dir, session), silent)
    if (events.known.some(({ type }) => type === 'READY')) finished.push({ dir, startedAt: session.startedAt })
  }
  return finished.sort((a, b) => a.startedAt.localeCompare(b.startedAt)).map(({ dir }) => dir)
}

const silent = { tell: () => {}, onFailure: () => {} }

function identityOf(dir: string, session: Pick<Session, 'recordingId' | 'roomId'>) {
  const recordingId = session.recordingId ?? dir
  return { recordingId, roomId: session.roomId ?? recordingId }
}

/** Takes of others (imported, copied here) have no settings of a recorder: they are not ours. */
function leftOf(dir: string, session: Omit<Session, 'participants' | 'events'>): Left | undefined {
  const { recorder } = session as { readonly recorder?: { readonly settings?: RecordingSettings } }
  if (session.recordingId === undefined || recorder?.settings === undefined) return undefined
  const { startedAt } = session
  return { dir, ...identityOf(dir, session), startedAt, settings: recorder.settings }
}

async function finishLeft(left: Left, surroundings: RecorderSurroundings): Promise<RecoveredRecording[]> {
  const { dir, recordingId, roomId, settings } = left
  const { logger, now } = surroundings
  const events = await EventJournal.open(
    join(dir, EVENT_JOURNAL_FILE),
    { recordingId, roomId },
    {
      tell: (event) => notifyAll(surroundings, event),
      onFailure: (error) => logger.error('an event could not be journalled', { recordingId, error }),
    },
  )
  // Notifiers know by their ids what they have been told; what the crash kept from them they get now.
  for (const event of events.known) await notifyAll(surroundings, event)
  const has = (type: string): boolean => events.known.some((event) => event.type === type)
  const hasFailed = events.known.some(({ type, data }) => type === 'ERROR' && data['fatal'] === true)
  if (has('READY')) {
    await retire(dir, recordingId, settings.journal ?? 'delete', surroundings)
    return []
  }
  // What has failed stays, for a person to look at.
  if (hasFailed) return []
  const teller = {
    recordingId,
    roomId,
    settings,
    tell: (type: Parameters<EventJournal['add']>[0]['type'], data: Parameters<EventJournal['add']>[0]['data']) =>
      void events.add({ type, at: new Date(now()).toISOString(), ...(data === undefined ? undefined : { data }) }),
    settled: () => events.settled(),
  }
  if (!has('STOP')) teller.tell('STOP', { reason: 'crash' })
  try {
    const rendered = await renderJournal(dir, teller, surroundings)
    await conclude(dir, teller, rendered, surroundings)
    const { manifest } = rendered
    return [{ recordingId, dir, outcome: 'ready', manifest }]
  } catch (error) {
    if (!surroundings.closing.aborted) {
      const { code, message } = error as { code?: string; message: string }
      teller.tell('ERROR', { code: code ?? 'RECORDING_FAILED', message, fatal: true })
    }
    await events.settled()
    return [{ recordingId, dir, outcome: 'failed', error }]
  }
}
