import { join } from 'node:path'
import { type MonotonicClock, monotonicClock } from '@rushes/media'
import { AppendFile } from './append-file.js'
import { TakeError, writeFailed } from './errors.js'
import { nodeFileSystem, syncFolder, type TakeFileSystem } from './file-system.js'
import { finishSession } from './finish-session.js'
import { validateSessionTrack, validateTakeEvent } from './parse-session.js'
import { type RefusalCause, RefusalCounter } from './refusals.js'
import { isRtcpPacket, MAX_OFFSET_MS, packetFault, RECORD_HEADER_BYTES } from './rtpdump.js'
import { EVENTS_FILE, type Session, type SessionTrack, type TakeEvent } from './session.js'
import { foldEvents, serializeEventLine } from './session-events.js'
import { trackHeaderOf } from './session-track.js'
import type { TakeLock } from './take-lock.js'
import type { TakeWriter, TakeWriterOptions, TakeWriterStats } from './take-writer.js'
import { writeSession } from './write-session.js'

/** Events are kept in memory until they are folded: enough for 100,000 of them, and no honest call has so many. */
const MAX_EVENTS_BYTES = 16 * 1024 * 1024
/** Written early when so much has gathered: larger writes are not faster. */
const EARLY_FLUSH_BYTES = 262_144

interface OpenTrack {
  readonly id: string
  readonly kind: 'audio' | 'video'
  readonly file: AppendFile
  lastMs: number
  ended: boolean
}

/** The writer behind `createTakeWriter`: its folder and session.json are there. */
export class DiskTakeWriter implements TakeWriter {
  readonly dir: string
  readonly #options: TakeWriterOptions
  readonly #files: TakeFileSystem
  readonly #lock: TakeLock
  readonly #clock: MonotonicClock
  readonly #maxBufferedBytes: number
  readonly #initial: Session
  readonly #header: Uint8Array
  readonly #events: TakeEvent[] = []
  readonly #eventsFile: AppendFile
  readonly #tracks = new Map<string, OpenTrack>()
  readonly #refusals = new RefusalCounter()
  #folded: Session | undefined
  #state: 'open' | 'finishing' | 'closed' = 'open'
  #packets = 0
  #eventsBytes = 0
  #bufferedBytes = 0
  #running: Promise<void> | undefined
  #failing = false
  #cancelTimer: (() => void) | undefined
  #waiting: (() => void)[] = []

  constructor(dir: string, initial: Session, lock: TakeLock, options: TakeWriterOptions) {
    this.dir = dir
    this.#initial = initial
    this.#options = options
    this.#files = options.fileSystem ?? nodeFileSystem
    this.#lock = lock
    this.#clock = options.clock ?? monotonicClock
    this.#maxBufferedBytes = options.maxBufferedBytes ?? 33_554_432
    this.#header = trackHeaderOf(initial)
    this.#eventsFile = new AppendFile(join(dir, EVENTS_FILE), this.#files)
    for (const { tracks } of initial.participants) for (const track of tracks) this.#openTrack(track)
  }

  get session(): Session {
    this.#folded ??= foldEvents(this.#initial, this.#events)
    return this.#folded
  }

  get stats(): TakeWriterStats {
    let bytes = this.#eventsFile.totalBytes
    for (const { file } of this.#tracks.values()) bytes += file.totalBytes
    return {
      packets: this.#packets,
      events: this.#events.length,
      bytes,
      bufferedBytes: this.#bufferedBytes,
      refused: this.#refusals.total,
    }
  }

  addTrack(participantId: string, track: SessionTrack): void {
    this.#mustBeOpen()
    const definition = validateSessionTrack(track, '$.track')
    const taken = this.session.participants.some(({ tracks }) =>
      tracks.some((other) => other.id === definition.id || other.file === definition.file),
    )
    if (taken) {
      throw new TakeError('TAKE_BAD_SESSION', `track ${definition.id} (${definition.file}) is there already`, {
        path: '$.track.id',
        trackId: definition.id,
      })
    }
    this.#addEvent({ type: 'track-added', atMs: definition.joinedAtMs, participant: participantId, definition })
    this.#openTrack(definition)
  }

  endTrack(trackId: string, atMs: number): void {
    this.event({ type: 'track-removed', atMs, track: trackId })
    const track = this.#tracks.get(trackId)
    if (track !== undefined) track.ended = true
  }

  write(trackId: string, data: Uint8Array, arrivalUs: number): boolean {
    const track = this.#tracks.get(trackId)
    const size = RECORD_HEADER_BYTES + data.byteLength
    const cause = this.#refusalOf(track, data, size, arrivalUs)
    if (cause !== undefined || track === undefined) {
      // The time of one that claims to come after the end of time would be the length of the take.
      const atMs = cause !== 'too-late' && arrivalUs >= 0 ? Math.floor(arrivalUs / 1000) : (track?.lastMs ?? 0)
      this.#refusals.add(trackId, cause ?? 'unknown-track', data.byteLength, atMs)
      if (cause === 'journal-full') this.#options.budget?.countRefused(this.dir, trackId, data.byteLength)
      this.#scheduleFlush(this.#options.maxDelayMs ?? 100)
      return cause !== 'buffer-full' && this.#hasRoom()
    }
    // A packet cannot come before its predecessor in a file that is in order of arrival.
    if (arrivalUs >= 0) track.lastMs = Math.max(track.lastMs, Math.floor(arrivalUs / 1000))
    track.file.appendRecord(data, track.lastMs, isRtcpPacket(data))
    this.#packets += 1
    this.#added(size)
    return this.#hasRoom()
  }

  event(event: TakeEvent): void {
    this.#mustBeOpen()
    this.#addEvent(validateTakeEvent(event, '$.event'))
  }

  drain(): Promise<void> {
    if (this.#hasRoom() || this.#state === 'closed') return Promise.resolve()
    return new Promise((resolve) => void this.#waiting.push(resolve))
  }

  async flush(): Promise<void> {
    // What arrived after a flush that is under way began is written by the next.
    await this.#running?.catch(() => {})
    await this.#flushOnce()
  }

  async finish(options: { readonly durationMs?: number } = {}): Promise<Session> {
    this.#mustBeOpen()
    this.#state = 'finishing'
    try {
      this.#noteRefusals(true)
      await this.flush()
      const arrivals = new Map([...this.#tracks.values()].map(({ id, lastMs }) => [id, lastMs]))
      const session = finishSession(this.session, arrivals, options.durationMs)
      try {
        for (const { file } of this.#tracks.values()) await this.#closeFile(file)
        await writeSession(this.dir, session, this.#options.sync !== 'never', this.#files)
        await this.#files.remove(this.#eventsFile.path)
        await this.#lock.release()
      } catch (cause) {
        throw writeFailed(this.dir, cause)
      }
      this.#folded = session
      await this.#close()
      return session
    } catch (error) {
      this.#state = 'open'
      if (this.#bufferedBytes > 0) this.#scheduleFlush(this.#options.retryMs ?? 1000)
      throw error
    }
  }

  async abort(): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    await this.#running?.catch(() => {})
    await this.#close()
    await this.#lock.release().catch(() => {})
  }

  /** Somebody else has taken the take over, or it was deleted: nothing more may be written to it. */
  lose(): void {
    if (this.#state === 'closed') return
    this.abort().catch(() => {
      // Its files cannot be closed in good order: they are not there any more.
    })
    this.#options.onError?.(new TakeError('TAKE_LOCKED', `the take in ${this.dir} has been taken over or deleted`))
  }

  #openTrack(track: SessionTrack): void {
    const file = new AppendFile(join(this.dir, track.file), this.#files, this.#header)
    this.#tracks.set(track.id, { id: track.id, kind: track.kind, file, lastMs: 0, ended: false })
    this.#added(this.#header.byteLength)
  }

  #addEvent(event: TakeEvent): void {
    const line = new TextEncoder().encode(serializeEventLine(event))
    this.#eventsBytes += line.byteLength
    if (this.#eventsBytes > MAX_EVENTS_BYTES) {
      this.#eventsBytes -= line.byteLength
      // Without its announcement a track's packets could not be read: that one is refused by throwing.
      if (event.type === 'track-added') throw new TakeError('TAKE_BAD_SESSION', 'the take has too many events')
      this.#refusals.add(undefined, 'too-many-events', line.byteLength)
      return
    }
    this.#events.push(event)
    this.#folded = undefined
    this.#eventsFile.append(line)
    this.#added(line.byteLength)
  }

  #noteRefusals(all: boolean): void {
    for (const note of this.#refusals.takeNotes(this.#clock.nowUs() / 1000, all)) this.#addEvent(note)
  }

  #refusalOf(
    track: OpenTrack | undefined,
    data: Uint8Array,
    size: number,
    arrivalUs: number,
  ): RefusalCause | undefined {
    if (this.#state !== 'open') return 'closed'
    if (track === undefined) return 'unknown-track'
    if (arrivalUs > MAX_OFFSET_MS * 1000) return 'too-late'
    if (this.#options.budget?.stops(track.kind) === true) return 'journal-full'
    if (this.#bufferedBytes + size > this.#maxBufferedBytes) return 'buffer-full'
    if (track.file.totalBytes + size > (this.#options.maxFileBytes ?? Number.POSITIVE_INFINITY)) return 'file-full'
    return packetFault(data)
  }

  #hasRoom(): boolean {
    return this.#bufferedBytes < this.#maxBufferedBytes / 2
  }

  #mustBeOpen(): void {
    if (this.#state !== 'open') throw new TakeError('TAKE_CLOSED', `the take in ${this.dir} is closed`)
  }

  #added(bytes: number): void {
    this.#bufferedBytes += bytes
    this.#options.budget?.account(bytes)
    if (this.#bufferedBytes >= EARLY_FLUSH_BYTES && !this.#failing && this.#running === undefined) this.#flushSoon()
    else this.#scheduleFlush(this.#options.maxDelayMs ?? 100)
  }

  #scheduleFlush(delayMs: number): void {
    if (this.#cancelTimer !== undefined || this.#state !== 'open') return
    // The clock's timer does not keep a process alive; bytes that wait to be written must.
    const hold = setInterval(() => {}, 0x7fff_ffff)
    const cancel = this.#clock.schedule(this.#clock.nowUs() + delayMs * 1000, () => {
      this.#stopTimer()
      this.#flushSoon()
    })
    this.#cancelTimer = () => {
      clearInterval(hold)
      cancel()
    }
  }

  #stopTimer(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #flushSoon(): void {
    if (this.#running !== undefined || this.#state !== 'open') return
    this.#flushOnce().catch(() => {
      // It has been reported; the timer tries again.
    })
  }

  /** One pass over all files; never two at a time. */
  #flushOnce(): Promise<void> {
    // Before the pass begins: what it adds may itself begin one.
    if (this.#running === undefined && this.#state === 'open') this.#noteRefusals(false)
    this.#running ??= this.#flushFiles().finally(() => {
      this.#running = undefined
      if (this.#state === 'open' && this.#bufferedBytes > 0) {
        this.#scheduleFlush(this.#failing ? (this.#options.retryMs ?? 1000) : (this.#options.maxDelayMs ?? 100))
      }
    })
    return this.#running
  }

  async #flushFiles(): Promise<void> {
    this.#stopTimer()
    this.#options.budget?.poll()
    let failure: unknown
    let created = false
    const flush = async ({ file, ended }: { readonly file: AppendFile; readonly ended: boolean }): Promise<void> => {
      if (this.#state === 'closed') return
      const bytes = file.bufferedBytes
      const existed = file.created
      try {
        await file.flush()
        if (this.#options.sync === 'flush' && bytes > 0) await file.sync()
        // People come and go for hours: a track that has ended keeps no file open. A late packet opens it again.
        if (ended && file.bufferedBytes === 0) await this.#closeFile(file)
      } catch (error) {
        // One file that cannot be written must not hold up the others.
        failure ??= error
      }
      created ||= file.created && !existed
    }
    // The events go first: they announce the tracks whose packets follow.
    await flush({ file: this.#eventsFile, ended: false })
    await Promise.all([...this.#tracks.values()].map(flush))
    if (created && this.#options.sync === 'flush') await syncFolder(this.dir, this.#files).catch(() => {})
    this.#bufferedBytes = this.#eventsFile.bufferedBytes
    for (const { file } of this.#tracks.values()) this.#bufferedBytes += file.bufferedBytes
    const refused = this.#refusals.takeNew()
    if (refused.length > 0) this.#options.onRefused?.(refused)
    if (this.#hasRoom()) this.#wake()
    if (failure === undefined) {
      this.#failing = false
      return
    }
    const error = writeFailed(this.dir, failure)
    if (!this.#failing) this.#options.onError?.(error)
    this.#failing = true
    throw error
  }

  async #closeFile(file: AppendFile): Promise<void> {
    if (this.#options.sync !== 'never') await file.sync()
    await file.close()
  }

  async #close(): Promise<void> {
    this.#state = 'closed'
    this.#stopTimer()
    const refused = this.#refusals.takeNew()
    if (refused.length > 0) this.#options.onRefused?.(refused)
    this.#wake()
    await Promise.all([this.#eventsFile, ...[...this.#tracks.values()].map(({ file }) => file)].map((f) => f.close()))
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
