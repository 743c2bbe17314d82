type Numbers = Uint32Array | Int32Array | Float64Array

/** A list of numbers that grows, in typed memory: 4 or 8 bytes for each, half as much again while it grows. */
export class Column<T extends Numbers> {
  #values: T
  #length = 0
  readonly #grow: (length: number) => T

  constructor(make: (length: number) => T) {
    this.#grow = make
    this.#values = make(256)
  }

  get length(): number {
    return this.#length
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = this.#grow(Math.ceil(this.#length * 1.5))
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#length++] = value
  }

  /** The values: a view that holds until the next `push`. */
  values(): T {
    return this.#values.subarray(0, this.#length) as T
  }
}

/** Integers from 0 to 2^32 - 1. */
export function uint32Column(): Column<Uint32Array> {
  return new Column((length) => new Uint32Array(length))
}

/** Signed integers of 32 bits. */
export function int32Column(): Column<Int32Array> {
  return new Column((length) => new Int32Array(length))
}

/** Integers up to 2^53. */
export function float64Column(): Column<Float64Array> {
  return new Column((length) => new Float64Array(length))
}
