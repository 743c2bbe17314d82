import type { MonotonicClock } from '@rushes/media'

/** Time that the test moves. */
export class ManualClock implements MonotonicClock {
  #nowUs = 0
  readonly #alarms = new Set<{ readonly atUs: number; readonly wake: () => void }>()
  readonly wallNowMs = (): number => 1_800_000_000_000 + this.#nowUs / 1000

  nowUs(): number {
    return this.#nowUs
  }

  schedule(deadlineUs: number, wake: () => void): () => void {
    const alarm = { atUs: deadlineUs, wake }
    this.#alarms.add(alarm)
    return () => this.#alarms.delete(alarm)
  }

  /** Moves time and lets what then runs come to rest, alarm by alarm. */
  async advance(ms: number): Promise<void> {
    const endUs = this.#nowUs + ms * 1000
    for (;;) {
      await settle()
      const next = [...this.#alarms].filter(({ atUs }) => atUs <= endUs).sort((a, b) => a.atUs - b.atUs)[0]
      if (next === undefined) break
      this.#alarms.delete(next)
      this.#nowUs = Math.max(this.#nowUs, next.atUs)
      next.wake()
    }
    this.#nowUs = endUs
    await settle()
  }
}

/** Lets file operations that have begun end, with all that follows from them without waiting for time. */
export async function settle(): Promise<void> {
  for (let quiet = 0; quiet < 10; ) {
    await new Promise((resolve) => setImmediate(resolve))
    const busy = process.getActiveResourcesInfo().some((name) => /^(FSReq|CloseReq)/.test(name))
    quiet = busy ? 0 : quiet + 1
  }
}

/** Time that runs `factor` times as fast as it does. */
export function fastClock(factor: number): MonotonicClock & { wallNowMs: () => number } {
  const nowUs = (): number => Math.round(performance.now() * 1000 * factor)
  const originMs = Date.now() - nowUs() / 1000
  return {
    nowUs,
    wallNowMs: () => originMs + nowUs() / 1000,
    schedule(deadlineUs, wake) {
      const timer = setTimeout(wake, Math.max(0, Math.ceil((deadlineUs - nowUs()) / 1000 / factor)))
      return () => clearTimeout(timer)
    },
  }
}
