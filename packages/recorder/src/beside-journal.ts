import { rm } from 'node:fs/promises'
import { join } from 'node:path'

/** What lies beside the journal of a take: growing files, copies of the playlists that are public, what composites have made. */
export const BESIDE_JOURNAL = { scratch: 'scratch', playlists: 'playlists', work: 'work' } as const

/** Removes folders beside the journal in `dir`, where they are there. */
export async function removeBesideJournal(
  dir: string,
  folders: readonly (keyof typeof BESIDE_JOURNAL)[],
): Promise<void> {
  for (const folder of folders) await rm(join(dir, BESIDE_JOURNAL[folder]), { recursive: true, force: true })
}
