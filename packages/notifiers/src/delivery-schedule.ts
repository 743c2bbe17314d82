import { type BackOff, DeadlineHeap, delayMs } from '@rushes/media'

/** What the schedule must know of a delivery. All times are milliseconds on one clock. */
export interface ScheduledDelivery {
  /** Deliveries of one lane go one after the other, in the order in which they were added. */
  readonly lane: string
  /** When it was first queued: its age counts from here. */
  readonly queuedAtMs: number
  /** Attempts that failed so far. */
  attempts: number
  /** Not before this. */
  dueMs: number
}

/** Limits of a schedule. */
export interface ScheduleLimits {
  readonly backOff: BackOff
  /** Given up after so many attempts. */
  readonly maxAttempts: number
  /** Given up when so old, in milliseconds, after a last attempt at that age. */
  readonly maxAgeMs: number
  /** Attempts at the same time, in different lanes. */
  readonly maxConcurrent: number
}

/** How an attempt ended. */
export type AttemptResult =
  | { readonly status: 'delivered' }
  /** Not before `retryAfterMs` from now, where the receiver said so. */
  | { readonly status: 'retry'; readonly retryAfterMs?: number }
  | { readonly status: 'rejected' }

/** What becomes of a delivery after an attempt. */
export type Settled =
  | { readonly state: 'delivered' }
  | { readonly state: 'waiting'; readonly dueMs: number }
  | { readonly state: 'failed'; readonly because: 'rejected' | 'attempts' | 'age' }

interface Lane<T> {
  readonly queue: T[]
  inFlight: boolean
}

/**
 * Which delivery is tried when: strictly in order within a lane (the next one only after the one before is delivered or
 * given up), lanes beside each other, the one that waits longest first. No clock and no chance of its own: both come in.
 * It holds what is added until it is settled; whoever adds bounds that.
 */
export class DeliverySchedule<T extends ScheduledDelivery> {
  readonly #limits: ScheduleLimits
  readonly #random: () => number
  readonly #lanes = new Map<string, Lane<T>>()
  /** The lanes that have no attempt in flight. One that had its turn goes behind those that are due for longer. */
  readonly #ready = new DeadlineHeap<Lane<T>>()
  #inFlight = 0
  #size = 0

  /** `random` gives numbers from 0 to less than 1. */
  constructor(limits: ScheduleLimits, random: () => number) {
    this.#limits = limits
    this.#random = random
  }

  /** Deliveries that are not settled, those in flight included. */
  get size(): number {
    return this.#size
  }

  /** Attempts that have begun and are not settled. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Puts a delivery behind all others of its lane. */
  add(delivery: T): void {
    this.#size += 1
    const known = this.#lanes.get(delivery.lane)
    if (known !== undefined) {
      known.queue.push(delivery)
      return
    }
    const lane = { queue: [delivery], inFlight: false }
    this.#lanes.set(delivery.lane, lane)
    this.#ready.push(lane, delivery.dueMs)
  }

  /** Begins the next attempt, or gives `undefined` when none is due or enough are in flight. */
  next(nowMs: number): T | undefined {
    if (this.#inFlight >= this.#limits.maxConcurrent) return undefined
    if ((this.#ready.peek()?.dueMs ?? Infinity) > nowMs) return undefined
    const lane = this.#ready.shift()
    if (lane === undefined) return undefined
    lane.inFlight = true
    this.#inFlight += 1
    return lane.queue[0]
  }

  /** When `next` may give something again; `undefined`: not before something is added or settled. */
  nextDeadline(): number | undefined {
    if (this.#inFlight >= this.#limits.maxConcurrent) return undefined
    return this.#ready.peek()?.dueMs
  }

  /** Ends an attempt that `next` began. */
  settle(delivery: T, result: AttemptResult, nowMs: number): Settled {
    const lane = this.#end(delivery)
    if (result.status === 'delivered') {
      this.#leave(delivery, lane, nowMs)
      return { state: 'delivered' }
    }
    delivery.attempts += 1
    const { maxAttempts, maxAgeMs, backOff } = this.#limits
    const oldMs = delivery.queuedAtMs + maxAgeMs
    const because =
      result.status === 'rejected'
        ? 'rejected'
        : delivery.attempts >= maxAttempts
          ? 'attempts'
          : nowMs >= oldMs
            ? 'age'
            : undefined
    if (because !== undefined) {
      this.#leave(delivery, lane, nowMs)
      return { state: 'failed', because }
    }
    const asked = result.status === 'retry' ? (result.retryAfterMs ?? 0) : 0
    const waitMs = Math.max(asked, delayMs(backOff, delivery.attempts, this.#random))
    // The last attempt comes when the age is reached: a receiver that is back just before is not missed.
    delivery.dueMs = Math.min(nowMs + waitMs, oldMs)
    this.#ready.push(lane, delivery.dueMs)
    return { state: 'waiting', dueMs: delivery.dueMs }
  }

  /** Takes an attempt that `next` began back, as if it had not been made. */
  release(delivery: T): void {
    this.#ready.push(this.#end(delivery), delivery.dueMs)
  }

  #end(delivery: T): Lane<T> {
    const lane = this.#lanes.get(delivery.lane)
    if (lane?.inFlight !== true || lane.queue[0] !== delivery) throw new RangeError('this delivery is not in flight')
    lane.inFlight = false
    this.#inFlight -= 1
    return lane
  }

  #leave(delivery: T, lane: Lane<T>, nowMs: number): void {
    lane.queue.shift()
    this.#size -= 1
    const head = lane.queue[0]
    if (head === undefined) this.#lanes.delete(delivery.lane)
    else this.#ready.push(lane, Math.max(head.dueMs, nowMs))
  }
}
