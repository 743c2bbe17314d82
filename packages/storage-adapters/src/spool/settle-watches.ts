import { StoreError } from '../errors.js'
import type { QueuedEntry } from './queued-entry.js'

interface Watch {
  readonly prefix: string
  /** Entries that came later do not count. */
  readonly before: number
  remaining: number
  readonly resolve: () => void
  readonly reject: (error: StoreError) => void
}

/** Those who wait until everything that was put before is stored. */
export class SettleWatches {
  readonly #watches = new Set<Watch>()

  /**
   * Resolves when `remaining` entries under `prefix` with sequence numbers below `before` are done; rejects when one of
   * them was given up, or the signal fires.
   */
  async wait(prefix: string, before: number, remaining: number, signal: AbortSignal | undefined): Promise<void> {
    // The alarms of the clock alone do not keep a process alive; somebody who waits for the store does.
    const hold = setInterval(() => {}, 0x7fff_ffff)
    let stop: () => void = () => {}
    try {
      await new Promise<void>((resolve, reject) => {
        const watch = { prefix, before, remaining, resolve, reject }
        const onAbort = (): void => {
          reject(new StoreError('STORE_ABORTED', 'the caller stopped waiting', { cause: signal?.reason }))
        }
        this.#watches.add(watch)
        signal?.addEventListener('abort', onAbort)
        stop = () => {
          this.#watches.delete(watch)
          signal?.removeEventListener('abort', onAbort)
        }
      })
    } finally {
      stop()
      clearInterval(hold)
    }
  }

  done(entry: QueuedEntry): void {
    for (const watch of this.#watches) {
      if (entry.sequence >= watch.before || !entry.key.startsWith(watch.prefix)) continue
      watch.remaining -= 1
      if (watch.remaining > 0) continue
      this.#watches.delete(watch)
      watch.resolve()
    }
  }

  /** A key was given up: whoever waits for it need not any longer. */
  failed(key: string, oldestSequence: number, error: StoreError): void {
    this.#rejectWhere((watch) => key.startsWith(watch.prefix) && oldestSequence < watch.before, error)
  }

  /** Nothing goes on by itself. */
  failedAll(error: StoreError): void {
    this.#rejectWhere(() => true, error)
  }

  #rejectWhere(concerns: (watch: Watch) => boolean, error: StoreError): void {
    for (const watch of this.#watches) {
      if (!concerns(watch)) continue
      this.#watches.delete(watch)
      watch.reject(error)
    }
  }
}
