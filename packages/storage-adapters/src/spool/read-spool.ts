import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigurationError } from '@rushes/media'
import { systemCode } from '../local/system-error.js'
import { JOURNAL_VERSION } from './journal-line.js'
import { type JournalState, replayJournal } from './journal-replay.js'
import { SpoolFiles } from './spool-files.js'
import { spoolOwner } from './spool-lock.js'

/** The journal's file in the folder of a spool. */
export const JOURNAL_FILE = 'journal.ndjson'

/** An entry as the journal has it. */
export interface SpoolFileEntry {
  readonly kind: 'put' | 'delete'
  readonly key: string
  readonly bytes: number
  /** Milliseconds since 1970-01-01T00:00Z. */
  readonly putAtMs: number
  /** `waiting`, or `stored` with a copy that is still here. */
  readonly state: 'waiting' | 'stored'
  readonly contentType?: string
  /** Part of it has arrived, and the transfer will go on there. */
  readonly hasCheckpoint: boolean
  /** Why it was given up, where it was. */
  readonly failure?: { readonly code: string; readonly message: string }
}

/** What stands in the folder of a spool. */
export interface SpoolFileState {
  readonly version: number
  /** The process that has it open. */
  readonly owner?: { readonly pid: number; readonly host: string }
  /** In the order in which they were put. */
  readonly entries: readonly SpoolFileEntry[]
  readonly waiting: number
  readonly waitingBytes: number
  /** Whole lines of the journal that could not be read. */
  readonly damagedLines: number
}

/**
 * Reads the state of a spool without opening it, also while a process uses it. Everything is read into memory.
 * @throws ConfigurationError when there is no spool, or one of a later version
 */
export async function readSpool(dir: string): Promise<SpoolFileState> {
  const journal = await readJournal(dir)
  if (journal === undefined) throw new ConfigurationError('dir', 'holds no spool', dir)
  const files = new SpoolFiles(dir, false)
  const entries: SpoolFileEntry[] = []
  let waiting = 0
  let waitingBytes = 0
  for (const { entry, doneAtMs, failure } of journal.entries.values()) {
    const { kind, key, bytes, putAtMs, contentType, checkpoint } = entry
    if (doneAtMs === undefined) {
      waiting += 1
      waitingBytes += bytes
    } else if (kind === 'delete' || !(await isThere(files.pathOf(entry.id)))) continue
    entries.push({
      kind,
      key,
      bytes,
      putAtMs,
      state: doneAtMs === undefined ? 'waiting' : 'stored',
      hasCheckpoint: checkpoint !== undefined,
      ...(contentType === undefined ? {} : { contentType }),
      ...(failure === undefined || doneAtMs !== undefined ? {} : { failure }),
    })
  }
  const owner = await spoolOwner(dir)
  const { version = JOURNAL_VERSION, damagedLines } = journal
  return { version, ...(owner === undefined ? {} : { owner }), entries, waiting, waitingBytes, damagedLines }
}

/** The journal of a folder, `undefined` when there is none. */
export async function readJournal(dir: string): Promise<JournalState | undefined> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(join(dir, JOURNAL_FILE))
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new ConfigurationError('dir', `cannot be read: ${code}`, dir)
  }
  const journal = replayJournal(bytes)
  if ((journal.version ?? 0) > JOURNAL_VERSION) {
    throw new ConfigurationError(
      'dir',
      `holds a spool of version ${journal.version}, this reads up to ${JOURNAL_VERSION}`,
    )
  }
  return journal
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
