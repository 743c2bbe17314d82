import { type FileHandle, open, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncPath } from '../local/file-writes.js'
import { type JournalLine, serializeLine } from './journal-line.js'

/** Lines that no longer count before the journal is written anew; then at least as many as those that count. */
const MIN_DEAD_LINES = 2000
/** Entries that are turned into text at a time when the journal is written anew, so that others get their turn. */
const CHUNK_LINES = 1000
/** Space that is kept free for the journal: when the disk is full it has to say what was stored, so that space gets free. */
const RESERVE_BYTES = 65_536

interface Pending {
  readonly text: string
  readonly written: (() => void) | undefined
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** What the journal says now, shortly: a head and lines of entries. */
export type LiveLines = () => Iterable<JournalLine>

/**
 * The journal file: lines are appended in batches, in their order, and a promise per line tells when it is written. A
 * batch that fails is taken back as a whole. Now and then the file is replaced by a shorter one that says the same.
 */
export class SpoolJournal {
  readonly #path: string
  readonly #fsync: boolean
  readonly #liveLines: LiveLines
  /** How many lines would be enough, to know when to write the file anew. */
  readonly #liveCount: () => number
  #handle: FileHandle | undefined
  #position = 0
  #lines = 0
  #batch: Pending[] = []
  #running: Promise<void> | undefined
  #isOpen = false
  #closed = false
  #hasReserve = false

  constructor(path: string, fsync: boolean, liveLines: LiveLines, liveCount: () => number) {
    this.#liveCount = liveCount
    this.#path = path
    this.#fsync = fsync
    this.#liveLines = liveLines
  }

  /** Lines in the file. */
  get lines(): number {
    return this.#lines
  }

  /** Writes the file anew, with what is live. What was appended before comes behind it. */
  async open(): Promise<void> {
    await this.#rewrite()
    await this.#reserve()
    this.#isOpen = true
    if (this.#batch.length > 0) this.#running = this.#run()
  }

  /**
   * Resolves when the line is written; lines are written in the order of the calls. `written` is called at that very
   * moment, before anything else can happen to the journal.
   */
  append(line: JournalLine, written?: () => void): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('the journal is closed'))
    return new Promise((resolve, reject) => {
      this.#batch.push({ text: serializeLine(line), written, resolve, reject })
      if (this.#isOpen) this.#running ??= this.#run()
    })
  }

  /** Writes what was appended, and lets go of the file. */
  async close(): Promise<void> {
    this.#closed = true
    while (this.#running !== undefined) await this.#running
    await this.#handle?.close()
    this.#handle = undefined
  }

  async #run(): Promise<void> {
    // Whoever appends in the same turn of the loop shares the write.
    await Promise.resolve()
    while (this.#batch.length > 0) {
      const batch = this.#batch
      this.#batch = []
      try {
        await this.#write(batch)
        for (const { written, resolve } of batch) {
          written?.()
          resolve()
        }
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
      if (!this.#closed && this.#lines > MIN_DEAD_LINES + 2 * this.#liveCount()) {
        // The longer file says the same: another time.
        await this.#rewrite().catch(() => {})
      }
      if (!this.#hasReserve) await this.#reserve()
    }
    this.#running = undefined
  }

  async #write(batch: readonly Pending[]): Promise<void> {
    const bytes = Buffer.from(batch.map(({ text }) => text).join(''))
    try {
      await this.#writeAtEnd(bytes)
    } catch (error) {
      if (!this.#hasReserve) throw error
      this.#hasReserve = false
      await rm(`${this.#path}.reserve`, { force: true })
      await this.#writeAtEnd(bytes)
    }
    this.#position += bytes.byteLength
    this.#lines += batch.length
  }

  async #writeAtEnd(bytes: Uint8Array): Promise<void> {
    this.#handle ??= await open(this.#path, 'r+')
    try {
      await writeAll(this.#handle, bytes, this.#position)
      if (this.#fsync) await this.#handle.datasync()
    } catch (error) {
      // What was taken back must not be found by the next start.
      await this.#handle.truncate(this.#position).catch(() => {})
      throw error
    }
  }

  async #rewrite(): Promise<void> {
    const temporary = `${this.#path}.new`
    const handle = await open(temporary, 'w', 0o600)
    let position = 0
    let lines = 0
    try {
      let text: string[] = []
      const write = async (): Promise<void> => {
        const bytes = Buffer.from(text.join(''))
        text = []
        await writeAll(handle, bytes, position)
        position += bytes.byteLength
      }
      // A snapshot: what changes meanwhile is appended behind it.
      for (const line of [...this.#liveLines()]) {
        text.push(serializeLine(line))
        lines += 1
        if (text.length >= CHUNK_LINES) await write()
      }
      await write()
      if (this.#fsync) await handle.datasync()
      await rename(temporary, this.#path)
      if (this.#fsync) await syncPath(dirname(this.#path))
    } catch (error) {
      await handle.close()
      await rm(temporary, { force: true }).catch(() => {})
      throw error
    }
    await this.#handle?.close()
    this.#handle = handle
    this.#position = position
    this.#lines = lines
  }

  async #reserve(): Promise<void> {
    await writeFile(`${this.#path}.reserve`, Buffer.alloc(RESERVE_BYTES, 0x20), { mode: 0o600 }).then(
      () => {
        this.#hasReserve = true
      },
      () => rm(`${this.#path}.reserve`, { force: true }).catch(() => {}),
    )
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0
  while (written < bytes.byteLength) {
    const left = bytes.byteLength - written
    written += (await handle.write(bytes, written, left, position + written)).bytesWritten
  }
}
