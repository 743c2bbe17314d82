import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StoreError } from '../errors.js'
import { fromSystemError, systemCode } from '../local/system-error.js'
import type { PutOptions } from '../store.js'
import { throwIfAborted } from '../store-body.js'
import { entryLine, JOURNAL_VERSION, type JournalLine } from './journal-line.js'
import { KeptCopies, type KeptCopy } from './kept-copies.js'
import type { QueuedEntry } from './queued-entry.js'
import { JOURNAL_FILE, readJournal } from './read-spool.js'
import type { SpoolEntry } from './spool-entry.js'
import { SpoolFiles } from './spool-files.js'
import { SpoolJournal } from './spool-journal.js'
import type { SpoolSettings } from './spool-options.js'
import type { SpoolQueue } from './spool-queue.js'
import type { SpoolTime } from './spool-time.js'

/** Between attempts to journal what the store confirmed, when the disk refuses. */
const JOURNAL_RETRY_MS = 1000

/** Writes a body under an id; `reserve` is called before each write with its bytes, and may refuse by throwing. */
export type WriteBody = (
  id: number,
  reserve: (bytes: number) => Promise<void>,
) => Promise<{ readonly bytes: number; readonly sha256?: string }>

/** What a spool has on the disk: bodies, the journal, copies of what is stored; and how much of it there may be. */
export class SpoolDisk {
  readonly files: SpoolFiles
  readonly kept: KeptCopies
  readonly counts = { resumed: 0, refused: 0, journalFailures: 0, damagedLines: 0, orphans: 0 }
  readonly #settings: SpoolSettings
  readonly #time: SpoolTime
  readonly #queue: SpoolQueue
  readonly #admitted: (entry: SpoolEntry) => void
  readonly #keptMore: () => void
  readonly #journal: SpoolJournal
  /** In the journal, but not in the queue yet. */
  readonly #admitting = new Set<SpoolEntry>()
  /** Done, though the journal does not say so yet. */
  readonly #finishing = new Set<Promise<void>>()
  readonly #closing = new AbortController()
  #lastAdmission: Promise<unknown> = Promise.resolve()
  #nextId = 0
  #bytes = 0

  /**
   * `admitted` is called with each entry as soon as the journal has it, in the order of the journal; `keptMore` when
   * there is a copy more, so that `freeDue` may have something to do.
   */
  constructor(
    settings: SpoolSettings,
    time: SpoolTime,
    queue: SpoolQueue,
    told: { readonly admitted: (entry: SpoolEntry) => void; readonly keptMore: () => void },
  ) {
    const { dir, fsync, free } = settings
    this.#settings = settings
    this.#time = time
    this.#queue = queue
    this.#admitted = told.admitted
    this.#keptMore = told.keptMore
    this.files = new SpoolFiles(dir, fsync)
    this.kept = new KeptCopies(free)
    const liveCount = (): number => queue.size + 2 * this.kept.size
    this.#journal = new SpoolJournal(join(dir, JOURNAL_FILE), fsync, () => this.#liveLines(), liveCount)
  }

  /** Bytes in the folder: of what waits, what is being written, and copies. */
  get bytes(): number {
    return this.#bytes
  }

  /** Reads what a former process left, and lets it be admitted. */
  async open(): Promise<void> {
    await this.#load()
    await this.#journal.open()
  }

  /** Waits for what is being journalled, and lets go of the journal. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#lastAdmission
    await this.finished()
    await this.#journal.close().catch(() => {})
  }

  /** Resolves when the copies of all that is done are gone, or kept. */
  async finished(): Promise<void> {
    await Promise.all(this.#finishing)
  }

  /** Takes an object: its body becomes a file, then the journal has it. */
  async accept(
    key: string,
    options: PutOptions,
    write: WriteBody,
  ): Promise<{ readonly bytes: number; readonly sha256?: string }> {
    const id = this.#newId(key)
    let reserved = 0
    try {
      const written = await write(id, async (more) => {
        await this.#reserve(key, more)
        reserved += more
      })
      throwIfAborted(options.signal)
      const { contentType, cacheControl } = options
      await this.#admit({
        id,
        kind: 'put',
        key,
        bytes: written.bytes,
        putAtMs: this.#time.nowMs(),
        ...(contentType === undefined ? {} : { contentType }),
        ...(cacheControl === undefined ? {} : { cacheControl }),
      })
      return written
    } catch (error) {
      await this.files.removePart(id).catch(() => {})
      this.#bytes -= reserved
      const failure = fromSystemError(error, key, this.#settings.dir)
      if (failure.code === 'STORE_NO_SPACE') {
        this.counts.refused += 1
        // Not the spool's own limit: whatever may go makes room for the next one.
        if (systemCode(error) !== undefined) await this.#freeCopies(this.kept.takeForRoom(Infinity))
      }
      throw failure
    }
  }

  /** Takes a delete. */
  async acceptDelete(key: string): Promise<void> {
    const id = this.#newId(key)
    try {
      await this.#admit({ id, kind: 'delete', key, bytes: 0, putAtMs: this.#time.nowMs() })
    } catch (error) {
      throw fromSystemError(error, key, this.#settings.dir)
    }
  }

  /** Journals that an entry is done; its copy goes only after that, or a restart would look for it. */
  finish(entry: QueuedEntry, isReplaced: boolean): Promise<void> {
    const finishing = this.#finishNow(entry, isReplaced).finally(() => this.#finishing.delete(finishing))
    this.#finishing.add(finishing)
    return finishing
  }

  async #finishNow(entry: QueuedEntry, isReplaced: boolean): Promise<void> {
    const { id, kind, key, bytes } = entry
    const doneAtMs = this.#time.nowMs()
    const line: JournalLine = { kind: 'done', id, atMs: doneAtMs, ...(isReplaced ? { replaced: true as const } : {}) }
    for (;;) {
      try {
        await this.#journal.append(line)
        break
      } catch {
        this.counts.journalFailures += 1
        // Not told, it would be sent once more after a restart, which does no harm.
        if (this.#closing.signal.aborted) return
        await this.#time.wait(JOURNAL_RETRY_MS, this.#closing.signal)
      }
    }
    if (kind === 'delete') return
    if (isReplaced || this.#settings.free === 'at-once') {
      await this.files.remove(id).catch(() => {})
      this.#bytes -= bytes
      return
    }
    const older = this.kept.add({ id, key, bytes, doneAtMs })
    if (older !== undefined) await this.#freeCopies([older])
    this.#keptMore()
  }

  async #freeCopies(copies: readonly KeptCopy[]): Promise<void> {
    await Promise.all(
      copies.map(async ({ id, bytes }) => {
        this.#bytes -= bytes
        await this.files.remove(id).catch(() => {})
        void this.note({ kind: 'gone', id })
      }),
    )
  }

  /** Writes a line that may be lost. Resolves when it is written, or cannot be. */
  async note(line: JournalLine): Promise<void> {
    await this.#journal.append(line).catch(() => {
      this.counts.journalFailures += 1
    })
  }

  /** Lets copies go whose time has come. Gives when the next one's will. */
  freeDue(nowMs: number): number | undefined {
    const freed = this.kept.takeDue(nowMs, this.#bytes)
    if (freed.length > 0) void this.#freeCopies(freed)
    return this.kept.nextDeadline()
  }

  #newId(key: string): number {
    if (this.#queue.size + this.kept.size + this.#admitting.size >= this.#settings.maxEntries) {
      this.counts.refused += 1
      const message = `${key}: ${this.#settings.maxEntries} objects wait in the spool, which is its limit`
      throw new StoreError('STORE_NO_SPACE', message, { key })
    }
    this.#nextId += 1
    return this.#nextId - 1
  }

  async #reserve(key: string, bytes: number): Promise<void> {
    const { maxBytes } = this.#settings
    if (this.#bytes + bytes > maxBytes) {
      await this.#freeCopies(this.kept.takeForRoom(this.#bytes + bytes - maxBytes))
    }
    if (this.#bytes + bytes > maxBytes) {
      throw new StoreError('STORE_NO_SPACE', `${key}: the spool is full (${maxBytes} bytes)`, { key })
    }
    this.#bytes += bytes
  }

  /** Into the journal, then into the queue, in one order. The entry counts from the moment when the journal has it. */
  async #admit(entry: SpoolEntry): Promise<void> {
    if (entry.kind === 'put') await this.files.syncNames()
    const written = this.#journal
      .append(entryLine(entry), () => this.#admitting.add(entry))
      .then(() => (entry.kind === 'put' ? this.files.accept(entry.id) : undefined))
      .catch((error: unknown) => this.#retract(entry, error))
    const before = this.#lastAdmission
    const admitted = Promise.allSettled([before, written]).then(() => written)
    this.#lastAdmission = admitted.catch(() => {})
    await admitted
    this.#admitting.delete(entry)
    this.#admitted(entry)
  }

  async #retract(entry: SpoolEntry, error: unknown): Promise<never> {
    this.counts.journalFailures += 1
    if (this.#admitting.delete(entry)) await this.#journal.append({ kind: 'gone', id: entry.id }).catch(() => {})
    throw error
  }

  async #load(): Promise<void> {
    const { dir, free } = this.#settings
    await this.files.create()
    const journal = await readJournal(dir)
    const { parts, bodies } = await this.files.scan()
    const isSound = journal !== undefined && journal.damagedLines === 0 && journal.version !== undefined
    if (journal !== undefined && !isSound && journal.lines > 0) {
      await copyFile(join(dir, JOURNAL_FILE), join(dir, 'journal.damaged'))
      this.counts.damagedLines = journal.damagedLines
    }
    const entries = journal?.entries ?? new Map()
    this.#nextId = journal?.nextId ?? 0
    for (const id of bodies) {
      this.#nextId = Math.max(this.#nextId, id + 1)
      if (!entries.has(id)) this.counts.orphans += 1
    }
    for (const id of parts) {
      this.#nextId = Math.max(this.#nextId, id + 1)
      if (entries.has(id)) await this.files.accept(id)
      else if (isSound) await this.files.removePart(id)
      else this.counts.orphans += 1
    }
    for (const { entry, doneAtMs, isReplaced } of journal?.entries.values() ?? []) {
      if (doneAtMs === undefined) {
        this.counts.resumed += 1
        this.#bytes += entry.bytes
        this.#admitted(entry)
      } else if (entry.kind === 'put' && bodies.has(entry.id)) {
        const { id, key, bytes } = entry
        if (isReplaced === true || free === 'at-once') await this.files.remove(id)
        else {
          this.#bytes += bytes
          const older = this.kept.add({ id, key, bytes, doneAtMs })
          if (older === undefined) continue
          this.#bytes -= older.bytes
          await this.files.remove(older.id)
        }
      }
    }
  }

  *#liveLines(): Generator<JournalLine> {
    yield { kind: 'head', version: JOURNAL_VERSION, nextId: this.#nextId }
    for (const { id, key, bytes, doneAtMs } of this.kept.values()) {
      yield { kind: 'put', id, key, bytes, putAtMs: doneAtMs }
      yield { kind: 'done', id, atMs: doneAtMs }
    }
    for (const entry of this.#queue.entries()) {
      yield entryLine(entry)
      const { state, error } = entry.lane
      if (state !== 'failed' || error === undefined || entry !== entry.lane.newest) continue
      yield { kind: 'failed', id: entry.id, code: error.code, message: error.message }
    }
    for (const entry of this.#admitting) yield entryLine(entry)
  }
}

/** What a spool says once it is closed. */
export function closedSpool({ dir, store }: Pick<SpoolSettings, 'dir' | 'store'>): StoreError {
  return new StoreError('STORE_CLOSED', `the spool ${dir} for ${store.name} is closed`)
}
