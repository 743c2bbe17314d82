import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { RecordingEvent } from '@rushes/media'
import { type ListedTake, listTakes, recoverTake, type TakeDamage } from '@rushes/take'
import { CliError } from './errors.js'

/** A take of a journal that somebody has to know of. */
export interface FoundTake {
  readonly dir: string
  /** Of the recording, else the name of the folder. */
  readonly id: string
  /**
   * `unfinished`: a recording whose outputs are not all there, to be made by a recorder; `failed`: they could not be
   * made by an earlier attempt; `repaired`: the take of another program, now finished; `recording`: a living process
   * writes it; `broken`: it cannot be read or repaired.
   */
  readonly state: 'unfinished' | 'failed' | 'repaired' | 'recording' | 'broken'
  /** What the crash took. */
  readonly lost: readonly TakeDamage[]
  /** Why it failed or is broken. */
  readonly message?: string
}

/** Beside the take of a recording: what was told of it. */
const LIFECYCLE_FILE = 'lifecycle.ndjson'

/**
 * Repairs what a crash left in a journal. Finished takes of other programs, and recordings whose outputs are there, are
 * not listed.
 * @throws CliError `JOURNAL_IN_USE` while another recorder works with it; TakeError `TAKE_READ_FAILED`
 */
export async function repairJournal(journalDir: string): Promise<readonly FoundTake[]> {
  const takes = await listTakes(journalDir)
  const busy = takes.find((take) => take.state === 'recording' && isRecording(take))
  if (busy !== undefined) {
    throw new CliError('JOURNAL_IN_USE', `another process records ${idOf(busy)} into ${journalDir}`)
  }
  const found = await Promise.all(takes.map(repair))
  return found.filter((take) => take !== undefined)
}

async function repair(take: ListedTake): Promise<FoundTake | undefined> {
  const { dir, state, session, error } = take
  const id = idOf(take)
  if (state === 'recording') return { dir, id, state, lost: [] }
  if (state === 'broken') return { dir, id, state, lost: [], message: error?.message ?? 'it cannot be read' }
  try {
    const { repaired, lost } =
      state === 'unfinished' ? await recoverTake(dir) : { repaired: false, lost: session?.recovered?.lost ?? [] }
    if (!isRecording(take)) return repaired ? { dir, id, state: 'repaired', lost } : undefined
    const end = await endOf(dir)
    if (end?.type === 'READY') return undefined
    if (end === undefined) return { dir, id, state: 'unfinished', lost }
    return { dir, id, state: 'failed', lost, message: textOf(end.data['message']) }
  } catch (failure) {
    return { dir, id, state: 'broken', lost: [], message: (failure as Error).message }
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function idOf({ dir, session }: ListedTake): string {
  return session?.recordingId ?? basename(dir)
}

/** A recorder writes its settings into session.json; other programs do not. */
function isRecording({ session }: ListedTake): boolean {
  return session?.recordingId !== undefined && 'recorder' in session
}

/** The event that ended a recording: READY, or a fatal ERROR. */
async function endOf(dir: string): Promise<RecordingEvent | undefined> {
  const text = await readFile(join(dir, LIFECYCLE_FILE), 'utf8').catch(() => '')
  const events = text.split('\n').flatMap(parseEvent)
  return (
    events.find(({ type }) => type === 'READY') ??
    events.find(({ type, data }) => type === 'ERROR' && data['fatal'] === true)
  )
}

function parseEvent(line: string): RecordingEvent[] {
  try {
    const event: unknown = JSON.parse(line)
    return typeof event === 'object' && event !== null && 'type' in event && 'data' in event
      ? [event as RecordingEvent]
      : []
  } catch {
    // Torn by the crash: nobody was told.
    return []
  }
}
