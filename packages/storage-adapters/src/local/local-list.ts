import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoreEntry } from '../store.js'
import { throwIfAborted } from '../store-body.js'
import { TEMPORARY_PREFIX } from './local-path.js'
import { systemCode } from './system-error.js'

/**
 * The files below `root` whose keys start with `prefix`, in the order of their keys' bytes. Symbolic links and files
 * that are being written are left out. Holds the names of one folder at each level.
 */
export async function* listFolder(
  root: string,
  prefix: string,
  signal: AbortSignal | undefined,
  folder = '',
): AsyncGenerator<StoreEntry, void, undefined> {
  throwIfAborted(signal)
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((error: unknown) => {
    // It went away while we were listing, or was never there.
    if (systemCode(error) === 'ENOENT') return []
    throw error
  })
  const sorted = entries
    .filter((entry) => !entry.name.startsWith(TEMPORARY_PREFIX) && (entry.isDirectory() || entry.isFile()))
    .map((entry) => ({ entry, key: folder + entry.name + (entry.isDirectory() ? '/' : '') }))
    .sort((one, other) => Buffer.compare(Buffer.from(one.key), Buffer.from(other.key)))
  for (const { entry, key } of sorted) {
    if (entry.isDirectory()) {
      if (key.startsWith(prefix) || prefix.startsWith(key)) yield* listFolder(root, prefix, signal, key)
    } else if (key.startsWith(prefix)) {
      const info = await lstat(join(root, key)).catch(() => undefined)
      if (info?.isFile() === true) yield { key, bytes: info.size, modifiedAtMs: Math.round(info.mtimeMs) }
    }
  }
}
