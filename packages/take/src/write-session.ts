import { join } from 'node:path'
import { nodeFileSystem, syncFolder, type TakeFileSystem, writeAll } from './file-system.js'
import { SESSION_FILE, SESSION_TEMPORARY_FILE, type Session } from './session.js'

/**
 * Replaces session.json as a whole: a reader, and whoever comes after a crash, finds the old one or the new one.
 * With `sync` it is on the disk when this resolves.
 */
export async function writeSession(
  dir: string,
  session: Session,
  sync: boolean,
  files: TakeFileSystem = nodeFileSystem,
): Promise<void> {
  const temporary = join(dir, SESSION_TEMPORARY_FILE)
  try {
    const file = await files.open(temporary, 'w')
    try {
      await writeAll(file, new TextEncoder().encode(`${JSON.stringify(session, undefined, 2)}\n`), 0)
      if (sync) await file.sync()
    } finally {
      await file.close()
    }
    await files.rename(temporary, join(dir, SESSION_FILE))
  } catch (error) {
    await files.remove(temporary).catch(() => {})
    throw error
  }
  if (sync) await syncFolder(dir, files)
}
