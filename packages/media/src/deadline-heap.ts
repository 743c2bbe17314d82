/** Something that waits for a time. */
interface Waiting<T> {
  readonly value: T
  readonly dueMs: number
  /** Of two that are due at the same time, the one that was put in first comes first. */
  readonly order: number
}

/** What waits for a time, earliest first: a binary heap, so that a long backlog costs no scans. */
export class DeadlineHeap<T> {
  readonly #heap: Waiting<T>[] = []
  #order = 0

  get size(): number {
    return this.#heap.length
  }

  /** The first, without taking it. */
  peek(): { readonly value: T; readonly dueMs: number } | undefined {
    return this.#heap[0]
  }

  push(value: T, dueMs: number): void {
    const item = { value, dueMs, order: this.#order }
    this.#order += 1
    let index = this.#heap.length
    this.#heap.push(item)
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = this.#heap[parentIndex]
      if (parent === undefined || !isBefore(item, parent)) break
      this.#heap[index] = parent
      index = parentIndex
    }
    this.#heap[index] = item
  }

  /** Takes the first one out. */
  shift(): T | undefined {
    const first = this.#heap[0]
    const last = this.#heap.pop()
    if (first === undefined || last === undefined || last === first) return first?.value
    let index = 0
    for (;;) {
      const leftIndex = 2 * index + 1
      const left = this.#heap[leftIndex]
      if (left === undefined) break
      const right = this.#heap[leftIndex + 1]
      const [child, childIndex] =
        right !== undefined && isBefore(right, left) ? [right, leftIndex + 1] : [left, leftIndex]
      if (isBefore(last, child)) break
      this.#heap[index] = child
      index = childIndex
    }
    this.#heap[index] = last
    return first.value
  }
}

function isBefore(one: Waiting<unknown>, other: Waiting<unknown>): boolean {
  return one.dueMs === other.dueMs ? one.order < other.order : one.dueMs < other.dueMs
}
