import type { MonotonicClock } from '@rushes/media'

/** A clock that moves when the test says so. */
export class ManualClock implements MonotonicClock {
  #nowUs = 0
  #timers: { readonly atUs: number; readonly wake: () => void }[] = []

  nowUs(): number {
    return this.#nowUs
  }

  schedule(deadlineUs: number, wake: () => void): () => void {
    const timer = { atUs: deadlineUs, wake }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  get pending(): number {
    return this.#timers.length
  }

  /** Moves on and wakes whoever is due, in order. */
  advance(ms: number): void {
    const untilUs = this.#nowUs + ms * 1000
    for (;;) {
      const due = this.#timers.filter((timer) => timer.atUs <= untilUs).sort((one, other) => one.atUs - other.atUs)[0]
      if (due === undefined) break
      this.#timers = this.#timers.filter((other) => other !== due)
      this.#nowUs = Math.max(this.#nowUs, due.atUs)
      due.wake()
    }
    this.#nowUs = untilUs
  }
}
