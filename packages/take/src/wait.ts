import type { MonotonicClock } from '@rushes/media'

/**
 * Waits `delayMs` by the clock, or until `signal` fires. The clock's own timers do not keep a process alive; somebody
 * who reads a growing take does.
 */
export function wait(delayMs: number, clock: MonotonicClock, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const hold = setInterval(() => {}, 0x7fff_ffff)
    const done = (): void => {
      clearInterval(hold)
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.schedule(clock.nowUs() + delayMs * 1000, done)
    signal?.addEventListener('abort', done)
    if (signal?.aborted === true) done()
  })
}
