import { StoreError } from './errors.js'
import type { StoreBody } from './store.js'
import { bodyPieces, readBody } from './store-body.js'

/** Waits for a reader, or for the reader that waits. */
class Branch {
  #chunk: Uint8Array | undefined
  #taken: (() => void) | undefined
  #arrived: (() => void) | undefined
  #ended = false
  #left = false
  #failure: unknown
  #failed = false

  /** Resolves when the reader has taken the chunk, or reads no more. */
  async push(chunk: Uint8Array): Promise<void> {
    if (this.#left) return
    this.#chunk = chunk
    this.#arrived?.()
    await new Promise<void>((resolve) => {
      this.#taken = resolve
    })
  }

  end(): void {
    this.#ended = true
    this.#arrived?.()
  }

  fail(error: unknown): void {
    this.#failed = true
    this.#failure = error
    this.#arrived?.()
  }

  /** The reader wants no more: nobody waits for it from now on. */
  leave(): void {
    this.#left = true
    this.#chunk = undefined
    this.#taken?.()
  }

  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        if (this.#failed) throw this.#failure
        const chunk = this.#chunk
        if (chunk !== undefined) {
          this.#chunk = undefined
          yield chunk
          // Taken when the reader comes back for more: until then the chunk is not its own.
          this.#taken?.()
          continue
        }
        if (this.#ended) return
        await new Promise<void>((resolve) => {
          this.#arrived = resolve
        })
      }
    } finally {
      this.leave()
    }
  }
}

/**
 * Gives one body to several readers, who go at the pace of the slowest: one chunk is held at a time. A body in memory is
 * given to all of them as it is. `leave(n)` lets the others go on without reader `n`. `source` settles when the body has
 * been read or nobody reads any more.
 */
export function teeBody(
  body: StoreBody,
  readers: number,
  signal: AbortSignal | undefined,
): { readonly bodies: readonly StoreBody[]; readonly leave: (reader: number) => void; readonly source: Promise<void> } {
  if (bodyPieces(body) !== undefined) {
    return { bodies: Array.from({ length: readers }, () => body), leave: () => {}, source: Promise.resolve() }
  }
  const branches = Array.from({ length: readers }, () => new Branch())
  const source = readBody(body, signal, async (chunk) => {
    await Promise.all(branches.map((branch) => branch.push(chunk)))
  }).then(
    () => {
      for (const branch of branches) branch.end()
    },
    (error: unknown) => {
      // The readers are stores, which wrap what a body throws themselves.
      const isWrapped = error instanceof StoreError && error.code === 'STORE_BODY_FAILED'
      for (const branch of branches) branch.fail(isWrapped ? error.cause : error)
    },
  )
  return {
    bodies: branches.map((branch) => branch.read()),
    leave: (reader) => branches[reader]?.leave(),
    source,
  }
}
