import type { Deliver, Delivery, DeliveryOutcome } from './delivery.js'
import { DeliverySchedule, type ScheduledDelivery } from './delivery-schedule.js'
import { NotifierError, systemCode } from './errors.js'
import { JournalFolder } from './journal-folder.js'
import type { Place } from './journal-replay.js'
import type { OutboxSettings } from './outbox-options.js'
import { OutboxReports } from './outbox-reports.js'
import { emptyStats, type OutboxStats } from './outbox-stats.js'
import { OutboxTime } from './outbox-time.js'
import type { RecordingJournal } from './recording-journal.js'

/** How long after a failed write the journal is tried again. Each event and each delivery tries it too. */
const DISK_RETRY_MS = 5000
/** How often old files are looked for. */
const SWEEP_MS = 3_600_000
/** How long `close` waits for deliveries that do not heed their signal. */
const ABORT_GRACE_MS = 5000

/** What is put into an outbox. */
export interface OutboxItem {
  /** Unique within the recording: what was queued before, by its id, is not queued again. */
  readonly id: string
  readonly type: string
  /** The exact text that is delivered, at each attempt. */
  readonly body: string
}

interface Entry extends ScheduledDelivery {
  readonly id: string
  readonly type: string
  readonly journal: RecordingJournal
  readonly place: Place
  readonly bodyBytes: number
  /** Missing: it is in the journal. */
  body: string | undefined
}

/**
 * Deliveries that survive a restart: journalled when they come, delivered in order within a recording, recordings beside
 * each other, tried again until they are delivered or given up. At least once: what was under way when the process
 * ended is delivered again.
 */
export class Outbox {
  readonly #name: string
  readonly #settings: OutboxSettings
  readonly #deliver: Deliver
  readonly #folder: JournalFolder
  readonly #time: OutboxTime
  readonly #schedule: DeliverySchedule<Entry>
  readonly #abort = new AbortController()
  readonly #operations = new Set<Promise<void>>()
  /** Journals that a failed write has left behind the truth. */
  readonly #behind = new Set<RecordingJournal>()
  readonly #stats: OutboxStats = emptyStats()
  readonly #reports: OutboxReports
  readonly #idleWaiters: (() => void)[] = []
  #memoryBytes = 0
  #adding = 0
  #attempting = 0
  #closed = false
  /** Nothing is written any more: the folder may be another notifier's. */
  #ended = false
  #closing: Promise<void> | undefined
  #diskRetryMs: number | undefined
  #sweepMs: number

  private constructor(name: string, settings: OutboxSettings, deliver: Deliver, folder: JournalFolder) {
    this.#name = name
    this.#settings = settings
    this.#reports = new OutboxReports(name, settings, this.#stats)
    this.#deliver = deliver
    this.#folder = folder
    this.#time = new OutboxTime(settings.clock, settings.wallNowMs)
    const { backoff, maxAttempts, maxAgeMs, maxConcurrent } = settings
    this.#schedule = new DeliverySchedule({ backOff: backoff, maxAttempts, maxAgeMs, maxConcurrent }, settings.random)
    this.#sweepMs = this.#time.nowMs()
  }

  /** Opens the journal and goes on with what it has. `name` is the kind of notifier: a journal belongs to one kind. */
  static async open(name: string, settings: OutboxSettings, deliver: Deliver): Promise<Outbox> {
    const folder = await JournalFolder.open(settings.journalDir, name, settings.fsync)
    const outbox = new Outbox(name, settings, deliver, folder)
    try {
      await outbox.#resume()
    } catch (error) {
      folder.close()
      throw error
    }
    outbox.#pump()
    return outbox
  }

  /** A snapshot. */
  get stats(): OutboxStats {
    return {
      ...this.#stats,
      pending: this.#schedule.size,
      inFlight: this.#schedule.inFlight,
      memoryBytes: this.#memoryBytes,
    }
  }

  /**
   * Queues items of a recording, in their order; resolves when they are in the journal, or, while the disk refuses,
   * when they are in memory. `ends`: the recording ends with them. Rejects only for misuse.
   */
  add(recordingId: string, items: readonly OutboxItem[], ends: boolean): Promise<void> {
    if (this.#closed)
      return Promise.reject(new NotifierError('NOTIFIER_CLOSED', `the ${this.#name} notifier is closed`))
    for (const { id, body } of items) {
      const bytes = Buffer.byteLength(body)
      if (bytes > this.#settings.maxBodyBytes) {
        const message = `${id}: a body must not be larger than ${this.#settings.maxBodyBytes} bytes, got ${bytes}`
        return Promise.reject(new NotifierError('NOTIFIER_BAD_EVENT', message))
      }
    }
    return this.#track(this.#add(recordingId, items, ends))
  }

  /** Delivers for up to `timeoutMs` what it can, lets the rest in the journal, and ends. */
  close(timeoutMs: number): Promise<void> {
    this.#closing ??= this.#close(timeoutMs)
    return this.#closing
  }

  async #add(recordingId: string, items: readonly OutboxItem[], ends: boolean): Promise<void> {
    this.#adding += 1
    const journal = await this.#folder.enter(recordingId)
    try {
      const entries: Entry[] = []
      for (const item of items) {
        const entry = this.#queue(journal, item)
        if (entry !== undefined) entries.push(entry)
      }
      if (ends) journal.appendEnd(this.#time.nowMs())
      await this.#flush(journal)
      for (const entry of entries) this.#spareMemory(entry)
      if (journal.pending === 0) await this.#finish(journal)
    } finally {
      this.#adding -= 1
      this.#folder.leave(recordingId)
      this.#pump()
    }
  }

  #queue(journal: RecordingJournal, { id, type, body }: OutboxItem): Entry | undefined {
    if (journal.has(id)) {
      this.#stats.duplicates += 1
      return undefined
    }
    const memoryFull = this.#reports.journalFails && this.#memoryBytes >= this.#settings.maxMemoryBytes
    if (this.#schedule.size >= this.#settings.maxPending || memoryFull) {
      this.#reports.overflow(id)
      return undefined
    }
    const atMs = this.#time.nowMs()
    const place = journal.appendEvent({ id, type, atMs, body })
    const entry = this.#hold(journal, { id, type, body, place, queuedAtMs: atMs, attempts: 0, dueMs: atMs })
    this.#stats.queued += 1
    return entry
  }

  #hold(
    journal: RecordingJournal,
    facts: Pick<Entry, 'id' | 'type' | 'place' | 'queuedAtMs' | 'attempts' | 'dueMs'> & { body: string },
  ): Entry {
    const bodyBytes = Buffer.byteLength(facts.body)
    const entry: Entry = { ...facts, lane: journal.recordingId, journal, bodyBytes }
    this.#memoryBytes += bodyBytes
    this.#schedule.add(entry)
    return entry
  }

  /** Lets a body go that is in the journal, when there are too many in memory. */
  #spareMemory(entry: Entry): void {
    if (this.#memoryBytes <= this.#settings.maxMemoryBytes || entry.place.offset < 0) return
    this.#forgetBody(entry)
  }

  #forgetBody(entry: Entry): void {
    if (entry.body === undefined) return
    entry.body = undefined
    this.#memoryBytes -= entry.bodyBytes
  }

  async #resume(): Promise<void> {
    const nowMs = this.#time.nowMs()
    const unreadable = (error: unknown): void => void this.#reports.journalFailed(error, 'cannot be read')
    for await (const opened of this.#folder.unfinished((journal) => this.#removalMs(journal), unreadable)) {
      if (opened.torn) this.#stats.tornTails += 1
      this.#stats.damagedLines += opened.damagedLines
      for (const delivery of opened.pending) {
        // No wait is longer than the longest back-off, whatever the wall clock did in between.
        const dueMs = Math.min(delivery.dueMs, nowMs + this.#settings.backoff.maxMs)
        const queuedAtMs = Math.min(delivery.queuedAtMs, nowMs)
        this.#spareMemory(this.#hold(opened.journal, { ...delivery, dueMs, queuedAtMs }))
        this.#stats.resumed += 1
      }
    }
  }

  /** Begins what is due, and sees to it that the next is begun in time. */
  #pump(): void {
    if (this.#abort.signal.aborted) return
    const nowMs = this.#time.nowMs()
    if (this.#diskRetryMs !== undefined && nowMs >= this.#diskRetryMs) {
      this.#diskRetryMs = nowMs + DISK_RETRY_MS
      for (const journal of this.#behind) void this.#track(this.#flush(journal))
    }
    if (nowMs >= this.#sweepMs) {
      this.#sweepMs = nowMs + SWEEP_MS
      void this.#track(this.#sweep(nowMs))
    }
    // An attempt ends when what became of it is written: a slow disk slows the attempts, and not the other way round.
    while (this.#attempting < this.#settings.maxConcurrent) {
      const entry = this.#schedule.next(nowMs)
      if (entry === undefined) break
      void this.#track(this.#attempt(entry))
    }
    if (this.#schedule.size + this.#adding === 0) for (const wake of this.#idleWaiters.splice(0)) wake()
    const attemptMs = this.#attempting < this.#settings.maxConcurrent ? this.#schedule.nextDeadline() : undefined
    const deadlines = [attemptMs, this.#diskRetryMs, this.#sweepMs]
    this.#time.wakeAt(Math.min(...deadlines.map((deadline) => deadline ?? Infinity)), () => this.#pump())
  }

  async #attempt(entry: Entry): Promise<void> {
    this.#attempting += 1
    try {
      await this.#attemptNow(entry)
    } finally {
      this.#attempting -= 1
      this.#pump()
    }
  }

  async #attemptNow(entry: Entry): Promise<void> {
    const { journal } = entry
    // What is told is in the journal first, and so is what became of the delivery before.
    await this.#flush(journal)
    const startMs = this.#time.nowMs()
    const outcome = await this.#outcomeOf(entry)
    if (this.#ended) return
    if (this.#abort.signal.aborted && outcome.status !== 'delivered') {
      this.#schedule.release(entry)
      return
    }
    const nowMs = this.#time.nowMs()
    const settled = this.#schedule.settle(entry, outcome, nowMs)
    if (settled.state === 'waiting') {
      journal.appendTry(entry.id, entry.attempts, settled.dueMs)
    } else {
      journal.appendDone(entry.id, settled.state, nowMs)
      this.#forgetBody(entry)
    }
    this.#reports.attempt(entry, outcome, settled, { nowMs, durationMs: nowMs - startMs })
    await this.#flush(journal)
    if (journal.pending === 0) await this.#finish(journal)
  }

  async #outcomeOf(entry: Entry): Promise<DeliveryOutcome> {
    const { id, type, lane } = entry
    let body = entry.body
    try {
      body ??= await entry.journal.readBody(entry.place)
    } catch (error) {
      return { status: 'retry', error: this.#reports.journalFailed(error, 'cannot be read') }
    }
    const delivery: Delivery = { id, recordingId: lane, type, body }
    this.#stats.attempts += 1
    try {
      return await this.#deliver(delivery, entry.attempts + 1, this.#abort.signal)
    } catch (error) {
      const message = `${this.#name}: the delivery ended unexpectedly: ${systemCode(error)}`
      return { status: 'retry', error: new NotifierError('DELIVERY_UNEXPECTED', message) }
    }
  }

  /** Writes what waits. Never rejects: what could not be written is tried again. */
  async #flush(journal: RecordingJournal): Promise<void> {
    try {
      await journal.flush()
    } catch (error) {
      this.#reports.journalFailed(error, 'cannot be written; deliveries go on from memory')
      if (journal.hasUnwritten) {
        this.#behind.add(journal)
        if (this.#diskRetryMs === undefined) {
          this.#diskRetryMs = this.#time.nowMs() + DISK_RETRY_MS
          this.#pump()
        }
      }
      return
    }
    this.#behind.delete(journal)
    if (this.#behind.size === 0) {
      this.#diskRetryMs = undefined
      this.#reports.journalWorks()
    }
  }

  /** Nothing of the recording is undelivered. */
  async #finish(journal: RecordingJournal): Promise<void> {
    try {
      await journal.compact()
    } catch (error) {
      this.#reports.journalFailed(error, 'cannot be compacted')
    }
    this.#folder.removeAt(journal, this.#removalMs(journal))
  }

  async #sweep(nowMs: number): Promise<void> {
    try {
      await this.#folder.sweep(nowMs)
    } catch (error) {
      this.#reports.journalFailed(error, 'cannot be removed')
    }
  }

  #removalMs({ ended, lastAtMs }: RecordingJournal): number {
    return lastAtMs + this.#settings.keepMs * (ended ? 1 : 4)
  }

  async #track(operation: Promise<void>): Promise<void> {
    this.#operations.add(operation)
    try {
      await operation
    } finally {
      this.#operations.delete(operation)
    }
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#closed = true
    // The clock's timers do not keep a process alive; whoever waits for this must.
    const alive = setInterval(() => undefined, 1_000_000)
    try {
      if (timeoutMs > 0) await this.#idle(timeoutMs)
      this.#abort.abort()
      this.#time.stop()
      const ended = Promise.allSettled(this.#operations)
      let grace: NodeJS.Timeout | undefined
      await Promise.race([ended, new Promise((resolve) => (grace = setTimeout(resolve, ABORT_GRACE_MS)))])
      clearTimeout(grace)
      for (const journal of this.#behind) await this.#flush(journal)
    } finally {
      this.#ended = true
      clearInterval(alive)
      this.#folder.close()
    }
  }

  async #idle(timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#time.after(timeoutMs, resolve)
      this.#idleWaiters.push(() => {
        cancel()
        resolve()
      })
      this.#pump()
    })
  }
}
