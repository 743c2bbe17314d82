import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ArrivalQueue, mergeByArrival } from './arrival-queue.js'
import type { TakeDamage } from './damage.js'
import { systemCode, TakeError } from './errors.js'
import { parseSession } from './parse-session.js'
import { EVENTS_FILE, SESSION_FILE, type Session, type TakeEvent } from './session.js'
import { EventLineParser, foldEvents } from './session-events.js'
import { trackOf } from './session-track.js'
import {
  BATCH_ITEMS,
  isWanted,
  type TakeEventItem,
  type TakeItem,
  type TakeItemsOptions,
  type TakeRecord,
  type TakeSource,
} from './take-source.js'
import { TrackFile, type TrackFileOptions } from './track-file.js'

/** session.json and events.ndjson are read whole: no honest one is near this. */
const MAX_SESSION_BYTES = 64 * 1024 * 1024
const CHUNK_BYTES = 64 * 1024
const REPORT_CHUNK_BYTES = 256 * 1024
/** All tracks' chunks together, so that memory does not grow with the number of tracks either. */
const CHUNKS_TOTAL_BYTES = 8 * 1024 * 1024
const MIN_CHUNK_BYTES = 8 * 1024

/** How a take is read. */
export interface TakeOptions {
  /** Damage throws a typed error instead of being reported. @defaultValue false */
  readonly strict?: boolean
  /** Told of each damage once per reading. */
  readonly onDamage?: (damage: TakeDamage) => void
}

/** A take on disk. What is there when reading starts is read; `tailTake` follows one that grows. */
export interface Take extends TakeSource {
  readonly dir: string
  /** What could not be read in the readings so far. */
  readonly damage: readonly TakeDamage[]
  /** Only the packets. */
  records(options?: TakeItemsOptions): AsyncIterable<readonly TakeRecord[]>
  /** Only the RTCP packets, without keeping the rest: what a look ahead for sender reports needs. */
  reports(options?: TakeItemsOptions): AsyncIterable<readonly TakeRecord[]>
}

/**
 * Opens the take in the folder `dir`. An unfinished one (a crash) is opened as far as it got.
 * @throws TakeError `TAKE_NO_SESSION`, `TAKE_BAD_SESSION`, `TAKE_FORMAT_TOO_NEW`, `TAKE_READ_FAILED`
 */
export async function openTake(dir: string, options: TakeOptions = {}): Promise<Take> {
  const session = await readSession(dir)
  if (session.finished !== false) return new DiskTake(dir, session, session.recovered?.lost ?? [], options)
  const { events, damage } = await readEvents(dir)
  return new DiskTake(dir, foldEvents(session, events), damage, options)
}

/** Reads session.json alone. */
export async function readSession(dir: string): Promise<Session> {
  const path = join(dir, SESSION_FILE)
  try {
    const { size } = await stat(path)
    if (size > MAX_SESSION_BYTES) {
      throw new TakeError('TAKE_BAD_SESSION', `session.json has ${size} bytes, at most ${MAX_SESSION_BYTES} are read`, {
        path: '$',
      })
    }
    return parseSession(await readFile(path, 'utf8'))
  } catch (cause) {
    if (cause instanceof TakeError) throw cause
    const code = systemCode(cause)
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new TakeError('TAKE_NO_SESSION', `there is no take in ${dir}: session.json is missing`, { cause })
    }
    throw new TakeError('TAKE_READ_FAILED', `session.json in ${dir} cannot be read: ${(cause as Error).message}`, {
      cause,
    })
  }
}

/** Reads events.ndjson alone, as far as it is whole. */
export async function readEvents(
  dir: string,
): Promise<{ readonly events: readonly TakeEvent[]; readonly damage: readonly TakeDamage[] }> {
  const parser = new EventLineParser()
  try {
    const path = join(dir, EVENTS_FILE)
    const { size } = await stat(path)
    if (size > MAX_SESSION_BYTES) return { events: [], damage: [{ cause: 'bad-event', bytes: 1 }] }
    const events = parser.push(await readFile(path))
    const { badLines, restBytes } = parser
    const damage: TakeDamage[] = badLines === 0 ? [] : [{ cause: 'bad-event', bytes: badLines }]
    if (restBytes > 0) damage.push({ cause: 'torn', bytes: restBytes })
    return { events, damage }
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return { events: [], damage: [] }
    throw new TakeError('TAKE_READ_FAILED', `events.ndjson in ${dir} cannot be read: ${(cause as Error).message}`, {
      cause,
    })
  }
}

class DiskTake implements Take {
  readonly dir: string
  readonly session: Session
  readonly #options: TakeOptions
  readonly #damage = new Map<string, TakeDamage>()

  constructor(dir: string, session: Session, damage: readonly TakeDamage[], options: TakeOptions) {
    this.dir = dir
    this.session = session
    this.#options = options
    for (const found of damage) this.#report(found)
  }

  /** Of what is on the disk now nothing more will come, also where a crash cut it short: `session.finished` tells that. */
  readonly finished = true

  get damage(): readonly TakeDamage[] {
    return [...this.#damage.values()]
  }

  async *items(options: TakeItemsOptions = {}): AsyncGenerator<readonly TakeItem[], void, undefined> {
    const files = this.#filesOf(options)
    if (files.length > 0)
      yield files.map((file) => ({ type: 'track', track: file.track, participantId: file.participantId }))
    // Events come before packets that arrived in the same millisecond: they say what the packets are.
    const events = new ArrivalQueue<TakeRecord | TakeEventItem>(false)
    for (const event of [...this.session.events].sort((one, other) => one.atMs - other.atMs)) {
      events.add({ type: 'event', event, arrivalUs: Math.round(event.atMs * 1000) })
    }
    yield* this.#merge(files, [events], options)
    yield [{ type: 'end' }]
  }

  async *records(options: TakeItemsOptions = {}): AsyncGenerator<readonly TakeRecord[], void, undefined> {
    // Without the queue of events there is nothing but packets.
    yield* this.#merge(this.#filesOf(options), [], options) as AsyncGenerator<readonly TakeRecord[], void, undefined>
  }

  async *reports(options: TakeItemsOptions = {}): AsyncGenerator<readonly TakeRecord[], void, undefined> {
    const files = this.#filesOf(options, { chunkBytes: REPORT_CHUNK_BYTES, rtcpOnly: true })
    yield* this.#merge(files, [], options) as AsyncGenerator<readonly TakeRecord[], void, undefined>
  }

  async *#merge(
    files: readonly TrackFile[],
    others: readonly ArrivalQueue<TakeRecord | TakeEventItem>[],
    options: TakeItemsOptions,
  ): AsyncGenerator<readonly (TakeRecord | TakeEventItem)[], void, undefined> {
    const queues = [...others, ...files.map((file) => file.queue)]
    const readings = new Map(files.map((file) => [file.queue, file]))
    let batch: (TakeRecord | TakeEventItem)[] = []
    try {
      for (;;) {
        options.signal?.throwIfAborted()
        const starved = mergeByArrival(batch, queues, Number.POSITIVE_INFINITY, BATCH_ITEMS)
        const file = starved && readings.get(starved)
        if (file !== undefined) {
          await file.read()
          if (!file.queue.open) this.#judge(file, files)
          continue
        }
        if (batch.length === 0) return
        yield batch
        batch = []
      }
    } finally {
      await Promise.all(files.map((file) => file.close()))
    }
  }

  #filesOf(options: TakeItemsOptions, reading: Partial<TrackFileOptions> = {}): readonly TrackFile[] {
    const wanted: TrackFile[] = []
    let count = 0
    for (const participant of this.session.participants) count += participant.tracks.length
    const chunkBytes = Math.max(MIN_CHUNK_BYTES, Math.min(CHUNK_BYTES, Math.floor(CHUNKS_TOTAL_BYTES / count)))
    for (const participant of this.session.participants) {
      for (const entry of participant.tracks) {
        if (!isWanted(options, participant.id, entry.id)) continue
        try {
          const track = trackOf(entry, participant.id)
          wanted.push(new TrackFile(this.dir, entry.file, track, participant.id, { chunkBytes, ...reading }))
        } catch (error) {
          if (this.#options.strict === true || !(error instanceof TakeError)) throw error
          this.#report({ trackId: entry.id, cause: 'unknown-codec', bytes: 0 })
        }
      }
    }
    return wanted
  }

  /** A file has been read to its end: is what was wrong with it a reason to stop? */
  #judge(file: TrackFile, files: readonly TrackFile[]): void {
    for (const found of file.damage) {
      this.#report(found)
      const trackId = file.track.id
      if (found.cause === 'missing' || found.cause === 'unreadable') {
        const nothingLeft = files.every((other) => other.damage.some(({ cause }) => cause === found.cause))
        // A take that a crash cut short right after its start has announced tracks and no files: that is no error.
        if (this.#options.strict !== true && !(nothingLeft && this.session.finished !== false)) continue
        const what = found.cause === 'missing' ? 'is missing' : 'cannot be read'
        throw new TakeError('TAKE_MISSING_TRACK_FILE', `the file of track ${trackId} in ${this.dir} ${what}`, {
          trackId,
        })
      }
      if (this.#options.strict === true) {
        throw new TakeError(
          'TAKE_BAD_TRACK_FILE',
          `the file of track ${trackId} in ${this.dir} is damaged (${found.cause}, ${found.bytes})`,
          { trackId },
        )
      }
    }
  }

  #report(found: TakeDamage): void {
    this.#damage.set(`${found.cause} ${found.trackId}`, found)
    this.#options.onDamage?.(found)
  }
}
