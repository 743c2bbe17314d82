import type { Lane } from './queued-entry.js'

/** Slots of taken lanes at the front before the list is moved up. */
const SLACK = 1024

class Line {
  #list: Lane[] = []
  #front = 0

  get size(): number {
    return this.#list.length - this.#front
  }

  push(lane: Lane): void {
    this.#list.push(lane)
  }

  shift(): Lane | undefined {
    const lane = this.#list[this.#front]
    if (lane === undefined) return undefined
    this.#front += 1
    if (this.#front > SLACK && this.#front * 2 > this.#list.length) {
      this.#list = this.#list.slice(this.#front)
      this.#front = 0
    }
    return lane
  }
}

/** Lanes that may go, in the order in which they became ready; indexes and plain objects take turns. */
export class ReadyLanes {
  readonly #indexes = new Line()
  readonly #plain = new Line()
  #indexesTurn = true

  get size(): number {
    return this.#indexes.size + this.#plain.size
  }

  push(lane: Lane, isIndex: boolean): void {
    if (isIndex) this.#indexes.push(lane)
    else this.#plain.push(lane)
  }

  shift(): Lane | undefined {
    const [one, other] = this.#indexesTurn ? [this.#indexes, this.#plain] : [this.#plain, this.#indexes]
    this.#indexesTurn = !this.#indexesTurn
    return one.shift() ?? other.shift()
  }
}
