import type { MonotonicClock } from '@rushes/media'

/** Longest wait for one timer; longer ones are begun again. Node's timers end at 2^31 ms. */
const LONGEST_MS = 3_600_000

/**
 * Wall time for the journal that never steps while the process runs: read once, then carried on by the monotonic clock.
 * One alarm at a time.
 */
export class OutboxTime {
  readonly #clock: MonotonicClock
  readonly #originUs: number
  readonly #originMs: number
  #cancel: (() => void) | undefined

  constructor(clock: MonotonicClock, wallNowMs: () => number) {
    this.#clock = clock
    this.#originUs = clock.nowUs()
    this.#originMs = wallNowMs()
  }

  nowMs(): number {
    return Math.floor(this.#originMs + (this.#clock.nowUs() - this.#originUs) / 1000)
  }

  /** Calls `wake` at `atMs`, or at most an hour later than now; replaces the alarm before. */
  wakeAt(atMs: number, wake: () => void): void {
    this.#cancel?.()
    const waitMs = Math.min(Math.max(0, atMs - this.nowMs()), LONGEST_MS)
    this.#cancel = this.#clock.schedule(this.#clock.nowUs() + waitMs * 1000, wake)
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  /** Calls `wake` once after `waitMs`; gives back a function that cancels that. */
  after(waitMs: number, wake: () => void): () => void {
    return this.#clock.schedule(this.#clock.nowUs() + waitMs * 1000, wake)
  }
}
