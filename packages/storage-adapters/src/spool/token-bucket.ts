/** A rate in bytes per second: who takes more than there is has to wait, in turn. No clock of its own. */
export class TokenBucket {
  readonly #bytesPerSecond: number
  readonly #burstBytes: number
  #tokens: number
  #atMs: number | undefined

  constructor(bytesPerSecond: number, burstBytes: number) {
    this.#bytesPerSecond = bytesPerSecond
    this.#burstBytes = burstBytes
    this.#tokens = burstBytes
  }

  /** Takes `bytes`; gives the milliseconds to wait before they are sent. */
  take(bytes: number, nowMs: number): number {
    const passedMs = Math.max(0, nowMs - (this.#atMs ?? nowMs))
    this.#atMs = nowMs
    this.#tokens = Math.min(this.#burstBytes, this.#tokens + (passedMs / 1000) * this.#bytesPerSecond) - bytes
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#bytesPerSecond) * 1000
  }
}
