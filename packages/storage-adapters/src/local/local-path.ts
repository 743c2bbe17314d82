import { lstat, mkdir, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { StoreError } from '../errors.js'
import { checkStoreKey } from '../store-key.js'
import { systemCode } from './system-error.js'

/** Names of files that are being written start with this; readers do not see them, and no key may use it. */
export const TEMPORARY_PREFIX = '.rushes-'

/** Checks a key by the rules of all stores and by those of a folder on this system. */
export function checkLocalKey(key: string, platform: string = process.platform): void {
  checkStoreKey(key)
  for (const component of key.split('/')) {
    if (component.startsWith(TEMPORARY_PREFIX)) {
      refuse(key, `must not have a component that starts with ${TEMPORARY_PREFIX}`)
    }
    if (platform !== 'win32') continue
    if (/[<>:"\\|?*]/.test(component)) refuse(key, 'must not contain < > : " \\ | ? or * on Windows')
    if (/[. ]$/.test(component)) refuse(key, 'must not have a component that ends in a dot or a space on Windows')
    if (/^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)/i.test(component)) {
      refuse(key, 'must not have a component that is the name of a device on Windows')
    }
  }
}

/**
 * The real folder of a key's last component, component by component, so that a symbolic link cannot lead out of
 * `realRoot` and no folder is made behind one that does. Without `create`, `undefined` when it is not there.
 * A process that swaps folders for links at the same moment is not defended against: it may write here anyway.
 */
export async function folderOfKey(realRoot: string, key: string, create: boolean): Promise<string | undefined> {
  let folder = realRoot
  for (const component of key.split('/').slice(0, -1)) {
    const path = join(folder, component)
    let info = await lstatIfThere(path)
    if (info === undefined) {
      if (!create) return undefined
      await mkdir(path).catch((error: unknown) => {
        // Another put made it in between.
        if (systemCode(error) !== 'EEXIST') throw error
      })
      info = await lstat(path)
    }
    if (info.isSymbolicLink()) folder = await followInside(realRoot, path, key)
    else if (info.isDirectory()) folder = path
    else refuse(key, `goes through ${component}, which is a file`)
  }
  return folder
}

/** Where a symbolic link leads, which must be inside. */
export async function followInside(realRoot: string, path: string, key: string): Promise<string> {
  const target = await realpath(path).catch(() => undefined)
  if (target === undefined || !(target === realRoot || target.startsWith(withSeparator(realRoot)))) {
    throw new StoreError('STORE_KEY_OUTSIDE_BASE', `the key ${key} goes through a symbolic link out of the store`, {
      key,
    })
  }
  return target
}

/** What stands at `path`, links not followed, or `undefined` for nothing. */
export async function lstatIfThere(path: string): Promise<Awaited<ReturnType<typeof lstat>> | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

function withSeparator(folder: string): string {
  return folder.endsWith(sep) ? folder : folder + sep
}

function refuse(key: string, rule: string): never {
  throw new StoreError('STORE_BAD_KEY', `the key ${JSON.stringify(key)} ${rule}`, { key })
}
