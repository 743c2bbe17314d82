import type { MonotonicClock } from '@rushes/media'

/** Longest wait for one timer; longer ones are begun again. Node's timers end at 2^31 ms. */
const LONGEST_MS = 3_600_000

/** Wall time that never steps while the process runs: read once, then carried on by the monotonic clock. One alarm. */
export class SpoolTime {
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

  /** Calls `wake` at `atMs`, or at most an hour later than now; replaces the alarm before. `undefined`: no alarm. */
  wakeAt(atMs: number | undefined, wake: () => void): void {
    this.#cancel?.()
    this.#cancel = undefined
    if (atMs === undefined) return
    const waitMs = Math.min(Math.max(0, atMs - this.nowMs()), LONGEST_MS)
    this.#cancel = this.#clock.schedule(this.#clock.nowUs() + waitMs * 1000, wake)
  }

  /** Resolves after `waitMs`, or when the signal fires. */
  wait(waitMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel()
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const cancel = this.#clock.schedule(this.#clock.nowUs() + waitMs * 1000, done)
      signal?.addEventListener('abort', done)
      if (signal?.aborted === true) done()
    })
  }
}
