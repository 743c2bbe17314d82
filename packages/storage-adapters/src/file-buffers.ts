import { throwIfAborted } from './store-body.js'

/** Whoever waits for memory is told so this often. */
const TELL_MS = 5_000

interface Waiter {
  readonly bytes: number
  readonly wake: () => void
}

/**
 * Memory for the parts of files that are under way, of all uploads of a store together: many large files at a time share
 * it, and take turns. Buffers are used again, for what the garbage collector has not seen yet counts too.
 */
export class FileBuffers {
  readonly #maxBytes: number
  #taken = 0
  #free: Buffer[] = []
  readonly #waiting: Waiter[] = []

  /** @param maxBytes a single buffer may be larger: it is then the only one */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Bytes that are out. */
  get takenBytes(): number {
    return this.#taken
  }

  /**
   * A buffer of so many bytes, with any content; `give` it back. Whoever asked first is served first. `waiting` is
   * called now and then while others have the memory.
   * @throws StoreError `STORE_ABORTED`
   */
  async take(bytes: number, signal: AbortSignal | undefined, waiting?: () => void): Promise<Buffer> {
    throwIfAborted(signal)
    if (this.#waiting.length > 0 || !this.#fits(bytes)) {
      const telling = waiting === undefined ? undefined : setInterval(waiting, TELL_MS).unref()
      await this.#turn(bytes, signal).finally(() => clearInterval(telling))
    } else this.#taken += bytes
    const index = this.#free.findIndex((buffer) => buffer.byteLength === bytes)
    const [found] = index < 0 ? [] : this.#free.splice(index, 1)
    if (found !== undefined) return found
    // Others are of no use while this one is out.
    while (this.#free.length > 0 && this.#taken + this.#freeBytes() > this.#maxBytes) this.#free.shift()
    return Buffer.allocUnsafeSlow(bytes)
  }

  give(buffer: Buffer): void {
    this.#taken -= buffer.byteLength
    if (this.#taken + this.#freeBytes() + buffer.byteLength <= this.#maxBytes) this.#free.push(buffer)
    this.#serve()
    // Nobody uploads anything: then nothing is kept.
    if (this.#taken === 0) this.#free = []
  }

  #serve(): void {
    for (let first = this.#waiting[0]; first !== undefined && this.#fits(first.bytes); first = this.#waiting[0]) {
      this.#waiting.shift()
      this.#taken += first.bytes
      first.wake()
    }
  }

  async #turn(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    let isServed = false
    await new Promise<void>((resolve) => {
      const stop = (): void => {
        const index = this.#waiting.indexOf(waiter)
        if (index >= 0) this.#waiting.splice(index, 1)
        // Whoever stood behind may fit.
        this.#serve()
        resolve()
      }
      const waiter: Waiter = {
        bytes,
        wake: () => {
          isServed = true
          signal?.removeEventListener('abort', stop)
          resolve()
        },
      }
      this.#waiting.push(waiter)
      signal?.addEventListener('abort', stop, { once: true })
    })
    if (!isServed) throwIfAborted(signal)
  }

  #fits(bytes: number): boolean {
    return this.#taken === 0 || this.#taken + bytes <= this.#maxBytes
  }

  #freeBytes(): number {
    return this.#free.reduce((sum, { byteLength }) => sum + byteLength, 0)
  }
}
