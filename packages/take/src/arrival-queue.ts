/** Anything that has its place in the order of arrival. */
export interface Arrived {
  /** Microseconds after the start of the recording. */
  readonly arrivalUs: number
}

/**
 * Items of one origin that wait to be merged, in order. Taking from the front moves an index; the list is let go when
 * its end is reached, so that it is never longer than what one read of a file brought.
 */
export class ArrivalQueue<Item extends Arrived> {
  /** More may come that is due before what other queues hold: merging has to wait for it. */
  open: boolean
  #items: Item[] = []
  #next = 0

  constructor(open: boolean) {
    this.open = open
  }

  get length(): number {
    return this.#items.length - this.#next
  }

  add(item: Item): void {
    this.#items.push(item)
  }

  peek(): Item | undefined {
    return this.#items[this.#next]
  }

  shift(): void {
    this.#next += 1
    if (this.#next === this.#items.length) {
      this.#items = []
      this.#next = 0
    }
  }
}

/**
 * Moves items up to and including `untilUs` into `batch` in order of arrival, equal times in the order of `queues`,
 * until the batch holds `limit` items. Stops where an open queue is empty, and returns that queue.
 */
export function mergeByArrival<Item extends Arrived>(
  batch: Item[],
  queues: readonly ArrivalQueue<Item>[],
  untilUs: number,
  limit: number,
): ArrivalQueue<Item> | undefined {
  while (batch.length < limit) {
    let first: ArrivalQueue<Item> | undefined
    let firstUs = Number.POSITIVE_INFINITY
    let firstIndex = -1
    let otherUs = Number.POSITIVE_INFINITY
    let otherIndex = -1
    for (let index = 0; index < queues.length; index += 1) {
      const queue = queues[index] as ArrivalQueue<Item>
      const item = queue.peek()
      if (item === undefined) {
        if (queue.open) return queue
        continue
      }
      if (first === undefined || item.arrivalUs < firstUs) {
        otherUs = firstUs
        otherIndex = firstIndex
        first = queue
        firstUs = item.arrivalUs
        firstIndex = index
      } else if (item.arrivalUs < otherUs) {
        otherUs = item.arrivalUs
        otherIndex = index
      }
    }
    if (first === undefined || firstUs > untilUs) return undefined
    // The first queue goes on until another one is due: a run of one track's packets costs no comparison of all.
    for (let item = first.peek(); item !== undefined && batch.length < limit; item = first.peek()) {
      const { arrivalUs } = item
      if (arrivalUs > untilUs || arrivalUs > otherUs || (arrivalUs === otherUs && otherIndex < firstIndex)) break
      batch.push(item)
      first.shift()
    }
  }
  return undefined
}
