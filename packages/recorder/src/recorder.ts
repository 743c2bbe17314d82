import { randomBytes } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigurationError, monotonicClock, type RecordingEvent } from '@rushes/media'
import { template } from '@rushes/naming-rules'
import { checkPlan, type Manifest } from '@rushes/render'
import {
  createDiskThread,
  createJournalBudget,
  createLiveSource,
  createTakeWriter,
  type DiskThread,
  type JournalBudget,
  type JournalPressure,
  type LiveSource,
  lockJournal,
  type NewSession,
  type TakeLock,
  type TakeWriter,
} from '@rushes/take'
import { eraseFromOutputs } from './erase.js'
import { RecorderError } from './errors.js'
import { EVENT_JOURNAL_FILE, EventJournal } from './event-journal.js'
import { Feed } from './feed.js'
import { conclude, planOf, type Rendered, renderJournal, renderTelling } from './finishing.js'
import type { RecorderOptions, StartOptions } from './options.js'
import { notifyAll, type RecorderSurroundings, silentLogger } from './recorder-surroundings.js'
import { Recording } from './recording.js'
import type { RecordingSignal } from './recording-signal.js'
import { finishedTakes, type RecoveredRecording, recoverAll } from './recovery.js'
import { checkSettings, mergeSettings, type RecordingSettings } from './settings.js'
import { Turns } from './turns.js'

/** Starts recordings, and finishes what a crash left. */
export interface Recorder {
  /** Those that run or are being finished. */
  readonly recordings: readonly Recording[]
  /** The space that is left to the journals, and what is given up now. */
  readonly budget: Pick<JournalBudget, 'usedBytes' | 'leftBytes' | 'steps' | 'refused'>
  /** Resolves when everything that an earlier process left is finished, with what became of it. */
  readonly recovered: Promise<readonly RecoveredRecording[]>
  /**
   * Starts the recording of a room. Another one of the same room may still be processing, but not running.
   * @throws ConfigurationError naming the field; RecorderError `RECORDER_ROOM_BUSY`, `RECORDER_ID_TAKEN`,
   * `RECORDER_REFUSED`, `RECORDER_CLOSED`
   */
  start(options: StartOptions): Promise<Recording>
  /** The recording that runs in a room. */
  ofRoom(roomId: string): Recording | undefined
  /**
   * Removes a person from the journal of a recording that has ended, and from its outputs in the store.
   * @throws RecorderError `RECORDER_NOT_FOUND` when there is neither journal nor manifest; errors of the take and the store
   */
  erase(recordingId: string, participantId: string): Promise<void>
  /**
   * Ends: `finish` stops every recording and waits until all outputs are there; `abandon` lets them lie, as a crash
   * would, for the next recorder on this folder.
   */
  close(options?: { readonly mode?: 'finish' | 'abandon' }): Promise<void>
}

/** Live outputs are made in batches of so much: a segment takes seconds, and hundreds of recordings share the event loop. */
const LIVE_DELAY_MS = 200
/** An id in file names and keys: nothing that any of them would change. */
const RECORDING_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/**
 * Opens a recorder. Recordings that a crash left in `journalDir` are found and repaired before this resolves; their
 * outputs are made in the background (`recovered`).
 * @throws ConfigurationError naming the field; RecorderError `RECORDER_JOURNAL`
 */
export async function createRecorder(options: RecorderOptions): Promise<Recorder> {
  checkSettings(options, '')
  for (const field of ['maxRecordings', 'maxRenders', 'maxAttempts', 'linkExpiresIn', 'statsIntervalMs'] as const) {
    const value = options[field]
    if (value !== undefined && !(value > 0)) throw new ConfigurationError(field, 'must be greater than 0', value)
  }
  if (typeof options.store?.put !== 'function') throw new ConfigurationError('store', 'must be a store', options.store)
  if (typeof options.journalDir !== 'string' || options.journalDir === '') {
    throw new ConfigurationError('journalDir', 'must be a folder on a local disk', options.journalDir)
  }
  const recorder = new DiskRecorder(options)
  recorder.check({ recordingId: 'check', roomId: 'check', settings: mergeSettings(options, {}) })
  await recorder.open()
  if (options.naming?.distinct === false) {
    options.logger?.warn(
      'by this naming rule two recordings may have one name, and the later then takes the place of the earlier',
      { elements: options.naming.elements },
    )
  }
  return recorder
}

class DiskRecorder implements Recorder {
  readonly #options: RecorderOptions
  readonly #surroundings: RecorderSurroundings
  readonly #running = new Map<string, Recording>()
  /** Ids of recordings that are just being started. */
  readonly #starting = new Set<string>()
  readonly #startingRooms = new Set<string>()
  readonly #all = new Set<Recording>()
  readonly #closing = new AbortController()
  /** Aborts live renders where the recorder lets everything lie. */
  readonly #abandoned = new AbortController()
  readonly #disk: DiskThread = createDiskThread()
  #lock: TakeLock | undefined
  #budget: JournalBudget | undefined
  #recovered: Promise<readonly RecoveredRecording[]> = Promise.resolve([])

  constructor(options: RecorderOptions) {
    this.#options = options
    // Every recording listens: there is no leak to warn of.
    setMaxListeners(0, this.#closing.signal, this.#abandoned.signal)
    const turns = new Turns(options.maxRenders ?? 2)
    const { notify = [] } = options
    this.#surroundings = {
      store: options.store,
      naming: options.naming ?? template('{recordingId}/{participantId}'),
      scratchDir: options.scratchDir,
      notifiers: Array.isArray(notify) ? notify : [notify],
      clock: options.clock ?? monotonicClock,
      now: options.now ?? Date.now,
      logger: options.logger ?? silentLogger,
      statsIntervalMs: options.statsIntervalMs ?? 5000,
      linkExpiresIn: options.linkExpiresIn ?? 604_800,
      maxAttempts: options.maxAttempts ?? 4,
      turn: (work) => turns.take(work),
      closing: this.#closing.signal,
    }
  }

  async open(): Promise<void> {
    const { journalDir, disk } = this.#options
    const { clock, now } = this.#surroundings
    try {
      await mkdir(journalDir, { recursive: true })
      // Another recorder would take what this one is just finishing for what a crash left.
      this.#lock = await lockJournal(journalDir)
      this.#budget = await createJournalBudget({
        dir: journalDir,
        ...disk,
        clock,
        now,
        deletable: () => finishedTakes(journalDir),
        onPressure: (pressure) => this.#pressed(pressure),
      })
      this.#recovered = (await recoverAll(journalDir, this.#surroundings)).finished
      // Whoever does not wait reads of it in the events and the log.
      this.#recovered.catch(() => {})
    } catch (cause) {
      await this.#lock?.release()
      if (cause instanceof ConfigurationError) throw cause
      const { message } = cause as Error
      throw new RecorderError('RECORDER_JOURNAL', `the journal in ${journalDir} cannot be used: ${message}`, { cause })
    }
  }

  get recordings(): readonly Recording[] {
    return [...this.#all]
  }

  get budget(): JournalBudget {
    return this.#budget as JournalBudget
  }

  get recovered(): Promise<readonly RecoveredRecording[]> {
    return this.#recovered
  }

  ofRoom(roomId: string): Recording | undefined {
    return this.#running.get(roomId)
  }

  async start(options: StartOptions): Promise<Recording> {
    const { roomId } = options
    if (typeof roomId !== 'string' || roomId === '') throw new ConfigurationError('roomId', 'must be given', roomId)
    checkSettings(options, '')
    const settings = mergeSettings(this.#options, options)
    const recordingId = options.recordingId ?? this.#newId()
    if (!RECORDING_ID.test(recordingId)) {
      throw new ConfigurationError('recordingId', 'must be letters, digits, . _ - and at most 128 of them', recordingId)
    }
    this.check({ recordingId, roomId, settings })
    this.#admitNow(roomId, recordingId)
    this.#starting.add(recordingId)
    this.#startingRooms.add(roomId)
    try {
      const admission = await this.budget.admit()
      if (!admission.ok) throw new RecorderError('RECORDER_REFUSED', admission.message, { recordingId })
      return await this.#begin(recordingId, roomId, settings, options.sessionId)
    } finally {
      this.#starting.delete(recordingId)
      this.#startingRooms.delete(roomId)
    }
  }

  /** A bad plan fails at once, before anything is on the disk. */
  check(recording: {
    readonly recordingId: string
    readonly roomId: string
    readonly settings: RecordingSettings
  }): void {
    checkPlan(planOf(recording, this.#surroundings.naming), { growing: recording.settings.live !== false })
  }

  #admitNow(roomId: string, recordingId: string): void {
    if (this.#closing.signal.aborted) throw new RecorderError('RECORDER_CLOSED', 'the recorder is closing')
    if (this.#running.has(roomId) || this.#startingRooms.has(roomId)) {
      throw new RecorderError('RECORDER_ROOM_BUSY', `room ${roomId} is being recorded; stop that recording first`)
    }
    if (this.#starting.has(recordingId)) {
      throw new RecorderError('RECORDER_ID_TAKEN', `recording ${recordingId} is just being started`, { recordingId })
    }
    const max = this.#options.maxRecordings ?? Number.POSITIVE_INFINITY
    if (this.#running.size + this.#starting.size >= max) {
      throw new RecorderError('RECORDER_REFUSED', `there are ${max} recordings already, which is maxRecordings`)
    }
  }

  async #begin(
    recordingId: string,
    roomId: string,
    settings: RecordingSettings,
    sessionId: string | undefined,
  ): Promise<Recording> {
    const { clock, now, logger } = this.#surroundings
    const dir = join(this.#options.journalDir, recordingId)
    const startUs = clock.nowUs()
    const startedAt = new Date(now()).toISOString()
    const session: NewSession & {
      readonly recorder: { readonly settings: RecordingSettings; readonly sessionId?: string }
    } = {
      recordingId,
      roomId,
      startedAt,
      recorder: { settings, ...(sessionId === undefined ? undefined : { sessionId }) },
    }
    const writer = await this.#createWriter(dir, session, recordingId)
    const feed = new Feed<RecordingSignal>((error) => logger.error('a listener threw', { recordingId, error }))
    const events = await EventJournal.open(
      join(dir, EVENT_JOURNAL_FILE),
      { recordingId, roomId },
      {
        tell: (event) => this.#told(event, feed),
        onFailure: (error) => logger.error('an event could not be journalled', { recordingId, error }),
      },
    )
    const source =
      settings.live === false
        ? undefined
        : createLiveSource({ recordingId, roomId, startedAt }, { startUs, clock, maxDelayMs: LIVE_DELAY_MS })
    const recording = new Recording({
      recordingId,
      roomId,
      settings,
      startUs,
      writer,
      source,
      events,
      feed,
      surroundings: this.#surroundings,
      finish: (stopped) => this.#finish(stopped, writer, events, live),
    })
    const live = source === undefined ? undefined : this.#renderLive(source, recording)
    this.#running.set(roomId, recording)
    this.#all.add(recording)
    recording.tell('START', { settings: settings as never })
    // START is on the disk, and with the notifiers, before anybody can add a track.
    await events.settled()
    return recording
  }

  async #createWriter(dir: string, session: NewSession, recordingId: string): Promise<TakeWriter> {
    const { clock, logger } = this.#surroundings
    const { sync } = this.#options
    try {
      return await createTakeWriter(dir, session, {
        clock,
        budget: this.budget,
        fileSystem: this.#disk,
        ...(sync === undefined ? undefined : { sync }),
        onError: (error) => logger.error('the journal cannot be written; it is tried again', { recordingId, error }),
      })
    } catch (cause) {
      if ((cause as { code?: unknown }).code === 'TAKE_EXISTS') {
        throw new RecorderError('RECORDER_ID_TAKEN', `there is a recording ${recordingId} already`, {
          cause,
          recordingId,
        })
      }
      throw new RecorderError('RECORDER_JOURNAL', `a journal cannot be begun: ${(cause as Error).message}`, {
        cause,
        recordingId,
      })
    }
  }

  /** Resolves with the manifest, or with what went wrong: then the outputs are made from the journal. */
  async #renderLive(source: LiveSource, recording: Recording): Promise<Rendered | { readonly error: unknown }> {
    const { recordingId } = recording
    try {
      return await renderTelling(source, recording.folder, recording, this.#surroundings, this.#abandoned.signal)
    } catch (error) {
      if (this.#abandoned.signal.aborted) return { error }
      const isEmpty = (error as { code?: unknown }).code === 'RENDER_NO_MEDIA'
      if (!isEmpty) {
        this.#surroundings.logger.warn('the live outputs failed; they will be made from the journal', {
          recordingId,
          error,
        })
        recording.tell('WARNING', { code: 'LIVE_FAILED', message: (error as Error).message })
      }
      return { error }
    }
  }

  async #finish(
    recording: Recording,
    writer: TakeWriter,
    events: EventJournal,
    live: Promise<Rendered | { readonly error: unknown }> | undefined,
  ): Promise<Manifest> {
    const { roomId, folder } = recording
    if (this.#running.get(roomId) === recording) this.#running.delete(roomId)
    const teller = Object.assign(tellerOf(recording), { settled: () => events.settled() })
    try {
      await this.#finishJournal(writer)
      const rendered = await live
      const outputs =
        rendered === undefined || 'error' in rendered
          ? await renderJournal(folder, teller, this.#surroundings)
          : rendered
      await conclude(folder, teller, outputs, this.#surroundings)
      return outputs.manifest
    } catch (error) {
      // Abandoned: the next recorder on this folder finishes it, and tells so.
      if (!this.#closing.signal.aborted) {
        const { code, message } = error as { code?: string; message: string }
        recording.tell('ERROR', { code: code ?? 'RECORDING_FAILED', message, fatal: true })
        await events.settled()
      }
      throw error
    } finally {
      this.#all.delete(recording)
    }
  }

  /** A disk that is full or stalls is waited for: what is in memory is still to be written. */
  async #finishJournal(writer: TakeWriter): Promise<void> {
    const { clock, maxAttempts } = this.#surroundings
    for (let attempt = 1; ; attempt++) {
      try {
        await writer.finish()
        return
      } catch (error) {
        if (attempt >= maxAttempts || this.#closing.signal.aborted) throw error
        await new Promise<void>((resolve) => void clock.schedule(clock.nowUs() + 2 ** attempt * 1_000_000, resolve))
      }
    }
  }

  async #told(event: RecordingEvent, feed: Feed<RecordingSignal>): Promise<void> {
    feed.push(event)
    await notifyAll(this.#surroundings, event)
  }

  /** Space runs out, or is back: every recording that runs says so. */
  #pressed({ type, step, cause, message }: JournalPressure): void {
    this.#surroundings.logger.warn(message, { type, step, cause })
    for (const recording of this.#running.values()) {
      recording.tell('WARNING', { code: 'JOURNAL_PRESSURE', pressure: type, step, cause, message })
    }
  }

  async erase(recordingId: string, participantId: string): Promise<void> {
    if ([...this.#all].some((recording) => recording.recordingId === recordingId)) {
      throw new RecorderError('RECORDER_NOT_FOUND', `recording ${recordingId} has not ended`, { recordingId })
    }
    await eraseFromOutputs(join(this.#options.journalDir, recordingId), recordingId, participantId, this.#options.store)
  }

  async close({ mode = 'finish' }: { readonly mode?: 'finish' | 'abandon' } = {}): Promise<void> {
    if (mode === 'finish') {
      const stopping = [...this.#all].map((recording) => recording.stop('shutdown'))
      await Promise.allSettled([...stopping, this.#recovered])
      this.#closing.abort()
    } else {
      this.#closing.abort()
      this.#abandoned.abort()
      await Promise.allSettled([...this.#all].map((recording) => recording.abandon()))
      await Promise.allSettled([this.#recovered])
    }
    await this.#disk.close()
    await this.#lock?.release()
  }

  #newId(): string {
    const at = new Date(this.#surroundings.now()).toISOString().replaceAll(/[-:]/g, '').slice(0, 15)
    return `${at}-${randomBytes(6).toString('hex')}`
  }
}

function tellerOf(recording: Recording) {
  const { recordingId, roomId, settings } = recording
  return { recordingId, roomId, settings, tell: recording.tell.bind(recording) }
}
