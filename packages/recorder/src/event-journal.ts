import { randomBytes } from 'node:crypto'
import { appendFile, readFile, truncate } from 'node:fs/promises'
import type { RecordingEvent, RecordingEventData, RecordingEventType } from '@rushes/media'

/** One event before it has its number. */
export interface NewRecordingEvent {
  readonly type: RecordingEventType
  /** Wall time, ISO 8601 in UTC. */
  readonly at: string
  readonly recordingTimeUs?: number
  readonly data?: RecordingEventData
}

/** The file in the folder of the take. */
export const EVENT_JOURNAL_FILE = 'lifecycle.ndjson'

/**
 * The events of one recording, each on disk before anybody is told: an id always stands for the same content, also after
 * a crash. Events are written and told one after the other, in the order in which they were added.
 */
export class EventJournal {
  readonly #path: string
  readonly #identity: { readonly recordingId: string; readonly roomId: string }
  readonly #tell: (event: RecordingEvent) => void | Promise<void>
  readonly #onFailure: (error: unknown) => void
  readonly #known: RecordingEvent[]
  #sequence: number
  /** The last write failed and may have left a part of its line. */
  #torn = false
  #tail: Promise<void> = Promise.resolve()

  private constructor(
    path: string,
    identity: { readonly recordingId: string; readonly roomId: string },
    known: RecordingEvent[],
    callbacks: EventJournalCallbacks,
  ) {
    this.#path = path
    this.#identity = identity
    this.#known = known
    this.#sequence = known.at(-1)?.sequence ?? 0
    this.#tell = callbacks.tell
    this.#onFailure = callbacks.onFailure
  }

  /** Opens the journal; a torn last line, which nobody was told, is cut off. */
  static async open(
    path: string,
    identity: { readonly recordingId: string; readonly roomId: string },
    callbacks: EventJournalCallbacks,
  ): Promise<EventJournal> {
    return new EventJournal(path, identity, await readEvents(path), callbacks)
  }

  /** What stood in the journal when it was opened. */
  get known(): readonly RecordingEvent[] {
    return this.#known
  }

  /** Numbers the event, writes it, tells it. Never rejects: a disk that refuses is reported, and the event told all the same. */
  add(event: NewRecordingEvent): RecordingEvent {
    this.#sequence += 1
    const { recordingId, roomId } = this.#identity
    // The random part keeps ids apart where a line could not be written before a crash and its number is given again.
    const id = `${recordingId}.${this.#sequence}.${randomBytes(4).toString('hex')}`
    const whole: RecordingEvent = {
      id,
      recordingId,
      roomId,
      sequence: this.#sequence,
      type: event.type,
      at: event.at,
      ...(event.recordingTimeUs === undefined ? undefined : { recordingTimeUs: event.recordingTimeUs }),
      data: event.data ?? {},
    }
    this.#tail = this.#tail.then(() => this.#writeAndTell(whole))
    return whole
  }

  /** Resolves when everything that was added has been told. */
  settled(): Promise<void> {
    return this.#tail
  }

  async #writeAndTell(event: RecordingEvent): Promise<void> {
    try {
      await appendFile(this.#path, `${this.#torn ? '\n' : ''}${JSON.stringify(event)}\n`)
      this.#torn = false
    } catch (error) {
      this.#torn = true
      this.#onFailure(error)
    }
    try {
      await this.#tell(event)
    } catch (error) {
      this.#onFailure(error)
    }
  }
}

/** Who is told, and who is told of failures. */
export interface EventJournalCallbacks {
  readonly tell: (event: RecordingEvent) => void | Promise<void>
  readonly onFailure: (error: unknown) => void
}

async function readEvents(path: string): Promise<RecordingEvent[]> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  const events: RecordingEvent[] = []
  let whole = 0
  for (;;) {
    const end = bytes.indexOf(0x0a, whole)
    if (end < 0) break
    const event = parseEvent(bytes.toString('utf8', whole, end))
    // A disk that was full may have left a part of a line between whole ones.
    if (event !== undefined) events.push(event)
    whole = end + 1
  }
  if (whole < bytes.length) await truncate(path, whole)
  return events
}

function parseEvent(line: string): RecordingEvent | undefined {
  try {
    const value = JSON.parse(line) as Partial<RecordingEvent> | null
    return typeof value?.id === 'string' && typeof value.sequence === 'number' ? (value as RecordingEvent) : undefined
  } catch {
    return undefined
  }
}
