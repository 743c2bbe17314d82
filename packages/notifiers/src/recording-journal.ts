import { createHash } from 'node:crypto'
import { JournalFile } from './journal-file.js'
import type { JournalLine } from './journal-line.js'
import type { PendingDelivery, Place } from './journal-replay.js'

const FILE_NAME = /-[0-9a-f]{16}\.ndjson$/

/** The file of a recording: a part of its id that people recognize, and a hash that tells it from all others. */
export function journalFileName(recordingId: string): string {
  const readable = recordingId.replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, 40)
  return `${readable}-${createHash('sha256').update(recordingId).digest('hex').slice(0, 16)}.ndjson`
}

/** Whether a file in the folder is a journal. */
export function isJournalFileName(name: string): boolean {
  return FILE_NAME.test(name)
}

/** What was read when the journal of a recording was opened. */
export interface OpenedJournal {
  readonly journal: RecordingJournal
  readonly pending: readonly PendingDelivery[]
  readonly torn: boolean
  readonly damagedLines: number
}

/** What is known of one recording: which deliveries were ever queued, how many are not done, and the file with them. */
export class RecordingJournal {
  readonly #notifier: string
  readonly #file: JournalFile
  readonly #seen: Set<string>
  #recordingId: string
  #lastAtMs: number
  #ended: boolean
  #compacted: boolean
  /** Deliveries that are not done. */
  pending: number

  private constructor(
    file: JournalFile,
    facts: {
      notifier: string
      recordingId: string
      seen: Set<string>
      pending: number
      ended: boolean
      lastAtMs: number
    },
  ) {
    this.#file = file
    this.#notifier = facts.notifier
    this.#recordingId = facts.recordingId
    this.#seen = facts.seen
    this.#ended = facts.ended
    this.#lastAtMs = facts.lastAtMs
    this.#compacted = false
    this.pending = facts.pending
  }

  /**
   * Opens the journal at `path`. Without a file, or with one that has no head, it is new, and of `recordingId`;
   * `undefined` when neither tells whose it is.
   */
  static async open(
    path: string,
    options: { readonly notifier: string; readonly recordingId?: string; readonly fsync: boolean },
  ): Promise<OpenedJournal | undefined> {
    const { file, state, torn } = await JournalFile.open(path, options.fsync)
    const recordingId = options.recordingId ?? state?.head?.recordingId
    if (recordingId === undefined) return undefined
    const journal = new RecordingJournal(file, {
      notifier: state?.head?.notifier ?? options.notifier,
      recordingId,
      seen: state?.seen ?? new Set(),
      pending: state?.pending.length ?? 0,
      ended: state?.ended ?? false,
      lastAtMs: state?.lastAtMs ?? 0,
    })
    file.head = journal.#head()
    // Whatever stood there before, without a head it told nothing of itself.
    if (state !== undefined && state.head === undefined && state.wholeBytes > 0) file.append(file.head)
    return { journal, pending: state?.pending ?? [], torn, damagedLines: state?.damagedLines ?? 0 }
  }

  /** In memory only, for a file that cannot be read. */
  static withoutFile(
    path: string,
    options: { readonly notifier: string; readonly recordingId: string },
  ): OpenedJournal {
    const facts = { ...options, seen: new Set<string>(), pending: 0, ended: false, lastAtMs: 0 }
    return {
      journal: new RecordingJournal(JournalFile.unreadable(path), facts),
      pending: [],
      torn: false,
      damagedLines: 0,
    }
  }

  get recordingId(): string {
    return this.#recordingId
  }

  /** The kind of notifier that wrote the file. */
  get notifier(): string {
    return this.#notifier
  }

  get ended(): boolean {
    return this.#ended
  }

  /** The latest time in the file, in milliseconds of wall time. */
  get lastAtMs(): number {
    return this.#lastAtMs
  }

  /** Whether lines wait to be written; where nothing was ever queued, none are. */
  get hasUnwritten(): boolean {
    return this.#seen.size > 0 && this.#file.hasUnwritten
  }

  has(id: string): boolean {
    return this.#seen.has(id)
  }

  appendEvent(event: { id: string; type: string; atMs: number; body: string }): Place {
    this.#seen.add(event.id)
    this.pending += 1
    return this.#append({ kind: 'event', ...event })
  }

  appendTry(id: string, attempts: number, dueMs: number): void {
    // These only keep count: while the disk refuses they would pile up.
    if (!this.#file.fails) this.#append({ kind: 'try', id, attempts, dueMs })
  }

  appendDone(id: string, state: 'delivered' | 'failed', atMs: number): void {
    this.pending -= 1
    this.#append({ kind: 'done', id, state, atMs })
  }

  /** Notes that the recording has ended, once, and only where there is something to end. */
  appendEnd(atMs: number): void {
    if (this.#ended || this.#seen.size === 0) return
    this.#ended = true
    this.#append({ kind: 'end', atMs })
  }

  /** Writes what was appended; with nothing queued ever, no file is made. */
  async flush(): Promise<void> {
    if (this.#seen.size > 0) await this.#file.flush()
  }

  readBody(place: Place): Promise<string> {
    return this.#file.readBody(place)
  }

  /** Once the recording has ended and all is done: lets the bodies go, and keeps the ids. */
  async compact(): Promise<void> {
    if (!this.#ended || this.#compacted || this.pending > 0) return
    await this.#file.replace(() => {
      if (this.pending > 0) return undefined
      this.#compacted = true
      const ids = [...this.#seen]
      const atMs = this.#lastAtMs
      return [this.#head(), { kind: 'seen', ids, atMs }, { kind: 'end', atMs }]
    })
  }

  #head(): JournalLine {
    return { kind: 'head', notifier: this.#notifier, recordingId: this.#recordingId }
  }

  #append(line: JournalLine): Place {
    if ('atMs' in line) this.#lastAtMs = Math.max(this.#lastAtMs, line.atMs)
    this.#compacted = false
    return this.#file.append(line)
  }
}
