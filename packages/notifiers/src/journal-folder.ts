import { mkdir, readdir, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigurationError } from '@rushes/media'
import { systemCode } from './errors.js'
import { isJournalFileName, journalFileName, type OpenedJournal, RecordingJournal } from './recording-journal.js'

/** Journals that are kept open though nothing is undelivered, so that the next event need not read the file again. */
const IDLE_JOURNALS = 64

/** Folders that a notifier of this process uses. */
const inUse = new Set<string>()

interface Loaded {
  readonly opening: Promise<OpenedJournal>
  journal?: RecordingJournal
  users: number
}

/**
 * The folder with the journals of all recordings: opens them when they are needed, lets go those that are idle, removes
 * those that are old. In memory: the journals with undelivered events, 64 idle ones, and a name and a time per file.
 */
export class JournalFolder {
  readonly #path: string
  readonly #notifier: string
  readonly #fsync: boolean
  readonly #loaded = new Map<string, Loaded>()
  /** File names, and when they may be removed (milliseconds of wall time). */
  readonly #removals = new Map<string, number>()

  private constructor(path: string, notifier: string, fsync: boolean) {
    this.#path = path
    this.#notifier = notifier
    this.#fsync = fsync
  }

  /** Makes the folder; `ConfigurationError` when that fails, or when another notifier of this process has it. */
  static async open(journalDir: string, notifier: string, fsync: boolean): Promise<JournalFolder> {
    let path: string
    try {
      await mkdir(journalDir, { recursive: true, mode: 0o700 })
      path = await realpath(journalDir)
    } catch (error) {
      throw new ConfigurationError('journalDir', `cannot be made: ${systemCode(error)}`, journalDir)
    }
    if (inUse.has(path)) throw new ConfigurationError('journalDir', 'is used by another notifier', journalDir)
    inUse.add(path)
    return new JournalFolder(path, notifier, fsync)
  }

  /** Opens every journal, and gives those with something to deliver; `failed` is called for files that cannot be read. */
  async *unfinished(
    removeAtMs: (journal: RecordingJournal) => number,
    failed: (error: unknown) => void,
  ): AsyncGenerator<OpenedJournal> {
    for (const name of (await readdir(this.#path)).sort()) {
      const path = join(this.#path, name)
      if (name.endsWith('.ndjson.tmp')) await rm(path, { force: true }).catch(failed)
      if (!isJournalFileName(name)) continue
      let opened: OpenedJournal | undefined
      try {
        opened = await RecordingJournal.open(path, { notifier: this.#notifier, fsync: this.#fsync })
      } catch (error) {
        failed(error)
        continue
      }
      if (opened === undefined) continue
      const { journal } = opened
      if (journal.notifier !== this.#notifier) {
        throw new ConfigurationError('journalDir', `holds the journal of a ${journal.notifier} notifier`)
      }
      if (journal.pending > 0)
        this.#loaded.set(journal.recordingId, { opening: Promise.resolve(opened), journal, users: 0 })
      this.#removals.set(name, removeAtMs(journal))
      yield opened
    }
  }

  /**
   * The journal of a recording, new if there is none. It stays while it has undelivered or unwritten lines, and between
   * this and `leave`. Those who ask at the same time get it in the order in which they asked.
   */
  async enter(recordingId: string): Promise<RecordingJournal> {
    let loaded = this.#loaded.get(recordingId)
    if (loaded === undefined) {
      this.#letGoIdle()
      loaded = { opening: this.#open(recordingId), users: 0 }
      this.#loaded.set(recordingId, loaded)
    }
    loaded.users += 1
    try {
      loaded.journal = (await loaded.opening).journal
      return loaded.journal
    } catch (error) {
      if (this.#loaded.get(recordingId) === loaded) this.#loaded.delete(recordingId)
      throw error
    }
  }

  leave(recordingId: string): void {
    const loaded = this.#loaded.get(recordingId)
    if (loaded !== undefined) loaded.users -= 1
  }

  /** The file of this journal may be removed then. */
  removeAt(journal: RecordingJournal, atMs: number): void {
    this.#removals.set(journalFileName(journal.recordingId), atMs)
  }

  /** Removes the files whose time has come. */
  async sweep(nowMs: number): Promise<void> {
    const busy = new Set<string>()
    for (const [recordingId, loaded] of this.#loaded) if (isBusy(loaded)) busy.add(journalFileName(recordingId))
    for (const [name, atMs] of this.#removals) {
      if (atMs > nowMs || busy.has(name)) continue
      this.#removals.delete(name)
      for (const recordingId of this.#loaded.keys()) {
        if (journalFileName(recordingId) === name) this.#loaded.delete(recordingId)
      }
      await rm(join(this.#path, name), { force: true })
    }
  }

  close(): void {
    inUse.delete(this.#path)
  }

  async #open(recordingId: string): Promise<OpenedJournal> {
    const path = join(this.#path, journalFileName(recordingId))
    const options = { notifier: this.#notifier, recordingId, fsync: this.#fsync }
    try {
      const opened = await RecordingJournal.open(path, options)
      if (opened !== undefined) return opened
    } catch {
      // Every flush will say that there is no journal.
    }
    return RecordingJournal.withoutFile(path, options)
  }

  #letGoIdle(): void {
    if (this.#loaded.size < IDLE_JOURNALS) return
    for (const [recordingId, loaded] of this.#loaded) {
      if (isBusy(loaded)) continue
      this.#loaded.delete(recordingId)
      return
    }
  }
}

function isBusy({ users, journal }: Loaded): boolean {
  return users > 0 || journal === undefined || journal.pending > 0 || journal.hasUnwritten
}
