import { patienceMs } from '../slow-lines.js'
import type { SpoolTime } from './spool-time.js'

/** Looks after one transfer, and says when nothing of it has moved for too long: silence counts, and not slowness. */
export class StallWatch {
  readonly #time: SpoolTime
  readonly #stallMs: number
  readonly #stalled: (stillMs: number) => void
  readonly #over = new AbortController()
  #movedMs: number
  /** Bytes that went out since the store last said something. */
  #unanswered = 0
  /** Those who hold the transfer back on purpose. */
  #pauses = 0

  constructor(time: SpoolTime, stallMs: number, stalled: (stillMs: number) => void) {
    this.#time = time
    this.#stallMs = stallMs
    this.#stalled = stalled
    this.#movedMs = time.nowMs()
    void this.#run()
  }

  /** Bytes went out, or with 0 the store said something. Cheap: it is called for each block. */
  readonly moved = (bytes: number): void => {
    this.#movedMs = this.#time.nowMs()
    this.#unanswered = bytes === 0 ? 0 : this.#unanswered + bytes
  }

  /** Waits for `waiting`, which does not count. */
  async pause(waiting: Promise<void>): Promise<void> {
    this.#pauses += 1
    await waiting
    this.#pauses -= 1
    this.#movedMs = this.#time.nowMs()
  }

  /** The transfer is over. */
  stop(): void {
    this.#over.abort()
  }

  async #run(): Promise<void> {
    const { signal } = this.#over
    while (!signal.aborted) {
      const stillMs = this.#pauses > 0 ? 0 : this.#time.nowMs() - this.#movedMs
      const leftMs = patienceMs(this.#stallMs, this.#unanswered) - stillMs
      if (leftMs <= 0) {
        this.#stalled(stillMs)
        return
      }
      await this.#time.wait(leftMs, signal)
    }
  }
}
