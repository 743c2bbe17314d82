import { randomUUID } from 'node:crypto'
import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigurationError } from '@rushes/media'
import { systemCode } from '../local/system-error.js'
import { isAlive, ownIdentity, type ProcessIdentity } from './process-identity.js'

/** Between signs of life: several fit into the time after which a silent owner is given up. */
const HEARTBEAT_MS = 5000
/** Two that want the same dead owner's folder may both step back; who still meets somebody then gives up. */
const ATTEMPTS = 5

interface FoundLock {
  readonly generation: number
  readonly token: string
  readonly owner: ProcessIdentity | undefined
  readonly lastSignMs: number
}

/** The right to change the folder of a spool, held until it is released. */
export interface SpoolLock {
  release(): Promise<void>
}

/**
 * Takes the lock of a folder. A lock file is created and never replaced: whoever takes over from a dead owner creates
 * the next one in number, which only one can do, and looks again afterwards whether the owner is still the dead one.
 * @throws ConfigurationError when the owner lives
 */
export async function lockSpool(dir: string, onLost: () => void): Promise<SpoolLock> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = newest(await findLocks(dir))
    if (before !== undefined && (await lives(before))) break
    const generation = before === undefined ? 0 : before.generation + 1
    const token = randomUUID()
    if (!(await create(dir, generation, token))) continue
    const others = (await findLocks(dir)).filter((lock) => lock.token !== token)
    const beaten = others.some((lock) => lock.generation > generation)
    const judged = newest(others.filter((lock) => lock.generation < generation))
    if (!beaten && (judged === undefined || judged.token === before?.token)) return hold(dir, generation, onLost)
    await rm(pathOf(dir, generation), { force: true })
  }
  throw new ConfigurationError('dir', 'is the spool of a process that lives', dir)
}

/** The process that holds the lock and lives. */
export async function spoolOwner(dir: string): Promise<{ readonly pid: number; readonly host: string } | undefined> {
  const lock = newest(await findLocks(dir))
  if (lock?.owner === undefined || !(await lives(lock))) return undefined
  return { pid: lock.owner.pid, host: lock.owner.host }
}

function hold(dir: string, generation: number, onLost: () => void): SpoolLock {
  const beat = async (): Promise<void> => {
    try {
      const now = new Date()
      await utimes(pathOf(dir, generation), now, now)
      if ((newest(await findLocks(dir))?.generation ?? 0) > generation) throw new Error('taken over')
    } catch (error) {
      const code = systemCode(error)
      // Only a file that is gone says that the lock is: everything else may be the disk's bad moment.
      if (code !== undefined && code !== 'ENOENT') return
      clearInterval(heartbeat)
      onLost()
    }
  }
  const heartbeat = setInterval(() => void beat(), HEARTBEAT_MS)
  heartbeat.unref()
  return {
    async release() {
      clearInterval(heartbeat)
      // Those of the dead go first, so that the newest is ours to the end.
      for (let each = 0; each <= generation; each += 1) await rm(pathOf(dir, each), { force: true })
    },
  }
}

async function create(dir: string, generation: number, token: string): Promise<boolean> {
  const text = `${JSON.stringify({ token, ...(await ownIdentity()) })}\n`
  try {
    await writeFile(pathOf(dir, generation), text, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    // An empty lock would be believed for a while.
    await rm(pathOf(dir, generation), { force: true }).catch(() => {})
    throw error
  }
}

function pathOf(dir: string, generation: number): string {
  return join(dir, generation === 0 ? 'spool.lock' : `spool.lock.${generation}`)
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
    const match = /^spool\.lock(?:\.([1-9]\d{0,8}))?$/.exec(name)
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
    const owner = JSON.parse(text) as (ProcessIdentity & { readonly token: string }) | null
    const isWhole = typeof owner?.pid === 'number' && typeof owner.host === 'string' && typeof owner.token === 'string'
    return isWhole ? owner : undefined
  } catch {
    return undefined
  }
}
