import type { MonotonicClock } from '../src/clock.js'

/** A clock that stands still until it is told to go on. */
export class FakeClock implements MonotonicClock {
  #nowUs = 0
  readonly #wakes = new Map<() => void, number>()

  nowUs(): number {
    return this.#nowUs
  }

  schedule(deadlineUs: number, wake: () => void): () => void {
    const entry = (): void => wake()
    this.#wakes.set(entry, deadlineUs)
    return () => void this.#wakes.delete(entry)
  }

  /** The deadlines that somebody waits for, soonest first. */
  get deadlines(): number[] {
    return [...this.#wakes.values()].sort((a, b) => a - b)
  }

  /** Goes on to `nowUs` and calls what is due, each at its own time. */
  advanceTo(nowUs: number): void {
    for (;;) {
      const [next] = [...this.#wakes].filter(([, at]) => at <= nowUs).sort(([, a], [, b]) => a - b)
      if (next === undefined) break
      const [wake, at] = next
      this.#wakes.delete(wake)
      this.#nowUs = Math.max(this.#nowUs, at)
      wake()
    }
    this.#nowUs = nowUs
  }
}
