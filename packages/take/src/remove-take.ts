import { readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { systemCode, TakeError, writeFailed } from './errors.js'
import { readSession } from './take.js'
import { isLocked } from './take-lock.js'

/** A take that is being removed has such a name: it is no take any more, and what a crash leaves of it is found. */
const REMOVED = /^\..+\.removed$/

/**
 * Deletes a take with everything in its folder. One that is being written is not touched. Whatever happens in between:
 * there is the whole take, or none.
 * @throws TakeError `TAKE_NO_SESSION`, `TAKE_LOCKED`, `TAKE_WRITE_FAILED`
 */
export async function removeTake(dir: string): Promise<void> {
  try {
    await readSession(dir)
  } catch (error) {
    // A broken take can be removed; a folder that is none could be anything.
    if (error instanceof TakeError && error.code === 'TAKE_NO_SESSION') throw error
  }
  if (await isLocked(dir)) throw new TakeError('TAKE_LOCKED', `the take in ${dir} is being written: it is not removed`)
  const path = resolve(dir)
  const removed = join(dirname(path), `.${basename(path)}.removed`)
  try {
    await rm(removed, { recursive: true, force: true })
    await rename(path, removed)
    await rm(removed, { recursive: true, force: true })
  } catch (cause) {
    throw writeFailed(dir, cause)
  }
}

/** Finishes removals that a crash interrupted. */
export async function sweepRemoved(journalDir: string): Promise<void> {
  for (const name of await readdir(journalDir)) {
    if (REMOVED.test(name)) await rm(join(journalDir, name), { recursive: true, force: true })
  }
}

/** Bytes of all files in a folder and its direct subfolders: takes have no deeper ones. */
export async function measureFolder(dir: string, depth = 1): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(dir, { withFileTypes: true }).catch(gone)) {
    const path = join(dir, entry.name)
    if (entry.isDirectory() && depth > 0) bytes += await measureFolder(path, depth - 1)
    else if (entry.isFile()) bytes += (await stat(path).catch(gone))?.size ?? 0
  }
  return bytes
}

/** Files come and go while they are counted. */
function gone(error: unknown): never[] & { readonly size?: number } {
  if (systemCode(error) === 'ENOENT') return []
  throw error
}
