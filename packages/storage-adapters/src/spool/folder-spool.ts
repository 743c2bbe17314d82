import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { addAbortSignal, type Readable } from 'node:stream'
import { ConfigurationError } from '@rushes/media'
import { StoreError } from '../errors.js'
import { systemCode } from '../local/system-error.js'
import type {
  ProbeReport,
  PutFileOptions,
  PutOptions,
  Store,
  StoreBody,
  StoreCapabilities,
  Stored,
  StoreEntry,
  StoreUrl,
  TransferCheckpoint,
} from '../store.js'
import { throwIfAborted } from '../store-body.js'
import { checkStoreKey } from '../store-key.js'
import { withFileStream } from '../with-file-stream.js'
import { asStoreError } from './error-class.js'
import { EventFeed } from './event-feed.js'
import type { QueuedEntry } from './queued-entry.js'
import { SettleWatches } from './settle-watches.js'
import type { Spool, WaitingEntry } from './spool.js'
import { closedSpool, SpoolDisk, type WriteBody } from './spool-disk.js'
import type { SpoolEntry } from './spool-entry.js'
import type { SpoolEvent } from './spool-event.js'
import { plainFileBytes } from './spool-files.js'
import { type LocalFact, mergeLists } from './spool-list.js'
import { lockSpool, type SpoolLock } from './spool-lock.js'
import type { SpoolSettings } from './spool-options.js'
import { SpoolQueue } from './spool-queue.js'
import type { SpoolStats } from './spool-stats.js'
import { SpoolTime } from './spool-time.js'
import { Throughput } from './throughput.js'
import { Transfers } from './transfer.js'

/** The spool in a folder: puts the queue, the disk and the transfers together. */
export class FolderSpool implements Spool {
  readonly name: string
  readonly capabilities: StoreCapabilities
  readonly get?: NonNullable<Store['get']>
  readonly list?: NonNullable<Store['list']>
  readonly delete?: NonNullable<Store['delete']>
  readonly #settings: SpoolSettings
  readonly #store: Store
  readonly #time: SpoolTime
  readonly #queue: SpoolQueue
  readonly #disk: SpoolDisk
  readonly #transfers: Transfers
  readonly #watches = new SettleWatches()
  readonly #feed = new EventFeed<SpoolEvent>()
  readonly #throughput = new Throughput()
  readonly #running = new Map<QueuedEntry, { readonly controller: AbortController; ended: Promise<void> }>()
  readonly #failures: Partial<Record<StoreError['code'], number>> = {}
  readonly #counts = { accepted: 0, stored: 0, storedBytes: 0, deleted: 0, replaced: 0 }
  #lock: SpoolLock | undefined
  #state: SpoolQueue['state'] = 'running'
  #isIdle = true
  /** What a former process left has been read. */
  #isOpen = false
  #closed: Promise<void> | undefined

  constructor(settings: SpoolSettings) {
    const { store, dir } = settings
    this.#settings = settings
    this.#store = store
    this.name = `spool ${dir} for ${store.name}`
    const { get, list, delete: remove, signedUrls } = store.capabilities
    this.capabilities = { get, list, delete: remove, signedUrls }
    if (store.get !== undefined) this.get = (key, options = {}) => this.#get(key, options)
    if (store.list !== undefined) this.list = (prefix = '', options = {}) => this.#list(prefix, options)
    if (store.delete !== undefined) this.delete = (key, options = {}) => this.#delete(key, options)
    this.#time = new SpoolTime(settings.clock, settings.wallNowMs)
    this.#queue = new SpoolQueue(settings)
    this.#disk = new SpoolDisk(settings, this.#time, this.#queue, {
      admitted: (entry) => this.#admitted(entry),
      keptMore: () => this.#pump(),
    })
    this.#transfers = new Transfers(store, this.#disk.files, this.#time, settings)
  }

  /** Takes the folder, reads what is in it, and begins. */
  async open(): Promise<void> {
    const { dir } = this.#settings
    this.#lock = await lockSpool(dir, () => void this.close())
    try {
      await this.#disk.open()
    } catch (error) {
      await this.#lock.release()
      if (error instanceof ConfigurationError) throw error
      throw new ConfigurationError('dir', `cannot be used: ${systemCode(error) ?? String(error)}`, dir)
    }
    this.#isOpen = true
    this.#isIdle = this.#queue.size === 0
    this.#pump()
  }

  get events(): AsyncIterable<SpoolEvent> {
    return this.#feed
  }

  on(listener: (event: SpoolEvent) => void): () => void {
    return this.#feed.listen(listener)
  }

  get stats(): SpoolStats {
    const nowMs = this.#time.nowMs()
    const [oldest] = this.#queue.entries()
    return {
      ...this.#counts,
      ...this.#disk.counts,
      state: this.#closed === undefined ? this.#queue.state : 'closed',
      waiting: this.#queue.size,
      waitingBytes: this.#queue.bytes,
      oldestAgeMs: oldest === undefined ? 0 : Math.max(0, nowMs - oldest.putAtMs),
      uploading: this.#queue.sending.size,
      givenUp: this.#queue.failed.size,
      diskBytes: this.#disk.bytes,
      keptCopies: this.#disk.kept.size,
      keptBytes: this.#disk.kept.bytes,
      failures: { ...this.#failures },
      stalled: this.#transfers.stalled,
      bytesPerSecond: this.#throughput.bytesPerSecond(nowMs),
      droppedEvents: this.#feed.dropped,
    }
  }

  *entries(): Generator<WaitingEntry, undefined> {
    for (const { kind, key, bytes, putAtMs, lane } of this.#queue.entries()) {
      const { state, failures: attempts, error } = lane
      yield { kind, key, bytes, putAtMs, state, attempts, ...(error === undefined ? {} : { code: error.code }) }
    }
  }

  locationOf(key: string): string {
    return this.#store.locationOf(key)
  }

  urlFor(key: string, options?: { readonly expiresIn?: number }): Promise<StoreUrl> {
    return this.#store.urlFor(key, options)
  }

  probe(options: { readonly name: string; readonly signal?: AbortSignal }): Promise<ProbeReport> {
    return this.#store.probe(options)
  }

  async put(key: string, body: StoreBody, options: PutOptions = {}): Promise<Stored> {
    return this.#put(key, options, (id, reserve) => this.#disk.files.write(id, body, options, reserve))
  }

  async putFile(key: string, path: string, options: PutFileOptions = {}): Promise<Stored> {
    this.#check(key, options.signal)
    const size = await plainFileBytes(path).catch((cause: unknown) => cannotRead(path, key, cause))
    const stored = await this.#put(key, options, async (id, reserve) => {
      if (size === undefined || options.sha256 === true) {
        const file = createReadStream(path, { highWaterMark: 1_048_576 })
        return withFileStream(file, (body) => this.#disk.files.write(id, body, options, reserve))
      }
      await reserve(size)
      await this.#disk.files.adopt(id, path, options.move === true)
      return { bytes: size }
    })
    if (options.move === true) await rm(path, { force: true })
    return stored
  }

  async settled(prefix = '', options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    throwIfAborted(options.signal)
    let before = 0
    let remaining = 0
    for (const entry of this.#queue.entries()) {
      if (!entry.key.startsWith(prefix)) continue
      const { state, error } = entry.lane
      if (state === 'failed' && error !== undefined) throw error
      before = entry.sequence + 1
      remaining += 1
    }
    if (remaining === 0) return
    if (this.#queue.blockedBy !== undefined) throw this.#queue.blockedBy
    if (this.#closed !== undefined) throw closedSpool(this.#settings)
    await this.#watches.wait(prefix, before, remaining, options.signal)
  }

  async drain(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    while (this.#queue.size > 0) await this.settled('', options)
    await this.#disk.finished()
  }

  retry(): void {
    this.#queue.retry(this.#time.nowMs())
    this.#pump()
  }

  async discard(key: string): Promise<boolean> {
    const dropped = this.#queue.dropFailed(key)
    await this.#drop(dropped)
    this.#pump()
    return dropped.length > 0
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#time.wakeAt(undefined, () => {})
    this.#watches.failedAll(closedSpool(this.#settings))
    const reason = closedSpool(this.#settings)
    for (const { controller } of this.#running.values()) controller.abort(reason)
    await Promise.all([...this.#running.values()].map(({ ended }) => ended))
    await this.#disk.close()
    await this.#lock?.release()
    this.#feed.end()
    await this.#store.close?.()
  }

  // Accepting

  #check(key: string, signal: AbortSignal | undefined): void {
    checkStoreKey(key)
    // Where the store has rules of its own, they are heard now and not when nobody listens any more.
    this.#store.locationOf(key)
    throwIfAborted(signal)
    if (this.#closed !== undefined) throw closedSpool(this.#settings)
  }

  async #put(key: string, options: PutOptions, write: WriteBody): Promise<Stored> {
    this.#check(key, options.signal)
    const { bytes, sha256 } = await this.#disk.accept(key, options, write)
    return { bytes, location: this.locationOf(key), ...(sha256 === undefined ? {} : { sha256 }) }
  }

  #admitted(entry: SpoolEntry): void {
    this.#isIdle = false
    const { replaced } = this.#queue.add(entry)
    void this.#drop(replaced)
    if (!this.#isOpen) return
    this.#counts.accepted += 1
    this.#pump()
  }

  // Sending

  #pump(): void {
    if (this.#closed !== undefined) return
    const nowMs = this.#time.nowMs()
    for (let entry = this.#queue.next(nowMs); entry !== undefined; entry = this.#queue.next(nowMs)) this.#begin(entry)
    this.#tellState()
    const freeMs = this.#disk.freeDue(nowMs)
    if (this.#queue.size === 0 && !this.#isIdle) {
      this.#isIdle = true
      this.#feed.push({ type: 'idle' })
    }
    const deadlines = [this.#queue.nextDeadline(), freeMs].filter((each) => each !== undefined)
    this.#time.wakeAt(deadlines.length === 0 ? undefined : Math.min(...deadlines), () => this.#pump())
  }

  #begin(entry: QueuedEntry): void {
    const controller = new AbortController()
    const running = { controller, ended: Promise.resolve() }
    this.#running.set(entry, running)
    const onCheckpoint = async (checkpoint: TransferCheckpoint): Promise<void> => {
      if (entry.isDone || this.#closed !== undefined) return
      entry.checkpoint = checkpoint
      await this.#disk.note({ kind: 'checkpoint', id: entry.id, checkpoint })
    }
    running.ended = this.#transfers.run(entry, controller.signal, onCheckpoint).then(
      (stored) => this.#done(entry, stored),
      (error: unknown) => this.#fail(entry, asStoreError(error, entry.key)),
    )
  }

  #done(entry: QueuedEntry, stored: Stored | undefined): void {
    this.#running.delete(entry)
    const nowMs = this.#time.nowMs()
    const { replaced, givenUp } = this.#queue.done(entry, nowMs)
    void this.#drop(replaced)
    void this.#disk.finish(entry, false)
    this.#watches.done(entry)
    if (stored === undefined) {
      this.#counts.deleted += 1
      this.#feed.push({ type: 'deleted', key: entry.key })
    } else {
      this.#counts.stored += 1
      this.#counts.storedBytes += entry.bytes
      this.#throughput.add(entry.bytes, nowMs)
      const { key, bytes, putAtMs } = entry
      const afterMs = Math.max(0, nowMs - putAtMs)
      const { location } = stored
      this.#feed.push({ type: 'stored', key, bytes, location, afterMs, replaced: replaced.length })
    }
    if (givenUp !== undefined) this.#tellFailed(givenUp.key, givenUp.error)
    this.#pump()
  }

  #fail(entry: QueuedEntry, error: StoreError): void {
    this.#running.delete(entry)
    if (this.#closed !== undefined) {
      this.#queue.release(entry)
      return
    }
    this.#failures[error.code] = (this.#failures[error.code] ?? 0) + 1
    const { outcome, delayMs, attempts } = this.#queue.fail(entry, error, this.#time.nowMs())
    const { key } = entry
    const { code, message } = error
    if (outcome === 'retry') this.#feed.push({ type: 'retrying', key, code, message, attempts, delayMs })
    if (outcome === 'given-up') this.#tellFailed(key, error)
    this.#pump()
  }

  #tellFailed(key: string, error: StoreError): void {
    const { code, message } = error
    this.#feed.push({ type: 'failed', key, code, message })
    const newest = this.#queue.newest(key)
    if (newest === undefined) return
    const [oldest = newest] = newest.lane.entries
    void this.#disk.note({ kind: 'failed', id: newest.id, code, message })
    this.#watches.failed(key, oldest.sequence, error)
  }

  #tellState(): void {
    const before = this.#state
    const { state, blockedBy, downBy } = this.#queue
    if (state === before) return
    this.#state = state
    if (state === 'running') {
      this.#feed.push({ type: 'resumed' })
      return
    }
    const error = blockedBy ?? downBy
    // Somebody asked to try again: what comes of it will be told.
    if (error === undefined || (before === 'blocked' && state === 'unavailable')) return
    const { code, message } = error
    this.#feed.push({ type: 'blocked', code, message, retryable: state === 'unavailable' })
    if (state === 'blocked') this.#watches.failedAll(error)
  }

  // Tidying up

  /** Versions that nobody will send. */
  async #drop(replaced: readonly QueuedEntry[]): Promise<void> {
    this.#counts.replaced += replaced.length
    const finished = replaced.map((entry) => {
      this.#watches.done(entry)
      if (entry.checkpoint !== undefined) {
        void this.#store.abandon?.(entry.key, entry.checkpoint).catch(() => {})
      }
      return this.#disk.finish(entry, true)
    })
    await Promise.all(finished)
  }

  // Reading

  async #get(key: string, options: { readonly signal?: AbortSignal }): Promise<Readable> {
    checkStoreKey(key)
    throwIfAborted(options.signal)
    const newest = this.#queue.newest(key)
    if (newest?.kind === 'delete') throw new StoreError('STORE_NOT_FOUND', `there is no object ${key}`, { key })
    const id = newest?.id ?? this.#disk.kept.get(key)?.id
    if (id !== undefined) {
      // It may have been stored and let go at this very moment.
      const handle = await this.#disk.files.open(id).catch(() => undefined)
      if (handle !== undefined) {
        const stream = handle.createReadStream({ highWaterMark: 262_144 })
        return options.signal === undefined ? stream : addAbortSignal(options.signal, stream)
      }
    }
    return (this.#store as Required<Pick<Store, 'get'>>).get(key, options)
  }

  #list(prefix: string, options: { readonly signal?: AbortSignal }): AsyncIterable<StoreEntry> {
    const facts = new Map<string, LocalFact>()
    for (const { key, kind, bytes, putAtMs } of this.#queue.entries()) {
      if (!key.startsWith(prefix)) continue
      facts.set(key, kind === 'delete' ? { key, bytes: undefined } : { key, bytes, modifiedAtMs: putAtMs })
    }
    const stored = (this.#store as Required<Pick<Store, 'list'>>).list(prefix, options)
    return mergeLists(stored, [...facts.values()])
  }

  async #delete(key: string, options: { readonly signal?: AbortSignal }): Promise<void> {
    this.#check(key, options.signal)
    void this.#drop(this.#queue.dropFailed(key))
    await this.#disk.acceptDelete(key)
  }
}

function cannotRead(path: string, key: string, cause: unknown): never {
  throw new StoreError('STORE_BODY_FAILED', `${path} cannot be read`, { cause, key })
}
