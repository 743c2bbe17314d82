import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Recordings listed on the page; who has more finds them on the disk. */
const MOST = 10

/** Finished recordings under `root`, the newest first, with a URL for each MP4. */
export async function listEarlierRecordings(root, urlOf) {
  const folders = await readdir(root, { withFileTypes: true }).catch(() => [])
  const names = folders.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  const found = []
  for (const name of names.sort().reverse()) {
    if (found.length === MOST) break
    try {
      const manifest = JSON.parse(await readFile(join(root, name, 'manifest.json'), 'utf8'))
      found.push({
        recordingId: manifest.recordingId,
        durationUs: manifest.durationUs,
        outputs: manifest.outputs
          .filter(({ container }) => container === 'mp4')
          .map(({ kind, participantId, key, bytes }) => ({ kind, participantId, bytes, url: urlOf(key) }))
          // Everyone first, as on the page.
          .sort((one, other) => Number(other.kind === 'composite') - Number(one.kind === 'composite')),
      })
    } catch {
      // No recording, or one that never finished.
    }
  }
  return found
}
