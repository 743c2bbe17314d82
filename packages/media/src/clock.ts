/** Time as it comes in from outside: monotonic microseconds, and a way to be woken. */
export interface MonotonicClock {
  /** Microseconds since some fixed point; never steps back. */
  nowUs(): number
  /** Calls `wake` once, when `nowUs()` has reached `deadlineUs` or as soon after as the event loop allows. */
  schedule(deadlineUs: number, wake: () => void): () => void
}

/** The machine's monotonic clock. */
export const monotonicClock: MonotonicClock = {
  nowUs: () => Math.round(performance.now() * 1000),
  schedule(deadlineUs, wake) {
    const delayMs = Math.max(0, Math.ceil((deadlineUs - performance.now() * 1000) / 1000))
    const timer = setTimeout(wake, delayMs)
    // A stage's deadline alone must not keep a finished process alive.
    timer.unref()
    return () => clearTimeout(timer)
  },
}
