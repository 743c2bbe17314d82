import { randomUUID } from 'node:crypto'
import { readdir, readFile, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode, TakeError, writeFailed } from './errors.js'
import { nodeFileSystem, type TakeFileSystem, writeAll } from './file-system.js'
import { isAlive, ownIdentity, type ProcessIdentity } from './process-identity.js'
import { LOCK_FILE } from './session.js'

/** Between signs of life: several fit into the time after which a silent lock is given up. */
const HEARTBEAT_MS = 5000
/** Two that want the same dead owner's take may both step back; who still meets somebody after so many tries waits. */
const ATTEMPTS = 5

interface FoundLock {
  readonly generation: number
  readonly token: string
  readonly owner: ProcessIdentity | undefined
  readonly lastSignMs: number
}

/** The right to change a take, held until it is released. */
export interface TakeLock {
  release(): Promise<void>
}

/**
 * Takes the lock of a take. A lock file is created and never replaced: whoever takes over from a dead owner creates the
 * next one in number, which only one can do, and looks again afterwards whether the owner is still the dead one.
 * `onLost` is told when the lock has gone to somebody else while it was held.
 * @throws TakeError `TAKE_LOCKED` when the owner lives
 */
export async function lockTake(dir: string, files: TakeFileSystem, onLost?: () => void): Promise<TakeLock> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = newest(await findLocks(dir))
    if (before !== undefined && (await lives(before))) break
    const generation = before === undefined ? 0 : before.generation + 1
    const token = randomUUID()
    if (!(await create(dir, generation, token, files))) continue
    const others = (await findLocks(dir)).filter((lock) => lock.token !== token)
    const beaten = others.some((lock) => lock.generation > generation)
    const judged = newest(others.filter((lock) => lock.generation < generation))
    if (!beaten && (judged === undefined || judged.token === before?.token)) {
      return new HeldLock(dir, generation, files, onLost)
    }
    await files.remove(pathOf(dir, generation))
  }
  throw new TakeError('TAKE_LOCKED', `the take in ${dir} is being written by a process that lives`)
}

/**
 * Takes the lock of a whole journal, a folder of takes: for whoever also finishes what others left in it.
 * @throws TakeError `TAKE_LOCKED` when another process that lives has it; `TAKE_WRITE_FAILED`
 */
export async function lockJournal(journalDir: string): Promise<TakeLock> {
  try {
    return await lockTake(journalDir, nodeFileSystem)
  } catch (cause) {
    if (!(cause instanceof TakeError)) throw writeFailed(journalDir, cause)
    throw new TakeError('TAKE_LOCKED', `the journal in ${journalDir} is used by another process that lives`, { cause })
  }
}

/** Whether a process that lives holds the lock of the take. */
export async function isLocked(dir: string): Promise<boolean> {
  const lock = newest(await findLocks(dir))
  return lock !== undefined && (await lives(lock))
}

class HeldLock implements TakeLock {
  readonly #dir: string
  readonly #generation: number
  readonly #files: TakeFileSystem
  readonly #heartbeat: NodeJS.Timeout

  constructor(dir: string, generation: number, files: TakeFileSystem, onLost?: () => void) {
    this.#dir = dir
    this.#generation = generation
    this.#files = files
    this.#heartbeat = setInterval(() => void this.#beat(onLost), HEARTBEAT_MS)
    this.#heartbeat.unref()
  }

  async #beat(onLost: (() => void) | undefined): Promise<void> {
    try {
      const now = new Date()
      await utimes(pathOf(this.#dir, this.#generation), now, now)
      const lock = newest(await findLocks(this.#dir))
      if (lock !== undefined && lock.generation > this.#generation) throw new Error('taken over')
    } catch (error) {
      const code = systemCode(error)
      // Only a file that is gone says that the lock is: everything else may be the disk's bad moment.
      if (code !== undefined && code !== 'ENOENT') return
      clearInterval(this.#heartbeat)
      onLost?.()
    }
  }

  async release(): Promise<void> {
    clearInterval(this.#heartbeat)
    // Those of the dead go first, so that the newest is ours to the end.
    for (let generation = 0; generation <= this.#generation; generation += 1) {
      await this.#files.remove(pathOf(this.#dir, generation))
    }
  }
}

async function create(dir: string, generation: number, token: string, files: TakeFileSystem): Promise<boolean> {
  const text = `${JSON.stringify({ token, ...(await ownIdentity()) })}\n`
  try {
    const file = await files.open(pathOf(dir, generation), 'wx')
    try {
      await writeAll(file, new TextEncoder().encode(text), 0)
    } catch (error) {
      // An empty lock would be believed for a while.
      await files.remove(pathOf(dir, generation)).catch(() => {})
      throw error
    } finally {
      await file.close()
    }
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  }
}

function pathOf(dir: string, generation: number): string {
  return join(dir, generation === 0 ? LOCK_FILE : `${LOCK_FILE}.${generation}`)
}

function newest(locks: readonly FoundLock[]): FoundLock | undefined {
  let found: FoundLock | undefined
  for (const lock of locks) if (found === undefined || lock.generation > found.generation) found = lock
  return found
}

function lives(lock: FoundLock): Promise<boolean> {
  return isAlive(lock.owner, lock.lastSignMs, Date.now())
}

async function findLocks(dir: string): Promise<readonly FoundLock[]> {
  const locks: FoundLock[] = []
  for (const name of await readdir(dir)) {
    const match = /^take\.lock(?:\.([1-9]\d{0,8}))?$/.exec(name)
    if (match === null) continue
    const path = join(dir, name)
    try {
      const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)])
      const owner = parseOwner(text)
      locks.push({ generation: Number(match[1] ?? 0), token: owner?.token ?? '', owner, lastSignMs: mtimeMs })
    } catch (error) {
      // It was released between the two looks.
      if (systemCode(error) !== 'ENOENT') throw error
    }
  }
  return locks
}

/** `undefined` where the file is not whole: its owner is writing it just now, or died while it did. */
function parseOwner(text: string): (ProcessIdentity & { readonly token: string }) | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const owner = value as ProcessIdentity & { readonly token: string }
    return typeof owner.pid === 'number' && typeof owner.host === 'string' && typeof owner.token === 'string'
      ? owner
      : undefined
  } catch {
    return undefined
  }
}
