const WINDOW_S = 30

/** Bytes per second over the last half minute, in buckets of one second. */
export class Throughput {
  readonly #buckets = new Float64Array(WINDOW_S)
  #second = Number.NEGATIVE_INFINITY

  add(bytes: number, nowMs: number): void {
    const second = this.#moveTo(nowMs)
    this.#buckets[second % WINDOW_S] = (this.#buckets[second % WINDOW_S] ?? 0) + bytes
  }

  bytesPerSecond(nowMs: number): number {
    this.#moveTo(nowMs)
    let bytes = 0
    for (const each of this.#buckets) bytes += each
    return bytes / WINDOW_S
  }

  #moveTo(nowMs: number): number {
    const second = Math.floor(nowMs / 1000)
    const steps = Math.min(WINDOW_S, second - this.#second)
    for (let step = 0; step < steps; step += 1) this.#buckets[(second - step) % WINDOW_S] = 0
    this.#second = Math.max(second, this.#second)
    return this.#second
  }
}
