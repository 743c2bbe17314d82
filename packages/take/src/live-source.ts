import { ConfigurationError, type MonotonicClock, monotonicClock } from '@rushes/media'
import { TakeError } from './errors.js'
import { validateSession, validateSessionTrack, validateTakeEvent } from './parse-session.js'
import { type Refusal, RefusalCounter } from './refusals.js'
import { isRtcpPacket, packetFault } from './rtpdump.js'
import { SESSION_FORMAT_VERSION, type Session, type SessionTrack, type TakeEvent } from './session.js'
import { foldEvents, type TrackAddedEvent } from './session-events.js'
import { trackOf } from './session-track.js'
import { BATCH_ITEMS, isWanted, type TakeItem, type TakeItemsOptions, type TakeSource } from './take-source.js'
import type { NewSession } from './take-writer.js'

/** How a live source behaves. */
export interface LiveSourceOptions {
  /**
   * Bytes of packets held while the reader does not keep up; what comes beyond is refused: the journal on disk has it.
   * `write` asks for a pause from half of it on. @defaultValue 33,554,432
   */
  readonly maxBufferedBytes?: number
  /** Packets are gathered for at most so long, in milliseconds, before the reader is woken. @defaultValue 20 */
  readonly maxDelayMs?: number
  /** `idle` is said after so long without anything, in milliseconds. @defaultValue 250 */
  readonly idleMs?: number
  /** The clock's time at the start of the recording. @defaultValue when the source is created */
  readonly startUs?: number
  /** @defaultValue the machine's monotonic clock */
  readonly clock?: MonotonicClock
}

/** A call that is fed into memory packet by packet, beside the journal, and read by one reader. */
export interface LiveSource extends TakeSource {
  readonly stats: { readonly packets: number; readonly bufferedBytes: number; readonly refused: readonly Refusal[] }
  /**
   * Begins a track. After the end this, like `event`, is only counted in `stats.refused`.
   * @throws TakeError `TAKE_BAD_SESSION`, `TAKE_UNKNOWN_CODEC`
   */
  addTrack(participantId: string, track: SessionTrack): void
  /** A track sends no more. */
  endTrack(trackId: string, atMs: number): void
  /**
   * Takes one RTP packet or RTCP compound packet, which from now on belongs to the source. `false` asks to wait for
   * `drain()`. It never throws: what cannot be kept is counted in `stats.refused`.
   */
  write(trackId: string, data: Uint8Array, arrivalUs: number): boolean
  event(event: TakeEvent): void
  /** Resolves when there is room again. */
  drain(): Promise<void>
  /** The call is over: the reader gets what is left, and `end`. */
  end(): void
}

/** Memory of an item beside its bytes, roughly; so that a flood of tiny packets is bounded too. */
const ITEM_OVERHEAD_BYTES = 128
/** Events stay in memory, in `session`; no honest call has so many. */
const MAX_EVENTS = 100_000

/** A growing source in memory. */
export function createLiveSource(session: NewSession, options: LiveSourceOptions = {}): LiveSource {
  return new MemorySource(session, options)
}

class MemorySource implements LiveSource {
  readonly #clock: MonotonicClock
  readonly #maxBufferedBytes: number
  readonly #maxDelayUs: number
  readonly #idleUs: number
  readonly #startUs: number
  readonly #refusals = new RefusalCounter()
  readonly #tracks = new Map<string, string>()
  readonly #initial: Session
  readonly #events: TakeEvent[] = []
  #folded: Session | undefined
  #items: TakeItem[] = []
  #bufferedBytes = 0
  #packets = 0
  /** No item may say that it came before this: the order of arrival is the order of the queue. */
  #floorUs = 0
  #ended = false
  #reading = false
  #wakeReader: (() => void) | undefined
  #cancelWake: (() => void) | undefined
  #waiting: (() => void)[] = []

  constructor(session: NewSession, options: LiveSourceOptions) {
    for (const field of ['maxBufferedBytes', 'maxDelayMs', 'idleMs'] as const) {
      const value = options[field]
      if (value !== undefined && !(value > 0)) throw new ConfigurationError(field, 'must be greater than 0', value)
    }
    this.#clock = options.clock ?? monotonicClock
    this.#maxBufferedBytes = options.maxBufferedBytes ?? 33_554_432
    this.#maxDelayUs = (options.maxDelayMs ?? 20) * 1000
    this.#idleUs = (options.idleMs ?? 250) * 1000
    this.#startUs = options.startUs ?? this.#clock.nowUs()
    const { participants = [], events = [], ...rest } = session
    const formatVersion = SESSION_FORMAT_VERSION
    const empty = participants.map((participant) => ({ ...participant, tracks: [] }))
    this.#initial = validateSession({ ...rest, formatVersion, finished: false, participants: empty, events: [] })
    for (const { id, tracks } of participants) for (const track of tracks) this.addTrack(id, track)
    for (const event of events) this.event(event)
  }

  get session(): Session {
    this.#folded ??= { ...foldEvents(this.#initial, this.#events), finished: this.#ended }
    return this.#folded
  }

  /** Never, to its one reader: what has been read is gone, so that it cannot be looked at first and rendered then. */
  readonly finished = false

  get stats(): LiveSource['stats'] {
    return { packets: this.#packets, bufferedBytes: this.#bufferedBytes, refused: this.#refusals.total }
  }

  addTrack(participantId: string, entry: SessionTrack): void {
    const definition = validateSessionTrack(entry, '$.track')
    const track = trackOf(definition, participantId)
    if (this.#tracks.has(track.id)) {
      const options = { path: '$.track.id', trackId: track.id }
      throw new TakeError('TAKE_BAD_SESSION', `track ${track.id} is there already`, options)
    }
    const atMs = definition.joinedAtMs
    const event: TrackAddedEvent = { type: 'track-added', atMs, participant: participantId, definition }
    if (!this.#note(event)) return
    this.#tracks.set(track.id, participantId)
    this.#add({ type: 'track', track, participantId }, 0)
  }

  endTrack(trackId: string, atMs: number): void {
    this.event({ type: 'track-removed', atMs, track: trackId })
  }

  write(trackId: string, data: Uint8Array, arrivalUs: number): boolean {
    const cause = this.#ended
      ? 'closed'
      : !this.#tracks.has(trackId)
        ? 'unknown-track'
        : this.#bufferedBytes + data.byteLength + ITEM_OVERHEAD_BYTES > this.#maxBufferedBytes
          ? 'buffer-full'
          : packetFault(data)
    if (cause !== undefined) {
      this.#refusals.add(trackId, cause, data.byteLength)
      return cause !== 'buffer-full' && this.#hasRoom()
    }
    if (arrivalUs > this.#floorUs) this.#floorUs = arrivalUs
    this.#packets += 1
    const rtcp = isRtcpPacket(data)
    this.#add({ type: 'packet', trackId, data, arrivalUs: this.#floorUs, rtcp }, data.byteLength)
    return this.#hasRoom()
  }

  event(event: TakeEvent): void {
    const valid = validateTakeEvent(event, '$.event')
    if (!this.#note(valid)) return
    this.#floorUs = Math.max(this.#floorUs, Math.round(valid.atMs * 1000))
    this.#add({ type: 'event', event: valid, arrivalUs: this.#floorUs }, 0)
  }

  /** A render that has gone away must not bring down the host that still feeds it: what is too late is only counted. */
  #note(event: TakeEvent): boolean {
    const cause = this.#ended ? 'closed' : this.#events.length >= MAX_EVENTS ? 'too-many-events' : undefined
    if (cause !== undefined) {
      this.#refusals.add(undefined, cause, 0)
      return false
    }
    this.#events.push(event)
    this.#folded = undefined
    return true
  }

  drain(): Promise<void> {
    if (this.#hasRoom() || this.#ended) return Promise.resolve()
    return new Promise((resolve) => void this.#waiting.push(resolve))
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#folded = undefined
    this.#wake()
    this.#release()
  }

  async *items(options: TakeItemsOptions = {}): AsyncGenerator<readonly TakeItem[], void, undefined> {
    if (this.#reading) throw new TakeError('TAKE_IN_USE', 'a live source has one reader, and it has been taken')
    this.#reading = true
    const { signal } = options
    // One listener for the whole reading: one for each wait would cost more than the wait.
    const aborted = (): void => this.#wake()
    signal?.addEventListener('abort', aborted)
    try {
      for (;;) {
        signal?.throwIfAborted()
        if (this.#items.length > 0) {
          const items = this.#takeItems(options)
          if (items.length > 0) yield items
        } else if (this.#ended) {
          yield [{ type: 'end' }]
          return
        } else if (!(await this.#something())) {
          this.#floorUs = Math.max(this.#floorUs, this.#clock.nowUs() - this.#startUs)
          yield [{ type: 'idle', arrivalUs: this.#floorUs }]
        }
      }
    } finally {
      signal?.removeEventListener('abort', aborted)
      // Nobody reads any more: what is written from now on would only fill memory.
      this.end()
      this.#items = []
      this.#bufferedBytes = 0
    }
  }

  #takeItems(options: TakeItemsOptions): readonly TakeItem[] {
    const taken = this.#items.length <= BATCH_ITEMS ? this.#items : this.#items.slice(0, BATCH_ITEMS)
    this.#items = taken === this.#items ? [] : this.#items.slice(BATCH_ITEMS)
    for (const item of taken) this.#bufferedBytes -= sizeOf(item)
    if (this.#hasRoom()) this.#release()
    if (options.participants === undefined && options.tracks === undefined) return taken
    return taken.filter((item) => {
      const trackId = item.type === 'packet' ? item.trackId : item.type === 'track' ? item.track.id : undefined
      return trackId === undefined || isWanted(options, this.#tracks.get(trackId) ?? '', trackId)
    })
  }

  /** Waits until there is something, or reading is to end (`true`), or it has been quiet for long (`false`). */
  #something(): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (something: boolean): void => {
        this.#wakeReader = undefined
        this.#cancelWake?.()
        this.#cancelWake = undefined
        cancelIdle()
        resolve(something)
      }
      const cancelIdle = this.#clock.schedule(this.#clock.nowUs() + this.#idleUs, () => done(this.#items.length > 0))
      this.#wakeReader = () => done(true)
    })
  }

  #add(item: TakeItem, bytes: number): void {
    this.#items.push(item)
    this.#bufferedBytes += bytes + ITEM_OVERHEAD_BYTES
    if (this.#wakeReader === undefined) return
    // One wake-up for many packets: a promise per packet would cost more than the packet.
    if (this.#items.length >= BATCH_ITEMS) this.#wake()
    else this.#cancelWake ??= this.#clock.schedule(this.#clock.nowUs() + this.#maxDelayUs, () => this.#wake())
  }

  #wake(): void {
    this.#wakeReader?.()
  }

  #release(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  #hasRoom(): boolean {
    return this.#bufferedBytes < this.#maxBufferedBytes / 2
  }
}

function sizeOf(item: TakeItem): number {
  return ITEM_OVERHEAD_BYTES + (item.type === 'packet' ? item.data.byteLength : 0)
}
