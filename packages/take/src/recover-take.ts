import { join } from 'node:path'
import type { TakeDamage } from './damage.js'
import { TakeError, writeFailed } from './errors.js'
import { nodeFileSystem, syncFolder, type TakeFileSystem, writeAll } from './file-system.js'
import { finishSession } from './finish-session.js'
import { scanTrack, type TrackScan } from './scan-track.js'
import { EVENTS_FILE, SESSION_TEMPORARY_FILE, type Session } from './session.js'
import { foldEvents } from './session-events.js'
import { trackHeaderOf } from './session-track.js'
import { readEvents, readSession } from './take.js'
import { lockTake } from './take-lock.js'
import { writeSession } from './write-session.js'

/** How a take is repaired. */
export interface RecoverTakeOptions {
  /** Wait until everything is on the disk. @defaultValue true */
  readonly sync?: boolean
  /** Wall time in milliseconds, for `recovered.at`. @defaultValue the machine's */
  readonly now?: () => number
  /** For tests of crashes. @defaultValue the machine's */
  readonly fileSystem?: TakeFileSystem
}

/** What a repair did. */
export interface TakeRecovery {
  readonly dir: string
  /** The take as it is now: finished. */
  readonly session: Session
  /** `false` where it was finished before: nothing had to be done. */
  readonly repaired: boolean
  /** What was lost, by file; also that of an earlier repair. */
  readonly lost: readonly TakeDamage[]
}

/**
 * Finishes a take that a crash cut short: torn and zero-filled ends of its files are cut off, events.ndjson is folded
 * into session.json, the duration is that of the last arrival, and `recovered` says what was lost. A file that is
 * damaged otherwise stays as it is; readers use what is before the damage. It may be called again at any time, also
 * after it was itself interrupted, and on a finished take, where it only removes what an interruption left.
 * @throws TakeError `TAKE_LOCKED` while a living process writes the take; `TAKE_NO_SESSION`, `TAKE_BAD_SESSION`,
 * `TAKE_FORMAT_TOO_NEW`, `TAKE_READ_FAILED`, `TAKE_WRITE_FAILED`
 */
export async function recoverTake(dir: string, options: RecoverTakeOptions = {}): Promise<TakeRecovery> {
  const files = options.fileSystem ?? nodeFileSystem
  await readSession(dir)
  try {
    const lock = await lockTake(dir, files)
    try {
      // Only what is read under the lock counts: another one may have been here in the meantime.
      return await new Recovery(dir, await readSession(dir), files, options).run()
    } finally {
      await lock.release()
    }
  } catch (cause) {
    throw cause instanceof TakeError ? cause : writeFailed(dir, cause)
  }
}

class Recovery {
  readonly #dir: string
  readonly #session: Session
  readonly #files: TakeFileSystem
  readonly #sync: boolean
  readonly #at: string

  constructor(dir: string, session: Session, files: TakeFileSystem, options: RecoverTakeOptions) {
    this.#dir = dir
    this.#session = session
    this.#files = files
    this.#sync = options.sync ?? true
    this.#at = new Date((options.now ?? Date.now)()).toISOString()
  }

  async run(): Promise<TakeRecovery> {
    if (this.#session.finished !== false) return this.#tidy()
    const { events, damage } = await readEvents(this.#dir)
    const folded = foldEvents(this.#session, events)
    const scans: TrackScan[] = []
    const header = trackHeaderOf(folded)
    for (const { tracks } of folded.participants) {
      for (const { id, file } of tracks) {
        scans.push(await scanTrack(this.#dir, id, file, header.byteLength, this.#files))
      }
    }
    const lost = mergeLost(this.#session.recovered?.lost ?? [], [...damage, ...scans.flatMap((scan) => scan.damage)])
    const recovered = { at: this.#session.recovered?.at ?? this.#at, lost }
    // What is about to be cut off is written down first: after a crash in between nobody could count it any more.
    if (lost.length > 0) await writeSession(this.#dir, { ...this.#session, recovered }, this.#sync, this.#files)
    for (const scan of scans) await this.#mend(scan, header)
    const arrivals = new Map(scans.map(({ trackId, lastMs }) => [trackId, lastMs]))
    const session = finishSession({ ...folded, recovered }, arrivals, folded.durationMs)
    await writeSession(this.#dir, session, this.#sync, this.#files)
    await this.#files.remove(join(this.#dir, EVENTS_FILE))
    return { dir: this.#dir, session, repaired: true, lost }
  }

  /** A finished take: what an interrupted end, repair or erasure left is removed. */
  async #tidy(): Promise<TakeRecovery> {
    let session = this.#session
    for (const { pendingFiles = [] } of session.erased ?? []) {
      for (const file of pendingFiles) await this.#files.remove(join(this.#dir, file))
    }
    if (session.erased?.some(({ pendingFiles }) => pendingFiles !== undefined) === true) {
      session = { ...session, erased: session.erased.map(({ pendingFiles: _, ...erasure }) => erasure) }
      await writeSession(this.#dir, session, this.#sync, this.#files)
    }
    await this.#files.remove(join(this.#dir, EVENTS_FILE))
    await this.#files.remove(join(this.#dir, SESSION_TEMPORARY_FILE))
    return { dir: this.#dir, session, repaired: false, lost: session.recovered?.lost ?? [] }
  }

  async #mend({ path, mend, damage }: TrackScan, header: Uint8Array): Promise<void> {
    const unreadable = damage.some(({ cause }) => cause === 'unreadable')
    if (unreadable || (mend === undefined && !this.#sync)) return
    const file = await this.#files.open(path, mend === undefined ? 'r' : mend.create ? 'wx' : 'r+')
    try {
      if (mend?.header === true) await writeAll(file, header, 0)
      if (mend !== undefined) await file.truncate(mend.keepBytes)
      // Also where nothing was cut: what the dead process wrote may be in the system's memory only.
      if (this.#sync) await file.sync()
    } finally {
      await file.close()
    }
    if (this.#sync && mend?.create === true) await syncFolder(this.#dir, this.#files)
  }
}

/** What an earlier attempt wrote down stands: it may have cut the files already. */
function mergeLost(earlier: readonly TakeDamage[], found: readonly TakeDamage[]): readonly TakeDamage[] {
  const known = new Set(earlier.map(({ cause, trackId }) => `${cause} ${trackId}`))
  return [...earlier, ...found.filter(({ cause, trackId }) => !known.has(`${cause} ${trackId}`))]
}
