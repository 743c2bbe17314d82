import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode, TakeError } from './errors.js'
import type { Session } from './session.js'
import { readSession } from './take.js'
import { isLocked } from './take-lock.js'

/** A take as it lies in a journal. */
export interface ListedTake {
  readonly dir: string
  /**
   * `finished`; `recording`: a process that lives writes it; `unfinished`: a crash cut it, or the erasure of a
   * participant, short, and `recoverTake` finishes it; `broken`: its session.json cannot be used, `error` says why.
   */
  readonly state: 'finished' | 'recording' | 'unfinished' | 'broken'
  /** Without participants, tracks and events. Absent for a broken one. */
  readonly session?: Omit<Session, 'participants' | 'events'>
  readonly error?: TakeError
}

/**
 * The takes in the folders right below `journalDir`, by name. Of each only session.json and the lock are read. Folders
 * without session.json are no takes. A journal that is not there yet is empty.
 * @throws TakeError `TAKE_READ_FAILED` when the folder cannot be read
 */
export async function listTakes(journalDir: string): Promise<readonly ListedTake[]> {
  const takes: ListedTake[] = []
  try {
    const entries = await readdir(journalDir, { withFileTypes: true })
    // Names that begin with a dot: takes that are being removed.
    const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name)
    for (const name of names.sort()) {
      const take = await look(join(journalDir, name))
      if (take !== undefined) takes.push(take)
    }
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return []
    const message = `the journal folder ${journalDir} cannot be read: ${(cause as Error).message}`
    throw new TakeError('TAKE_READ_FAILED', message, { cause })
  }
  return takes
}

async function look(dir: string): Promise<ListedTake | undefined> {
  try {
    let session = await readSession(dir)
    const locked = needsRepair(session) && (await isLocked(dir))
    // It may have been finished between the two looks.
    if (needsRepair(session) && !locked) session = await readSession(dir)
    const { participants: _, events: __, ...facts } = session
    return { dir, session: facts, state: !needsRepair(session) ? 'finished' : locked ? 'recording' : 'unfinished' }
  } catch (error) {
    // Removed while it was looked at.
    if (systemCode(error) === 'ENOENT') return undefined
    if (!(error instanceof TakeError)) throw error
    return error.code === 'TAKE_NO_SESSION' ? undefined : { dir, state: 'broken', error }
  }
}

function needsRepair({ finished, erased = [] }: Session): boolean {
  return finished === false || erased.some(({ pendingFiles }) => pendingFiles !== undefined)
}
