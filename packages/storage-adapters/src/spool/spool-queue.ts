import { DeadlineHeap, delayMs } from '@rushes/media'
import type { StoreError } from '../errors.js'
import type { SpoolBackOff } from './back-off.js'
import { Circuit, type CircuitState } from './circuit.js'
import { classify } from './error-class.js'
import { FolderOrder } from './folder-order.js'
import { type EntryRank, Lane, QueuedEntry } from './queued-entry.js'
import { ReadyLanes } from './ready-lanes.js'
import type { SpoolEntry } from './spool-entry.js'

/** Waiting versions of one index; beyond that the last but one goes. A version per segment would fill the disk. */
const MAX_VERSIONS = 16
/** Keys that are remembered after they were stored, so that one that is put again is known as such. */
const KNOWN_KEYS = 10_000

/** How the queue decides. */
export interface SpoolQueueOptions {
  /** Transfers at the same time. */
  readonly concurrency: number
  readonly backOff: SpoolBackOff
  /** A store that refuses is tried again after so many milliseconds; `Infinity`: never by itself. */
  readonly resumeAfterMs: number
  readonly isIndex: (key: string, facts: { readonly contentType?: string }) => boolean
  /** The folder, with a slash at its end or empty, under which everything lies that an index may refer to. */
  readonly scopeOf: (key: string) => string
  /** Numbers from 0 to less than 1. */
  readonly random: () => number
}

/** What became of a transfer that ended well. */
export interface DoneResult {
  /** Older versions that need not be sent any more. */
  readonly replaced: readonly QueuedEntry[]
  /** A key that the store refuses while it takes others: it was given up. */
  readonly givenUp?: { readonly key: string; readonly error: StoreError }
}

/** What became of a transfer that failed. */
export interface FailedResult {
  /** The key is tried again; was given up; is held until another one was tried. */
  readonly outcome: 'retry' | 'given-up' | 'held'
  /** Milliseconds until then, where the key and not the store sets the pace. */
  readonly delayMs: number
  /** The failures of this key in a row. */
  readonly attempts: number
}

/**
 * Decides what is sent when: the rules of order, of patience and of who is to blame, without a clock, a file or chance
 * of its own. Whoever adds entries bounds them; each takes about half a kilobyte.
 *
 * Order. Of one key, one thing at a time, in order; versions that wait are replaced by the newest that may go. An index
 * is sent after all plain objects that came before it in its scope. The first version of an index also waits for every
 * other index before it; a later one waits only until those exist. A delete waits for every index before it that may
 * refer to the key.
 */
export class SpoolQueue {
  readonly #options: SpoolQueueOptions
  readonly #circuit: Circuit
  readonly #lanes = new Map<string, Lane>()
  readonly #entries = new Set<QueuedEntry>()
  readonly #folders = new FolderOrder()
  readonly #ready = new ReadyLanes()
  readonly #delayed = new DeadlineHeap<Lane>()
  readonly #failed = new Set<Lane>()
  readonly #sending = new Set<QueuedEntry>()
  readonly #known = new Set<string>()
  #sequence = 0
  #bytes = 0

  constructor(options: SpoolQueueOptions) {
    this.#options = options
    const { concurrency, backOff, resumeAfterMs, random } = options
    this.#circuit = new Circuit(concurrency, backOff, resumeAfterMs, random)
  }

  /** Entries that are not done, those under way included. */
  get size(): number {
    return this.#entries.size
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /** Transfers under way. */
  get sending(): ReadonlySet<QueuedEntry> {
    return this.#sending
  }

  /** Keys that were given up. */
  get failed(): ReadonlySet<Lane> {
    return this.#failed
  }

  get state(): CircuitState {
    return this.#circuit.state
  }

  /** Why nothing is sent, where the store refuses. */
  get blockedBy(): StoreError | undefined {
    return this.#circuit.blockedBy
  }

  /** Why only trials are sent, where the store is down. */
  get downBy(): StoreError | undefined {
    return this.#circuit.downBy
  }

  /** All entries, oldest first. */
  entries(): IterableIterator<QueuedEntry> {
    return this.#entries.values()
  }

  /** The newest entry of a key. */
  newest(key: string): QueuedEntry | undefined {
    return this.#lanes.get(key)?.newest
  }

  /** Puts an entry behind all others. Gives what it makes superfluous. */
  add(entry: SpoolEntry): { readonly added: QueuedEntry; readonly replaced: readonly QueuedEntry[] } {
    let lane = this.#lanes.get(entry.key)
    if (lane === undefined) {
      lane = new Lane(entry.key)
      this.#lanes.set(entry.key, lane)
    }
    const rank = this.#rankOf(entry, lane)
    const scope = rank === 'plain' ? '' : this.#options.scopeOf(entry.key)
    const added = new QueuedEntry(entry, lane, this.#sequence, rank, scope)
    this.#sequence += 1
    this.#bytes += added.bytes
    this.#entries.add(added)
    lane.entries.push(added)
    this.#folders.add(added)
    this.#know(entry)
    if (lane.state === 'failed') this.#revive(lane, 0)
    const replaced = this.#thin(lane)
    this.#look(added)
    if (lane.state === 'idle') this.#enqueue(lane)
    return { added, replaced }
  }

  /** Begins the next transfer, or gives `undefined` when nothing may go. */
  next(nowMs: number): QueuedEntry | undefined {
    this.#promote(nowMs)
    this.#judge(nowMs)
    if (!this.#circuit.canBegin(nowMs, this.#sending.size)) return undefined
    for (let lane = this.#ready.shift(); lane !== undefined; lane = this.#ready.shift()) {
      const entry = lane.candidate()
      if (entry === undefined) {
        lane.state = 'idle'
        continue
      }
      lane.state = 'sending'
      lane.sending = entry
      this.#sending.add(entry)
      this.#circuit.began(lane)
      return entry
    }
    return undefined
  }

  /** When `next` may give something though nothing ends and nothing is added. */
  nextDeadline(): number | undefined {
    const delayedMs = this.#firstDelayed()?.dueMs
    const trialMs = this.#ready.size > 0 ? this.#circuit.nextDeadline() : undefined
    if (delayedMs === undefined) return trialMs
    return trialMs === undefined ? delayedMs : Math.min(delayedMs, trialMs)
  }

  /** Ends a transfer that `next` began: the store has it. */
  done(entry: QueuedEntry, nowMs: number): DoneResult {
    const lane = this.#end(entry)
    const alone = this.#circuit.succeeded(lane)
    const replaced = lane.entries.splice(0, lane.entries.indexOf(entry) + 1)
    lane.failures = 0
    lane.error = undefined
    for (const each of replaced) this.#finish(each)
    this.#settle(lane)
    replaced.pop()
    // One that has its second chance already takes it.
    if (alone === undefined || alone.lane.state === 'ready' || alone.lane.state === 'sending') return { replaced }
    this.#giveUp(alone.lane, alone.error)
    // Rights for single keys may be mended too.
    alone.lane.dueMs = nowMs + this.#options.resumeAfterMs
    if (alone.lane.dueMs < Infinity) this.#delayed.push(alone.lane, alone.lane.dueMs)
    return { replaced, givenUp: { key: alone.lane.key, error: alone.error } }
  }

  /** Ends a transfer that `next` began: the store does not have it. */
  fail(entry: QueuedEntry, error: StoreError, nowMs: number): FailedResult {
    const lane = this.#end(entry)
    lane.failures += 1
    lane.error = error
    const attempts = lane.failures
    const kind = classify(error)
    if (kind === 'object') {
      this.#circuit.released(lane)
      this.#giveUp(lane, error)
      return { outcome: 'given-up', delayMs: 0, attempts }
    }
    if (kind === 'object-retry') {
      this.#circuit.released(lane)
      return { outcome: 'retry', delayMs: this.#delay(lane, nowMs), attempts }
    }
    if (kind === 'store') {
      const isDown = this.#circuit.storeFailed(lane, error, nowMs)
      if (!isDown) return { outcome: 'retry', delayMs: this.#delay(lane, nowMs), attempts }
      // The trials set the pace: no key shall wait longer than that once the store is back.
      this.#enqueue(lane)
      return { outcome: 'retry', delayMs: 0, attempts }
    }
    const suspect = this.#circuit.suspect?.lane
    if (this.#circuit.refused(lane, error, kind === 'destination', nowMs) === 'held') lane.state = 'held'
    else {
      this.#enqueue(lane)
      // Its second chance may have come meanwhile: then it is in the row already.
      if (suspect?.state === 'held' || suspect?.state === 'delayed') this.#enqueue(suspect)
    }
    this.#judge(nowMs)
    return { outcome: 'held', delayMs: 0, attempts }
  }

  /** Takes a transfer that `next` began back, as if it had not begun. */
  release(entry: QueuedEntry): void {
    const lane = this.#end(entry)
    this.#circuit.released(lane)
    this.#enqueue(lane)
  }

  /** Somebody says that it is worth trying now: everything that failed, waits or is blocked. */
  retry(nowMs: number): void {
    this.#circuit.retry(nowMs)
    for (const lane of this.#lanes.values()) {
      if (lane.state !== 'failed' && lane.state !== 'delayed' && lane.state !== 'held') continue
      this.#revive(lane, 0)
      this.#enqueue(lane)
    }
  }

  /** Forgets versions of a key that was given up: it is to be deleted anyhow. */
  dropFailed(key: string): readonly QueuedEntry[] {
    const lane = this.#lanes.get(key)
    if (lane?.state !== 'failed') return []
    const dropped = lane.entries.splice(0)
    this.#revive(lane, 0)
    for (const entry of dropped) this.#finish(entry)
    this.#settle(lane)
    return dropped
  }

  #rankOf(entry: SpoolEntry, lane: Lane): EntryRank {
    const newest = lane.newest
    const again = newest === undefined ? this.#known.has(entry.key) : newest.kind === 'put'
    if (entry.kind === 'put' && again) return 'again'
    const facts = entry.contentType === undefined ? {} : { contentType: entry.contentType }
    if (!this.#options.isIndex(entry.key, facts)) return 'plain'
    return entry.kind === 'put' ? 'first' : 'again'
  }

  #know({ key, kind }: SpoolEntry): void {
    this.#known.delete(key)
    if (kind === 'delete') return
    this.#known.add(key)
    if (this.#known.size > KNOWN_KEYS) {
      const [oldest] = this.#known
      if (oldest !== undefined) this.#known.delete(oldest)
    }
  }

  /** The last but one of too many versions goes: never the oldest, for which others may wait, nor the newest. */
  #thin(lane: Lane): readonly QueuedEntry[] {
    const { entries } = lane
    const surplus = entries.at(-2)
    if (entries.length <= MAX_VERSIONS || surplus === undefined || surplus === lane.sending) return []
    if (entries.some(({ kind }) => kind === 'delete') || surplus.rank !== 'again') return []
    entries.splice(-2, 1)
    this.#finish(surplus)
    return [surplus]
  }

  /** Sees whether an entry may go, and if not, where it has to look again. */
  #look(entry: QueuedEntry): void {
    const needed = this.#folders.neededBy(entry)
    if (needed !== undefined) {
      needed.waiters ??= []
      needed.waiters.push(entry)
      return
    }
    entry.isFree = true
    if (entry.lane.state === 'idle') this.#enqueue(entry.lane)
  }

  #finish(entry: QueuedEntry): void {
    entry.isDone = true
    this.#entries.delete(entry)
    this.#bytes -= entry.bytes
    this.#folders.forget(entry)
    const waiters = entry.waiters ?? []
    entry.waiters = undefined
    for (const waiter of waiters) if (!waiter.isDone) this.#look(waiter)
  }

  #end(entry: QueuedEntry): Lane {
    const { lane } = entry
    if (lane.sending !== entry) throw new RangeError('this entry is not under way')
    lane.sending = undefined
    lane.state = 'idle'
    this.#sending.delete(entry)
    return lane
  }

  /** After entries left the lane. */
  #settle(lane: Lane): void {
    if (lane.entries.length > 0) {
      if (lane.state === 'idle') this.#enqueue(lane)
      return
    }
    this.#circuit.left(lane)
    this.#lanes.delete(lane.key)
  }

  #enqueue(lane: Lane): void {
    const entry = lane.candidate()
    lane.state = entry === undefined ? 'idle' : 'ready'
    if (entry !== undefined) this.#ready.push(lane, entry.rank !== 'plain')
  }

  #delay(lane: Lane, nowMs: number): number {
    const waitMs = delayMs(this.#options.backOff, lane.failures, this.#options.random)
    lane.state = 'delayed'
    lane.dueMs = nowMs + waitMs
    this.#delayed.push(lane, lane.dueMs)
    return waitMs
  }

  #promote(nowMs: number): void {
    for (let first = this.#firstDelayed(); first !== undefined && first.dueMs <= nowMs; first = this.#firstDelayed()) {
      this.#delayed.shift()
      this.#revive(first.value, first.value.failures)
      this.#enqueue(first.value)
    }
  }

  /** The lane that is due first; what has been overtaken by events leaves the heap. */
  #firstDelayed(): { readonly value: Lane; readonly dueMs: number } | undefined {
    for (;;) {
      const first = this.#delayed.peek()
      if (first === undefined) return undefined
      const { state, dueMs } = first.value
      if ((state === 'delayed' || state === 'failed') && dueMs === first.dueMs) return first
      this.#delayed.shift()
    }
  }

  #giveUp(lane: Lane, error: StoreError): void {
    lane.state = 'failed'
    lane.error = error
    lane.dueMs = Infinity
    this.#failed.add(lane)
  }

  #revive(lane: Lane, failures: number): void {
    this.#failed.delete(lane)
    lane.failures = failures
    lane.state = 'idle'
  }

  /** A suspect whom nobody can be compared with stands for all, until somebody comes. */
  #judge(nowMs: number): void {
    const suspect = this.#circuit.suspect?.lane
    if (suspect === undefined || this.#sending.size + this.#ready.size > 0 || this.#firstDelayed() !== undefined) return
    this.#circuit.convict(nowMs)
    const dueMs = nowMs + this.#options.resumeAfterMs
    if (dueMs === Infinity) return
    suspect.state = 'delayed'
    suspect.dueMs = dueMs
    this.#delayed.push(suspect, dueMs)
  }
}
