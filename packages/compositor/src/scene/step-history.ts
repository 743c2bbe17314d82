/** A value that changes now and then, and what it was at each step. Steps are added in rising order. */
export class StepHistory<T> {
  readonly #steps: number[] = []
  readonly #values: T[] = []
  readonly #initial: T

  constructor(initial: T) {
    this.#initial = initial
  }

  /** It is `value` from `step` on. */
  set(step: number, value: T): void {
    if (value === this.last) return
    this.#steps.push(step)
    this.#values.push(value)
  }

  get last(): T {
    return this.#values.length === 0 ? this.#initial : (this.#values.at(-1) as T)
  }

  /** What it is after `step`; what was before is forgotten. */
  take(step: number): T {
    let index = 0
    while ((this.#steps[index + 1] ?? Number.POSITIVE_INFINITY) <= step) index++
    if (index > 0) {
      this.#steps.splice(0, index)
      this.#values.splice(0, index)
    }
    const first = this.#steps[0]
    return first === undefined || first > step ? this.#initial : (this.#values[0] as T)
  }
}
