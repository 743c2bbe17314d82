import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigurationError } from '@rushes/media'
import { DiskTakeWriter } from './disk-take-writer.js'
import { TakeError, writeFailed } from './errors.js'
import { makeFolder, nodeFileSystem } from './file-system.js'
import { validateSession } from './parse-session.js'
import { SESSION_FILE, SESSION_FORMAT_VERSION } from './session.js'
import { lockTake, type TakeLock } from './take-lock.js'
import type { NewSession, TakeWriter, TakeWriterOptions } from './take-writer.js'
import { writeSession } from './write-session.js'

/**
 * Creates the folder `dir` and its session.json, and opens the take for writing. The take is locked until it is
 * finished or aborted.
 * @throws TakeError `TAKE_EXISTS`, `TAKE_LOCKED`, `TAKE_BAD_SESSION`, `TAKE_WRITE_FAILED`
 */
export async function createTakeWriter(
  dir: string,
  session: NewSession,
  options: TakeWriterOptions = {},
): Promise<TakeWriter> {
  for (const field of ['maxDelayMs', 'maxBufferedBytes', 'maxFileBytes', 'retryMs'] as const) {
    const value = options[field]
    if (value !== undefined && !(value > 0)) throw new ConfigurationError(field, 'must be greater than 0', value)
  }
  const initial = validateSession({
    ...session,
    formatVersion: SESSION_FORMAT_VERSION,
    finished: false,
    participants: session.participants ?? [],
    events: session.events ?? [],
  })
  const files = options.fileSystem ?? nodeFileSystem
  const sync = options.sync !== 'never'
  let lock: TakeLock | undefined
  let writer: DiskTakeWriter | undefined
  try {
    await makeFolder(dir, sync, files)
    await refuseExisting(dir)
    lock = await lockTake(dir, files, () => writer?.lose())
    // Another writer may have come and gone before the lock was ours.
    await refuseExisting(dir)
    await writeSession(dir, initial, sync, files)
  } catch (cause) {
    await lock?.release().catch(() => {})
    throw cause instanceof TakeError ? cause : writeFailed(dir, cause)
  }
  writer = new DiskTakeWriter(dir, initial, lock, options)
  try {
    // The files appear with the take, so that a reader finds what session.json promises.
    await writer.flush()
  } catch (error) {
    await writer.abort()
    throw error
  }
  return writer
}

async function refuseExisting(dir: string): Promise<void> {
  const taken = await stat(join(dir, SESSION_FILE)).catch(() => undefined)
  if (taken !== undefined) throw new TakeError('TAKE_EXISTS', `there is a take in ${dir} already`)
}
