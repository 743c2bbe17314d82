import { access, constants, rmdir } from 'node:fs/promises'
import { CliError } from './errors.js'
import { makeFolder } from './make-folder.js'

/** A folder that a command writes to. */
export interface OutFolder {
  readonly path: string
  /** Takes it away again where it was made for nothing; one that was there, or holds something, stays. */
  leave(): Promise<void>
}

/** Makes a folder, so that one which cannot be written is known before the work. @throws CliError `OUT_NOT_WRITABLE` */
export async function openFolder(option: string, path: string): Promise<OutFolder> {
  try {
    const isNew = await makeFolder(path)
    await access(path, constants.W_OK)
    return {
      path,
      async leave() {
        if (isNew) await rmdir(path).catch(() => {})
      },
    }
  } catch (cause) {
    throw new CliError('OUT_NOT_WRITABLE', `${option} ${path} cannot be written: ${(cause as Error).message}`, {
      cause,
    })
  }
}
