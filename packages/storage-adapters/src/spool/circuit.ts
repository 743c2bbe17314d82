import { delayMs } from '@rushes/media'
import type { StoreError } from '../errors.js'
import type { SpoolBackOff } from './back-off.js'
import type { Lane } from './queued-entry.js'

/** Lanes that must fail one after the other, without a success between, before the store counts as down. */
const DOWN_AFTER = 2

/** How the store stands, as far as the spool can tell. */
export type CircuitState = 'running' | 'unavailable' | 'blocked'

/**
 * Decides how many transfers may run. When the store as a whole is down, one trial at a time goes out, later and later;
 * when it refuses, none until somebody asks for it or a long time has passed; when it asks for fewer requests, fewer.
 */
export class Circuit {
  readonly #concurrency: number
  readonly #backOff: SpoolBackOff
  readonly #resumeAfterMs: number
  readonly #random: () => number
  /** Lanes that the store failed since its last success. */
  readonly #failing = new Set<Lane>()
  #allowed: number
  #rounds = 0
  #down: { readonly error: StoreError; readonly dueMs: number } | undefined
  #blocked: { readonly error: StoreError; readonly dueMs: number } | undefined
  #suspect: { readonly lane: Lane; readonly error: StoreError } | undefined
  #trial: Lane | undefined

  constructor(concurrency: number, backOff: SpoolBackOff, resumeAfterMs: number, random: () => number) {
    this.#concurrency = concurrency
    this.#allowed = concurrency
    this.#backOff = backOff
    this.#resumeAfterMs = resumeAfterMs
    this.#random = random
  }

  get state(): CircuitState {
    if (this.#blocked !== undefined) return 'blocked'
    return this.#down === undefined ? 'running' : 'unavailable'
  }

  /** Why nothing is sent, where the store refuses. */
  get blockedBy(): StoreError | undefined {
    return this.#blocked?.error
  }

  /** Why only trials are sent, where the store is down. */
  get downBy(): StoreError | undefined {
    return this.#down?.error
  }

  /** The lane whose refusal is being looked into. */
  get suspect(): { readonly lane: Lane; readonly error: StoreError } | undefined {
    return this.#suspect
  }

  /** Transfers that may run at the same time, as far as the store lets us. */
  get allowed(): number {
    return Math.max(1, Math.floor(this.#allowed))
  }

  canBegin(nowMs: number, running: number): boolean {
    const dueMs = this.#dueMs()
    // Old transfers may hang: a trial goes beside them.
    if (dueMs !== undefined) return this.#trial === undefined && nowMs >= dueMs && running <= this.#concurrency
    return running < this.allowed
  }

  /** When a trial may go out; `undefined` when that is not what holds things up. */
  nextDeadline(): number | undefined {
    const dueMs = this.#trial === undefined ? this.#dueMs() : undefined
    return dueMs === undefined || dueMs === Infinity ? undefined : dueMs
  }

  began(lane: Lane): void {
    if (this.#dueMs() !== undefined) this.#trial = lane
  }

  /** The transfer was stopped by us: it says nothing. */
  released(lane: Lane): void {
    if (this.#trial === lane) this.#trial = undefined
    this.#failing.delete(lane)
  }

  /** The store took something. Gives the suspect that stands alone now. */
  succeeded(lane: Lane): { readonly lane: Lane; readonly error: StoreError } | undefined {
    const wasTrial = this.#trial === lane
    if (wasTrial) this.#trial = undefined
    // What was under way when the store began to refuse may still go through, with rights that are gone.
    if (this.#blocked !== undefined && !wasTrial) return undefined
    this.#blocked = undefined
    this.#down = undefined
    this.#rounds = 0
    this.#failing.clear()
    this.#allowed = Math.min(this.#concurrency, this.#allowed + 1 / this.#allowed)
    const alone = this.#suspect
    this.#suspect = undefined
    return alone?.lane === lane ? undefined : alone
  }

  /** The store as a whole failed. `true` when it counts as down or refusing: then the trials set the pace, not the lane. */
  storeFailed(lane: Lane, error: StoreError, nowMs: number): boolean {
    const wasTrial = this.#trial === lane
    if (wasTrial) this.#trial = undefined
    if (error.code === 'STORE_THROTTLED' && this.#down === undefined) this.#allowed = Math.max(1, this.#allowed / 2)
    if (this.#blocked !== undefined) {
      if (wasTrial) this.#block(this.#blocked.error, nowMs)
      return true
    }
    if (this.#down !== undefined) {
      // Transfers that began before the store went down say nothing new.
      if (wasTrial) this.#goDown(error, nowMs)
      return true
    }
    this.#failing.add(lane)
    if (this.#failing.size < DOWN_AFTER) return false
    this.#goDown(error, nowMs)
    return true
  }

  /**
   * The store refused. One refusal may be about one object: the lane is held, and another one is tried, one at a time.
   * The second refusal blocks.
   */
  refused(lane: Lane, error: StoreError, forAll: boolean, nowMs: number): 'held' | 'blocked' {
    if (this.#trial === lane) this.#trial = undefined
    const isFirst = this.#suspect === undefined && this.#blocked === undefined
    if (!forAll && (isFirst || this.#suspect?.lane === lane)) {
      this.#suspect = { lane, error }
      return 'held'
    }
    this.#suspect = undefined
    this.#block(error, nowMs)
    return 'blocked'
  }

  /** There is nobody to compare the suspect with: its refusal counts, until somebody comes. */
  convict(nowMs: number): void {
    if (this.#suspect !== undefined) this.#block(this.#suspect.error, nowMs)
  }

  /** The lane has nothing to send any more. */
  left(lane: Lane): void {
    if (this.#suspect?.lane === lane) this.#suspect = undefined
    this.#failing.delete(lane)
  }

  /** Somebody says that it is worth trying now. */
  retry(nowMs: number): void {
    const error = this.#blocked?.error ?? this.#down?.error
    this.#blocked = undefined
    this.#suspect = undefined
    // Believed, but with one trial first.
    if (error !== undefined) this.#down = { error, dueMs: nowMs }
  }

  #block(error: StoreError, nowMs: number): void {
    this.#blocked = { error, dueMs: nowMs + this.#resumeAfterMs }
  }

  #goDown(error: StoreError, nowMs: number): void {
    this.#rounds += 1
    this.#down = { error, dueMs: nowMs + delayMs(this.#backOff, this.#rounds, this.#random) }
  }

  /** From when on trials may go out, one at a time; `undefined` when nothing holds transfers up. */
  #dueMs(): number | undefined {
    if (this.#suspect !== undefined) return 0
    return this.#blocked?.dueMs ?? this.#down?.dueMs
  }
}
