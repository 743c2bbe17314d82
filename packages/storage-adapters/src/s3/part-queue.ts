import type { StoredPart } from './integrity.js'
import type { Payload } from './payload.js'

/** Sends one part. */
export type SendPart = (number: number, payload: Payload, signal: AbortSignal) => Promise<StoredPart>

/**
 * Parts of one object under way side by side, up to a number. The first that fails stops the others, and whoever reads
 * the body by `signal`.
 */
export class PartQueue {
  readonly #concurrency: number
  readonly #stop = new AbortController()
  readonly #outer: AbortSignal | undefined
  readonly #running = new Set<Promise<void>>()
  readonly #parts: StoredPart[] = []
  #failure: { readonly error: unknown } | undefined

  constructor(concurrency: number, outer: AbortSignal | undefined) {
    this.#concurrency = concurrency
    this.#outer = outer
    if (outer?.aborted === true) this.#onAbort()
    else outer?.addEventListener('abort', this.#onAbort)
  }

  /** Fires when the caller's signal fires, or a part has failed. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** Nothing is under way. */
  get isIdle(): boolean {
    return this.#running.size === 0
  }

  /** What failed first. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure
  }

  /** Waits for room and then sends; does not wait for the end. Rejects with the first failure of any part. */
  async add(number: number, payload: Payload, send: SendPart, done?: (part: StoredPart) => void): Promise<void> {
    while (this.#running.size >= this.#concurrency) await Promise.race(this.#running)
    this.#throwFailure()
    const running: Promise<void> = send(number, payload, this.signal)
      .then((part) => {
        this.#parts.push(part)
        done?.(part)
      })
      .catch((error: unknown) => {
        this.#failure ??= { error }
        this.#stop.abort(error)
      })
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  /** All parts in their order, once the last has arrived. Rejects with the first failure. */
  async finish(): Promise<readonly StoredPart[]> {
    await this.settle()
    this.#throwFailure()
    return this.#parts.sort((one, other) => one.number - other.number)
  }

  /** Waits until nothing is under way any more. Does not reject. */
  async settle(): Promise<void> {
    await Promise.all(this.#running)
    this.#outer?.removeEventListener('abort', this.#onAbort)
  }

  /** Stops what is under way. */
  async cancel(): Promise<void> {
    this.#stop.abort()
    await this.settle()
  }

  readonly #onAbort = (): void => this.#stop.abort(this.#outer?.reason)

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
