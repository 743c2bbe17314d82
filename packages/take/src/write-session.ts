import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SESSION_FILE, type Session } from './session.js'

/**
 * Replaces session.json as a whole: a reader, and whoever comes after a crash, finds the old one or the new one.
 * With `sync` it is on the disk when this resolves.
 */
export async function writeSession(dir: string, session: Session, sync: boolean): Promise<void> {
  const temporary = join(dir, `.${SESSION_FILE}.tmp`)
  try {
    const handle = await open(temporary, 'w')
    try {
      await handle.writeFile(`${JSON.stringify(session, undefined, 2)}\n`)
      if (sync) await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, join(dir, SESSION_FILE))
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw error
  }
  if (sync) await syncFolder(dir)
}

/** A rename is durable once its folder is. Some systems cannot sync folders, and then need not. */
async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r').catch(() => undefined)
  try {
    await handle?.sync()
  } catch {
    // EINVAL, EPERM: not possible here.
  } finally {
    await handle?.close()
  }
}
