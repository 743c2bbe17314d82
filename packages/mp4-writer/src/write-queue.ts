/** Writes one after the other, and what the first that failed met: nothing is tried after it. */
export class WriteQueue<Failure extends Error> {
  readonly #failureOf: (cause: unknown) => Failure
  #tail: Promise<void> = Promise.resolve()
  #inFlight = 0
  #failure: Failure | undefined

  /** @param failureOf the error to keep for what a write met */
  constructor(failureOf: (cause: unknown) => Failure) {
    this.#failureOf = failureOf
  }

  /** What an earlier write met. */
  get failure(): Failure | undefined {
    return this.#failure
  }

  /**
   * Queues a write. One may be on its way to the disk while the next is gathered: whoever brings another one meanwhile
   * is given a promise to wait for, which rejects with the failure.
   */
  add(write: () => Promise<void>): void | Promise<void> {
    const waiting = this.#inFlight > 0 ? this.#tail : undefined
    this.#inFlight++
    this.#tail = this.#tail.then(async () => {
      try {
        if (this.#failure === undefined) await write()
      } catch (cause) {
        this.#failure = this.#failureOf(cause)
      }
      this.#inFlight--
    })
    return waiting?.then(() => {
      if (this.#failure !== undefined) throw this.#failure
    })
  }

  /** Resolves when everything queued has been written or given up. Never rejects. */
  idle(): Promise<void> {
    return this.#tail
  }
}
