import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { AudioTrack, VideoTrack } from '@rushes/media'
import { lockJournal, type TakeLock } from '@rushes/take'
import { type CompositeSegment, parseSegment, serializeSegment } from './composite-segment.js'

const HEAD_FILE = 'composite.json'
const SEGMENT_FILE = /^segment-(\d{6})$/

/** What must be the same for a composite to be gone on with. */
export interface CompositeIdentity {
  readonly fingerprint: string
  /** Of a finished source. One that was made live has none. */
  readonly session: string | undefined
}

/** What stands beside the segments. */
interface Head extends CompositeIdentity {
  readonly tracks: readonly (VideoTrack | AudioTrack)[]
}

/**
 * A folder in which a composite keeps what it has made, a file for each segment. Files are written under another name,
 * synced and renamed; the first that is missing or damaged ends what is taken over. One process at a time has it.
 */
export class CompositeWork {
  readonly #dir: string
  readonly #identity: CompositeIdentity
  readonly #lock: TakeLock
  readonly #head: Head | undefined
  /** Whole ones. */
  #segments = 0
  #nextFrame: number | undefined

  /**
   * The place of one composite of a recording.
   * @param parts what tells it from the others
   */
  static folderOf(workDir: string, parts: readonly (string | number | undefined)[]): string {
    const name = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24)
    return join(workDir, name)
  }

  /**
   * Makes the folder, or takes over what is there of the same composite; another one is removed.
   * @throws errors of the file system; TakeError `TAKE_LOCKED` where another process that lives is at it
   */
  static async open(dir: string, identity: CompositeIdentity): Promise<CompositeWork> {
    await mkdir(dir, { recursive: true })
    const lock = await lockJournal(dir)
    try {
      const head = await readHead(dir)
      const isSame = head !== undefined && isGoneOnWith(head, identity)
      if (!isSame) for (const name of await readdir(dir)) if (!isLock(name)) await rm(join(dir, name), { force: true })
      return new CompositeWork(dir, identity, lock, isSame ? head : undefined)
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  private constructor(dir: string, identity: CompositeIdentity, lock: TakeLock, head: Head | undefined) {
    this.#dir = dir
    this.#identity = identity
    this.#lock = lock
    this.#head = head
  }

  /** Of what is kept; `undefined` where nothing is. */
  get tracks(): Head['tracks'] | undefined {
    return this.#head?.tracks
  }

  /**
   * The segments that are kept, in order, up to the first that is not as it was written or that `accepts` refuses; it and
   * what is behind it is removed.
   */
  async *segments(accepts: (segment: CompositeSegment) => boolean): AsyncGenerator<CompositeSegment> {
    for (;;) {
      const path = this.#pathOf(this.#segments + 1)
      const segment = await readSegment(path)
      const follows = this.#nextFrame === undefined || segment?.frame === this.#nextFrame
      if (segment === undefined || !follows || !accepts(segment)) break
      this.#segments++
      this.#nextFrame = segment.nextFrame
      yield segment
    }
    for (const name of await readdir(this.#dir)) {
      const number = SEGMENT_FILE.exec(name)?.[1]
      const isHead = name === HEAD_FILE && this.#segments > 0
      if (isHead || isLock(name) || (number !== undefined && Number(number) <= this.#segments)) continue
      await rm(join(this.#dir, name), { force: true })
    }
  }

  /** Before the first segment, where nothing is kept. */
  async begin(tracks: Head['tracks']): Promise<void> {
    await this.#write(join(this.#dir, HEAD_FILE), [Buffer.from(JSON.stringify({ ...this.#identity, tracks }))])
  }

  /** Resolves when it is on the disk. */
  async write(segment: CompositeSegment): Promise<void> {
    await this.#write(this.#pathOf(this.#segments + 1), serializeSegment(segment))
    this.#segments++
  }

  /** Lets it lie for the next one, where there is something. */
  async close(): Promise<void> {
    if (this.#segments === 0) await this.remove()
    else await this.#lock.release()
  }

  /** It is not needed any more. Folders above that are empty now go, too. */
  async remove(): Promise<void> {
    // The lock goes last, with its folder: nobody takes over what is being removed.
    for (const name of await readdir(this.#dir)) if (!isLock(name)) await rm(join(this.#dir, name), { force: true })
    await this.#lock.release()
    for (const dir of [this.#dir, dirname(this.#dir)]) await rmdir(dir).catch(() => {})
  }

  async #write(path: string, pieces: readonly Uint8Array[]): Promise<void> {
    const growing = `${path}.new`
    await writeFile(growing, pieces)
    await syncPath(growing)
    await rename(growing, path)
    // Where folders cannot be synced the name comes with the next writes.
    await syncPath(this.#dir, 'r').catch(() => {})
  }

  #pathOf(number: number): string {
    return join(this.#dir, `segment-${String(number).padStart(6, '0')}`)
  }
}

/** A composite that was begun live is gone on with by the finished source; a finished source must not have changed. */
function isGoneOnWith(head: Head, { fingerprint, session }: CompositeIdentity): boolean {
  return head.fingerprint === fingerprint && (head.session === undefined || head.session === session)
}

async function readHead(dir: string): Promise<Head | undefined> {
  try {
    const head = JSON.parse(await readFile(join(dir, HEAD_FILE), 'utf8')) as Head
    return Array.isArray(head.tracks) ? head : undefined
  } catch {
    return undefined
  }
}

async function readSegment(path: string): Promise<CompositeSegment | undefined> {
  try {
    return parseSegment(await readFile(path))
  } catch {
    return undefined
  }
}

async function syncPath(path: string, flags = 'r+'): Promise<void> {
  const handle = await open(path, flags)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function isLock(name: string): boolean {
  return name.startsWith('take.lock')
}
