import type { StoreErrorCode } from '../errors.js'

/** What happens in a spool. No event holds a secret or a body. */
export type SpoolEvent =
  /** The store confirmed an object. */
  | {
      readonly type: 'stored'
      readonly key: string
      readonly bytes: number
      readonly location: string
      /** Milliseconds since it was put. */
      readonly afterMs: number
      /** Older versions that were left out. */
      readonly replaced: number
    }
  /** The store confirmed a delete. */
  | { readonly type: 'deleted'; readonly key: string }
  /** A transfer failed and is tried again; `delayMs` is 0 where the store as a whole sets the pace. */
  | {
      readonly type: 'retrying'
      readonly key: string
      readonly code: StoreErrorCode
      readonly message: string
      /** Failures of this key in a row. */
      readonly attempts: number
      readonly delayMs: number
    }
  /** A key was given up: it stays here until `retry`, a new version, `discard` or `delete`. */
  | { readonly type: 'failed'; readonly key: string; readonly code: StoreErrorCode; readonly message: string }
  /**
   * Nothing is sent but now and then a trial. `retryable`: the store is down, and goes on by itself. If not, it refuses,
   * and somebody has to change rights or settings.
   */
  | { readonly type: 'blocked'; readonly code: StoreErrorCode; readonly message: string; readonly retryable: boolean }
  /** The store takes objects again. */
  | { readonly type: 'resumed' }
  /** Nothing waits any more. */
  | { readonly type: 'idle' }
