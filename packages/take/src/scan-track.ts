import { join } from 'node:path'
import type { TakeDamage } from './damage.js'
import { systemCode } from './errors.js'
import type { TakeFileSystem } from './file-system.js'
import { RtpdumpParser } from './rtpdump-parser.js'

/** What stands in the file of a track, and what has to be done to it so that it is whole. */
export interface TrackScan {
  readonly trackId: string
  readonly path: string
  /** Arrival of the last packet that can be used, in milliseconds after the start. */
  readonly lastMs: number
  readonly damage: readonly TakeDamage[]
  /** Present where the file has to be changed. */
  readonly mend?: TrackMend
}

/** A file that has to be created, given its header again, or cut. */
export interface TrackMend {
  readonly create: boolean
  /** The header has to be written. */
  readonly header: boolean
  /** The length of the file afterwards. */
  readonly keepBytes: number
}

/** Larger reads are not faster. */
const CHUNK_BYTES = 262_144

/** Reads the file of a track to its end. `headerBytes` is the length of the header that it should have. */
export async function scanTrack(
  dir: string,
  trackId: string,
  name: string,
  headerBytes: number,
  files: TakeFileSystem,
): Promise<TrackScan> {
  const path = join(dir, name)
  const parser = new RtpdumpParser()
  let lastMs = 0
  let onlyZeros = true
  try {
    const file = await files.open(path, 'r')
    try {
      for (let position = 0; ; ) {
        // The parser keeps views: each chunk has its own memory.
        const chunk = new Uint8Array(CHUNK_BYTES)
        const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position)
        if (bytesRead === 0) break
        position += bytesRead
        const bytes = chunk.subarray(0, bytesRead)
        onlyZeros &&= parser.header === undefined && bytes.every((byte) => byte === 0)
        parser.push(bytes, ({ offsetMs }) => {
          lastMs = Math.max(lastMs, offsetMs)
        })
      }
    } finally {
      await file.close()
    }
  } catch (error) {
    const code = systemCode(error)
    if (code === undefined) throw error
    // It was announced and never written: an empty one says so, where none would be an error for readers.
    const mend = { create: true, header: true, keepBytes: headerBytes }
    if (code === 'ENOENT') return { trackId, path, lastMs, damage: [{ trackId, cause: 'missing', bytes: 0 }], mend }
    // One file that cannot be read must not keep the others from being finished.
    return { trackId, path, lastMs, damage: [{ trackId, cause: 'unreadable', bytes: 0 }] }
  }
  parser.flush(({ offsetMs }) => {
    lastMs = Math.max(lastMs, offsetMs)
  })
  const { bytes, notRtp, cutCause, cutBytes } = parser.stats
  const cause = onlyZeros && bytes > 0 ? 'zero-filled' : cutCause
  const damage: TakeDamage[] = []
  if (cause !== undefined) damage.push({ trackId, cause, bytes: cutBytes })
  if (notRtp > 0) damage.push({ trackId, cause: 'not-rtp', bytes: notRtp })
  // What is broken in another way than a crash breaks it stays: readers stop there, and a person may know more.
  if (cause === 'bad-header' || cause === 'bad-record') return { trackId, path, lastMs, damage }
  if (parser.header === undefined) {
    return { trackId, path, lastMs, damage, mend: { create: false, header: true, keepBytes: headerBytes } }
  }
  const mend = { create: false, header: false, keepBytes: bytes - cutBytes }
  return { trackId, path, lastMs, damage, ...(cause === undefined ? {} : { mend }) }
}
