/** Things that are dear to make, by key: beyond `max` of them the one goes that was not asked for the longest. */
export class RecentlyUsed<Thing> {
  readonly #max: number
  readonly #close: (thing: Thing) => void
  /** The one that was not used for the longest time stands first. */
  readonly #things = new Map<string, Thing>()

  /** @param close gives back what is not kept any longer */
  constructor(max: number, close: (thing: Thing) => void) {
    this.#max = max
    this.#close = close
  }

  of(key: string, make: () => Thing): Thing {
    const known = this.#things.get(key)
    if (known !== undefined) {
      // As long as there is room nothing has to go, and the order does not matter.
      if (this.#things.size === this.#max) {
        this.#things.delete(key)
        this.#things.set(key, known)
      }
      return known
    }
    if (this.#things.size === this.#max) {
      for (const [oldest, thing] of this.#things) {
        this.#things.delete(oldest)
        this.#close(thing)
        break
      }
    }
    const made = make()
    this.#things.set(key, made)
    return made
  }

  /** Closes all. */
  clear(): void {
    for (const thing of this.#things.values()) this.#close(thing)
    this.#things.clear()
  }
}
