/** Events that a reader may be behind; the oldest go first. An event has some hundred bytes. */
const MAX_QUEUED = 10_000

interface Reader<T> {
  queue: T[]
  wake: (() => void) | undefined
}

/** Many readers of one stream of events, each with a bounded queue of its own: a slow reader holds back nobody. */
export class EventFeed<T> implements AsyncIterable<T> {
  readonly #readers = new Set<Reader<T>>()
  readonly #listeners = new Set<(value: T) => void>()
  #ended = false
  #dropped = 0

  /** Events dropped for readers that are more than 10,000 behind. */
  get dropped(): number {
    return this.#dropped
  }

  push(value: T): void {
    for (const listener of this.#listeners) {
      try {
        listener(value)
      } catch {
        // A host's listener must not stop the uploads.
      }
    }
    for (const reader of this.#readers) {
      reader.queue.push(value)
      if (reader.queue.length > MAX_QUEUED) {
        reader.queue.shift()
        this.#dropped += 1
      }
      reader.wake?.()
    }
  }

  /** No more events: readers get what they have not read, and end. */
  end(): void {
    this.#ended = true
    for (const reader of this.#readers) reader.wake?.()
  }

  /** Calls `listener` with each event from now on. Returns what stops it. */
  listen(listener: (value: T) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** A reader of everything from now on: the queue begins here and not at its first `next`. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    const reader: Reader<T> = { queue: [], wake: undefined }
    this.#readers.add(reader)
    return this.#read(reader)
  }

  async *#read(reader: Reader<T>): AsyncGenerator<T, undefined, undefined> {
    try {
      for (;;) {
        const values = reader.queue
        reader.queue = []
        yield* values
        if (reader.queue.length > 0) continue
        if (this.#ended) return undefined
        await new Promise<void>((resolve) => {
          reader.wake = resolve
        })
        reader.wake = undefined
      }
    } finally {
      this.#readers.delete(reader)
    }
  }
}
