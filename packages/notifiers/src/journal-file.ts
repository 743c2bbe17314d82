import { type FileHandle, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type JournalLine, parseLine, serializeLine } from './journal-line.js'
import { type JournalState, type Place, replayJournal } from './journal-replay.js'

/** Only the owner reads what was told of recordings. */
const MODE = 0o600

interface Unwritten {
  readonly bytes: Buffer
  readonly place: Place
}

/**
 * One file of a journal: grows at its end, in batches. Lines that a failed write has not brought to the disk stay in
 * memory; the next `flush` writes them again at the same position. The file is open only while it is written, so that
 * any number of recordings need no file descriptors. The bound of what waits in memory is the outbox's.
 */
export class JournalFile {
  readonly path: string
  readonly #fsync: boolean
  readonly #readable: boolean
  #position: number
  #exists: boolean
  #fails = false
  /** Something may stand behind `#position`: a torn line, or what a failed write left. */
  #tornTail = true
  #unwritten: Unwritten[] = []
  #queuedFlush: Promise<void> | undefined
  #work: Promise<unknown> = Promise.resolve()

  private constructor(path: string, fsync: boolean, wholeBytes: number | undefined, readable = true) {
    this.path = path
    this.#readable = readable
    this.#fsync = fsync
    this.#position = wholeBytes ?? 0
    this.#exists = wholeBytes !== undefined
  }

  /** Reads what is there; `state` is missing when there is no file. Nothing is written yet. */
  static async open(path: string, fsync: boolean): Promise<{ file: JournalFile; state?: JournalState; torn: boolean }> {
    let bytes: Uint8Array
    try {
      bytes = await readFile(path)
    } catch (error) {
      if (isMissing(error)) return { file: new JournalFile(path, fsync, undefined), torn: false }
      throw error
    }
    const state = replayJournal(bytes)
    const torn = state.wholeBytes < bytes.byteLength
    return { file: new JournalFile(path, fsync, state.wholeBytes), state, torn }
  }

  /**
   * A file that is there and cannot be read: it is not written either, since nobody knows what would be overwritten.
   * What is appended is dropped, and every flush rejects.
   */
  static unreadable(path: string): JournalFile {
    return new JournalFile(path, false, 0, false)
  }

  /** The first line of the file, written when it is made, also when somebody removed it in between. */
  head: JournalLine | undefined

  /** Whether the last write failed. */
  get fails(): boolean {
    return this.#fails
  }

  /** Whether lines wait in memory. */
  get hasUnwritten(): boolean {
    return this.#unwritten.length > 0
  }

  /** Appends in memory. The place is known once it is written. */
  append(line: JournalLine): Place {
    const bytes = Buffer.from(serializeLine(line))
    const place = { offset: -1, bytes: bytes.byteLength - 1 }
    if (this.#readable) this.#unwritten.push({ bytes, place })
    return place
  }

  /** Writes all lines that were appended; calls at the same time share one write. Rejects when the disk refuses. */
  flush(): Promise<void> {
    this.#queuedFlush ??= this.#exclusive(async () => {
      this.#queuedFlush = undefined
      try {
        await this.#write()
        this.#fails = false
      } catch (error) {
        this.#fails = true
        throw error
      }
    })
    return this.#queuedFlush
  }

  /** The body of an event line that was written. */
  async readBody(place: Place): Promise<string> {
    const handle = await open(this.path, 'r')
    try {
      const buffer = Buffer.alloc(place.bytes)
      await handle.read(buffer, 0, place.bytes, place.offset)
      const line = parseLine(buffer.toString())
      if (line?.kind !== 'event') throw new Error('there is no event at this place of the journal')
      return line.body
    } finally {
      await handle.close()
    }
  }

  /** Replaces the file, whole or not at all, by what `lines` gives once nobody else writes; `undefined`: leave it. */
  replace(lines: () => readonly JournalLine[] | undefined): Promise<void> {
    return this.#exclusive(async () => {
      const content = this.#unwritten.length > 0 || !this.#readable ? undefined : lines()
      if (content === undefined) return
      const bytes = Buffer.from(content.map(serializeLine).join(''))
      const temporary = `${this.path}.tmp`
      const handle = await open(temporary, 'w', MODE)
      try {
        await writeAll(handle, bytes, 0)
        if (this.#fsync) await handle.datasync()
      } finally {
        await handle.close()
      }
      await rename(temporary, this.path)
      this.#position = bytes.byteLength
      if (this.#fsync) await syncFolder(dirname(this.path))
    })
  }

  async #write(): Promise<void> {
    if (!this.#readable) throw new Error('the journal file cannot be read')
    if (this.#unwritten.length === 0) return
    const { handle, created } = await this.#open()
    if (created) this.#position = 0
    const head =
      this.#position === 0 && this.head !== undefined ? Buffer.from(serializeLine(this.head)) : Buffer.alloc(0)
    // Whatever came while the file was being opened goes along.
    const batch = this.#unwritten.slice()
    try {
      if (this.#tornTail) await handle.truncate(this.#position)
      this.#tornTail = true
      await writeAll(handle, Buffer.concat([head, ...batch.map(({ bytes }) => bytes)]), this.#position)
      if (this.#fsync) await handle.datasync()
      this.#tornTail = false
    } finally {
      await handle.close()
    }
    this.#position += head.byteLength
    for (const { bytes, place } of batch) {
      place.offset = this.#position
      this.#position += bytes.byteLength
    }
    this.#exists = true
    this.#unwritten.splice(0, batch.length)
    if (created && this.#fsync) await syncFolder(dirname(this.path))
  }

  async #open(): Promise<{ handle: FileHandle; created: boolean }> {
    if (this.#exists) {
      try {
        return { handle: await open(this.path, 'r+'), created: false }
      } catch (error) {
        if (!isMissing(error)) throw error
      }
    }
    return { handle: await open(this.path, 'w', MODE), created: true }
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#work.then(work)
    this.#work = result.catch(() => undefined)
    return result
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0
  while (written < bytes.byteLength) {
    const left = bytes.byteLength - written
    written += (await handle.write(bytes, written, left, position + written)).bytesWritten
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
