import { type FileHandle, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigurationError, type MonotonicClock, monotonicClock } from '@rushes/media'
import { ArrivalQueue, mergeByArrival } from './arrival-queue.js'
import type { TakeDamage } from './damage.js'
import { systemCode, TakeError } from './errors.js'
import { EVENTS_FILE, SESSION_FILE, type Session, type TakeEvent } from './session.js'
import { addedTrackOf, EventLineParser, foldEvents } from './session-events.js'
import { trackOf } from './session-track.js'
import { readSession } from './take.js'
import {
  BATCH_ITEMS,
  isWanted,
  type TakeEventItem,
  type TakeItem,
  type TakeItemsOptions,
  type TakeRecord,
  type TakeSource,
} from './take-source.js'
import { TrackFile } from './track-file.js'
import { wait } from './wait.js'

const CHUNK_BYTES = 64 * 1024

/** How a growing take is followed. */
export interface TailTakeOptions {
  /** Ends every reading by throwing its reason. */
  readonly signal?: AbortSignal
  /** Time between looks at the files, in milliseconds. @defaultValue 50 */
  readonly pollMs?: number
  /**
   * How far, in milliseconds, `idle` stays behind the clock: packets that arrived may still be in the writer's memory.
   * @defaultValue 250
   */
  readonly lagMs?: number
  readonly onDamage?: (damage: TakeDamage) => void
  /** @defaultValue the machine's monotonic clock */
  readonly clock?: MonotonicClock
}

/**
 * Follows a take that another part of this process, or another process, writes. Reading starts at the beginning and
 * ends when session.json says that the take is finished. Packets come one look later than they are found, so that
 * those of other tracks that arrived before them are there too.
 * @throws TakeError as `openTake`
 */
export async function tailTake(dir: string, options: TailTakeOptions = {}): Promise<TakeSource> {
  const pollMs = options.pollMs ?? 50
  if (!(pollMs > 0)) throw new ConfigurationError('pollMs', 'must be greater than 0', pollMs)
  const session = await readSession(dir)
  const source: { session: Session; finished: boolean } & TakeSource = {
    session,
    finished: session.finished !== false,
    items: (itemsOptions = {}) => {
      const signals = [options.signal, itemsOptions.signal].filter((signal) => signal !== undefined)
      const signal = signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }
      return new Tail(dir, options, { ...itemsOptions, ...signal }, (now, finished) => {
        source.session = now
        source.finished = finished
      }).items()
    },
  }
  return source
}

type Merged = TakeRecord | TakeEventItem

/** One reading of a growing take. */
class Tail {
  readonly #dir: string
  readonly #options: TailTakeOptions
  readonly #wanted: TakeItemsOptions
  readonly #onSession: (session: Session, finished: boolean) => void
  readonly #clock: MonotonicClock
  readonly #files = new Map<ArrivalQueue<Merged>, TrackFile>()
  readonly #queues: ArrivalQueue<Merged>[] = [new ArrivalQueue<Merged>(false)]
  readonly #known = new Set<string>()
  readonly #lines = new EventLineParser()
  #signature = ''
  #session: Session | undefined
  #eventsUs = 0
  #eventsSeen = 0
  #eventsPosition = 0
  #edgeUs = 0
  #edgeSeenUs = 0

  constructor(
    dir: string,
    options: TailTakeOptions,
    wanted: TakeItemsOptions,
    onSession: (session: Session, finished: boolean) => void,
  ) {
    this.#dir = dir
    this.#options = options
    this.#wanted = wanted
    this.#onSession = onSession
    this.#clock = options.clock ?? monotonicClock
  }

  async *items(): AsyncGenerator<readonly TakeItem[], void, undefined> {
    const { signal } = this.#wanted
    // Only what had been seen in the look before is passed on: by now the other tracks' packets of that time are there.
    let horizonUs = -1
    let idleUs = 0
    this.#edgeSeenUs = this.#clock.nowUs()
    try {
      for (;;) {
        signal?.throwIfAborted()
        const { announced, finished } = await this.#look()
        if (announced.length > 0) yield announced
        let grown = announced.length > 0
        if (finished) for (const file of this.#files.values()) file.settle()
        else for (const file of this.#files.values()) grown = (await file.read()) || grown
        if (finished) horizonUs = Number.POSITIVE_INFINITY
        for await (const batch of this.#merge(horizonUs)) {
          grown = true
          yield batch
        }
        if (finished) break
        const edgeUs = this.#measureEdge()
        const behind = this.#queues.some((queue) => queue.open)
        if (!grown && edgeUs === horizonUs) {
          const nowUs = edgeUs + this.#clock.nowUs() - this.#edgeSeenUs - (this.#options.lagMs ?? 250) * 1000
          if (nowUs > Math.max(idleUs, edgeUs)) {
            idleUs = nowUs
            yield [{ type: 'idle', arrivalUs: nowUs }]
          }
        }
        horizonUs = edgeUs
        if (!behind) await wait(this.#options.pollMs ?? 50, this.#clock, signal)
      }
      for (const file of this.#files.values()) for (const found of file.damage) this.#options.onDamage?.(found)
      yield [{ type: 'end' }]
    } finally {
      await Promise.all([...this.#files.values()].map((file) => file.close()))
    }
  }

  async *#merge(horizonUs: number): AsyncGenerator<readonly TakeItem[], void, undefined> {
    for (;;) {
      const batch: Merged[] = []
      let starved = mergeByArrival(batch, this.#queues, horizonUs, BATCH_ITEMS)
      while (starved !== undefined) {
        await this.#files.get(starved)?.read()
        starved = mergeByArrival(batch, this.#queues, horizonUs, BATCH_ITEMS)
      }
      if (batch.length === 0) return
      yield batch
      this.#wanted.signal?.throwIfAborted()
    }
  }

  /** The newest arrival that is known, and when this was learned. */
  #measureEdge(): number {
    let edgeUs = this.#eventsUs
    for (const file of this.#files.values()) edgeUs = Math.max(edgeUs, file.lastUs)
    if (edgeUs > this.#edgeUs) this.#edgeSeenUs = this.#clock.nowUs()
    this.#edgeUs = edgeUs
    return edgeUs
  }

  /** Looks at session.json and events.ndjson: new tracks are returned, new events queued. */
  async #look(): Promise<{ readonly announced: readonly TakeItem[]; readonly finished: boolean }> {
    const read = await this.#readSessionIfChanged()
    const finished = read !== undefined && read.finished !== false
    if (read !== undefined && (finished || this.#session === undefined)) {
      this.#session = read
      // Folding keeps the order of the events, so that those which were read from events.ndjson come first.
      this.#queueEvents(read.events.slice(this.#eventsSeen))
    }
    if (!finished && this.#session !== undefined) {
      const appended = await this.#readAppended()
      if (appended.length > 0) this.#session = foldEvents(this.#session, appended)
      this.#queueEvents(appended.filter((event) => addedTrackOf(event) === undefined))
    }
    if (this.#session === undefined) return { announced: [], finished }
    this.#onSession(this.#session, finished)
    return { announced: this.#announce(this.#session), finished }
  }

  async #readSessionIfChanged(): Promise<Session | undefined> {
    const info = await stat(join(this.#dir, SESSION_FILE)).catch(() => undefined)
    const signature = info === undefined ? 'none' : `${info.ino} ${info.mtimeMs} ${info.size}`
    if (signature === this.#signature) return undefined
    const session = await readSession(this.#dir)
    this.#signature = signature
    return session
  }

  async #readAppended(): Promise<readonly TakeEvent[]> {
    let handle: FileHandle
    try {
      handle = await open(join(this.#dir, EVENTS_FILE), 'r')
    } catch (error) {
      // Not written yet, or folded into session.json just now.
      if (systemCode(error) === 'ENOENT') return []
      throw error
    }
    try {
      const events: TakeEvent[] = []
      for (;;) {
        const chunk = new Uint8Array(CHUNK_BYTES)
        const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, this.#eventsPosition)
        if (bytesRead === 0) return events
        this.#eventsPosition += bytesRead
        events.push(...this.#lines.push(chunk.subarray(0, bytesRead)))
      }
    } finally {
      await handle.close()
    }
  }

  #queueEvents(events: readonly TakeEvent[]): void {
    this.#eventsSeen += events.length
    for (const event of events) {
      // Events are noted in the order in which they become known; one that is late is passed on late.
      this.#eventsUs = Math.max(this.#eventsUs, Math.round(event.atMs * 1000))
      this.#queues[0]?.add({ type: 'event', event, arrivalUs: this.#eventsUs })
    }
  }

  #announce(session: Session): readonly TakeItem[] {
    const announced: TakeItem[] = []
    for (const participant of session.participants) {
      for (const entry of participant.tracks) {
        if (this.#known.has(entry.id) || !isWanted(this.#wanted, participant.id, entry.id)) continue
        this.#known.add(entry.id)
        try {
          const track = trackOf(entry, participant.id)
          const file = new TrackFile(this.#dir, entry.file, track, participant.id, {
            chunkBytes: CHUNK_BYTES,
            growing: true,
          })
          this.#files.set(file.queue, file)
          this.#queues.push(file.queue)
          announced.push({ type: 'track', track, participantId: participant.id })
        } catch (error) {
          if (!(error instanceof TakeError)) throw error
          this.#options.onDamage?.({ trackId: entry.id, cause: 'unknown-codec', bytes: 0 })
        }
      }
    }
    return announced
  }
}
