import type { PutFileOptions, Store, Stored } from '../store.js'
import type { LaneState } from './queued-entry.js'
import type { SpoolEvent } from './spool-event.js'
import type { SpoolStats } from './spool-stats.js'

/** An entry that waits, for inspection. */
export interface WaitingEntry {
  readonly kind: 'put' | 'delete'
  readonly key: string
  readonly bytes: number
  /** Milliseconds since 1970-01-01T00:00Z. */
  readonly putAtMs: number
  /** Of its key: `idle` waits for others, `ready` for a slot, `delayed` for a time, `held` until another key was tried. */
  readonly state: LaneState
  /** Failures of its key in a row. */
  readonly attempts: number
  readonly code?: string
}

/** A durable spool: see `createSpool`. */
export interface Spool extends Store {
  readonly stats: SpoolStats
  /** Everything that happens from now on; each reader gets all of it. It ends when the spool is closed. */
  readonly events: AsyncIterable<SpoolEvent>
  /** Calls `listener` with each event from now on. Returns what stops it. */
  on(listener: (event: SpoolEvent) => void): () => void
  putFile(key: string, path: string, options?: PutFileOptions): Promise<Stored>
  settled(prefix?: string, options?: { readonly signal?: AbortSignal }): Promise<void>
  /** What waits, in the order in which it was put. */
  entries(): IterableIterator<WaitingEntry>
  /** Tries everything again now: what was given up, what waits, what the store refused. */
  retry(): void
  /** Forgets a key that was given up, and its local copy. `false` when there is none such. */
  discard(key: string): Promise<boolean>
  /** Resolves when nothing waits any more; rejects when something was given up, or the store refuses. */
  drain(options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Stops what is under way and lets go of the folder and the store. Everything goes on with the next `createSpool`. */
  close(): Promise<void>
}
