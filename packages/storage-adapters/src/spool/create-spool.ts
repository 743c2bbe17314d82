import { mkdir, realpath } from 'node:fs/promises'
import { ConfigurationError } from '@rushes/media'
import { systemCode } from '../local/system-error.js'
import { FolderSpool } from './folder-spool.js'
import type { Spool } from './spool.js'
import { type SpoolOptions, spoolSettings } from './spool-options.js'

/**
 * Opens a spool: a store in front of another. A put resolves when the object is a file here with an entry in the
 * journal; it is sent to `store` behind that, and again until it is there, also by a later process. What a former
 * process left in `dir` goes on at once.
 * @throws ConfigurationError also when another process has the folder, or it cannot be made or read
 */
export async function createSpool(options: SpoolOptions): Promise<Spool> {
  const settings = spoolSettings(options)
  let dir: string
  try {
    await mkdir(settings.dir, { recursive: true, mode: 0o700 })
    dir = await realpath(settings.dir)
  } catch (error) {
    throw new ConfigurationError('dir', `cannot be made: ${systemCode(error)}`, settings.dir)
  }
  const spool = new FolderSpool({ ...settings, dir })
  await spool.open()
  return spool
}
