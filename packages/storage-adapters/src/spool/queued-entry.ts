import type { StoreError } from '../errors.js'
import type { TransferCheckpoint } from '../store.js'
import { foldersOf } from './index-rule.js'
import type { SpoolEntry } from './spool-entry.js'

/** How an entry is ordered: a plain object, an index that is put for the first time, or one that is put again. */
export type EntryRank = 'plain' | 'first' | 'again'

/** What a lane does: nothing can go; it waits for a slot, for a time; is under way; is in doubt; was given up. */
export type LaneState = 'idle' | 'ready' | 'delayed' | 'sending' | 'held' | 'failed'

/** What is to be done to one key, in order: one thing at a time, so that a version never goes backwards. */
export class Lane {
  readonly key: string
  readonly entries: QueuedEntry[] = []
  state: LaneState = 'idle'
  sending: QueuedEntry | undefined
  /** Failures in a row. */
  failures = 0
  /** For `delayed`, and for `failed` where it is tried again by itself. */
  dueMs = 0
  error: StoreError | undefined

  constructor(key: string) {
    this.key = key
  }

  /** The index that nobody has seen yet, as far as the spool knows. */
  get first(): QueuedEntry | undefined {
    return this.entries.find(({ rank }) => rank === 'first')
  }

  /** The newest entry. */
  get newest(): QueuedEntry | undefined {
    return this.entries.at(-1)
  }

  /** What may go next: the newest version whose needs are met, before the next delete. */
  candidate(): QueuedEntry | undefined {
    const head = this.entries[0]
    if (head?.kind !== 'put') return head?.isFree === true ? head : undefined
    let found: QueuedEntry | undefined
    for (const entry of this.entries) {
      if (entry.kind === 'delete') break
      if (entry.isFree) found = entry
    }
    return found
  }
}

/** An entry in the queue. */
export class QueuedEntry implements SpoolEntry {
  readonly id: number
  readonly kind: 'put' | 'delete'
  readonly key: string
  readonly bytes: number
  readonly putAtMs: number
  readonly contentType?: string
  readonly cacheControl?: string
  checkpoint?: TransferCheckpoint
  readonly lane: Lane
  readonly sequence: number
  readonly rank: EntryRank
  /** The folder that the objects lie in to which an index may refer. */
  readonly scope: string
  /** Nothing that it needs is unfinished. */
  isFree = false
  /** Stored, deleted, or replaced by a newer version. */
  isDone = false
  /** Those that look again once this one is done. */
  waiters: QueuedEntry[] | undefined

  constructor(entry: SpoolEntry, lane: Lane, sequence: number, rank: EntryRank, scope: string) {
    this.id = entry.id
    this.kind = entry.kind
    this.key = lane.key
    this.bytes = entry.bytes
    this.putAtMs = entry.putAtMs
    if (entry.contentType !== undefined) this.contentType = entry.contentType
    if (entry.cacheControl !== undefined) this.cacheControl = entry.cacheControl
    if (entry.checkpoint !== undefined) this.checkpoint = entry.checkpoint
    this.lane = lane
    this.sequence = sequence
    this.rank = rank
    this.scope = scope
  }

  /** The folders that the key lies in. */
  folders(): string[] {
    return foldersOf(this.key)
  }
}
