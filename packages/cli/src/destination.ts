import { join, resolve } from 'node:path'
import { openStore, type Store } from '@rushes/storage-adapters'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { createSpool, type Spool } from '@rushes/storage-adapters/spool'
import { type OutFolder, openFolder } from './out-folder.js'
import type { Terminal } from './terminal.js'
import { pathFrom } from './text/path-from.js'

/** Beside the takes in the journal's folder, which looks at no names that begin with a dot. */
export const SPOOL_FOLDER = '.spool'

/** Where recordings go: a folder, or a store behind a URL. */
export interface Destination {
  readonly store: Store
  /** How an object is shown: as a path that the user can open, or its location. */
  readonly shown: (key: string) => string
  /** What is on its way is waited for no longer; it goes on with the next command of this journal. */
  close(): Promise<void>
}

/** `file://`, `s3://` or `oss://`, and not a folder. */
export function isStoreUrl(out: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(out)
}

/**
 * Opens the `--out` of a recording. What goes to a store behind a URL goes through a spool beside the journal, so that
 * an outage does not touch the recording. `onTrouble` is told when the store takes nothing.
 * @throws CliError `OUT_NOT_WRITABLE`; ConfigurationError
 */
export async function openDestination(
  out: string,
  journalDir: string,
  terminal: Terminal,
  onTrouble: (text: string) => void,
): Promise<Destination> {
  if (!isStoreUrl(out)) return folderDestination(await openFolder('--out', resolve(terminal.cwd, out)), terminal)
  const store = await openStore(out, { env: terminal.env })
  const spool = await createSpool({ store, dir: join(journalDir, SPOOL_FOLDER) })
  tell(spool, onTrouble)
  return { store: spool, shown: (key) => store.locationOf(key), close: () => spool.close() }
}

function folderDestination(folder: OutFolder, terminal: Terminal): Destination {
  return {
    store: createLocalStore({ root: folder.path }),
    shown: (key) => pathFrom(terminal.cwd, join(folder.path, ...key.split('/'))),
    close: () => folder.leave(),
  }
}

function tell(spool: Spool, onTrouble: (text: string) => void): void {
  spool.on((event) => {
    if (event.type === 'blocked') {
      const what = event.retryable ? 'the store is down; it is tried again' : 'the store refuses'
      onTrouble(`${what}: ${event.code}: ${event.message}`)
    } else if (event.type === 'failed') onTrouble(`${event.key} could not be stored: ${event.code}: ${event.message}`)
    else if (event.type === 'resumed') onTrouble('the store takes objects again')
  })
}
