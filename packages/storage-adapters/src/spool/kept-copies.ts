/**
 * When the local copy of a stored object goes: at once; after some milliseconds; never; or, oldest first, when the spool
 * holds more than so many bytes.
 */
export type FreePolicy = 'at-once' | 'never' | { readonly afterMs: number } | { readonly whenBytesAbove: number }

/** The local copy of an object that is stored. */
export interface KeptCopy {
  readonly id: number
  readonly key: string
  readonly bytes: number
  readonly doneAtMs: number
}

/** Copies of stored objects, by the policy of when they go. Of each key only the newest is kept. */
export class KeptCopies {
  readonly #policy: FreePolicy
  readonly #copies = new Map<string, KeptCopy>()
  #bytes = 0

  constructor(policy: FreePolicy) {
    this.#policy = policy
  }

  get size(): number {
    return this.#copies.size
  }

  get bytes(): number {
    return this.#bytes
  }

  values(): IterableIterator<KeptCopy> {
    return this.#copies.values()
  }

  get(key: string): KeptCopy | undefined {
    return this.#copies.get(key)
  }

  /** Takes a copy in; gives the one of an older version, which goes. */
  add(copy: KeptCopy): KeptCopy | undefined {
    const older = this.take(copy.key)
    this.#copies.set(copy.key, copy)
    this.#bytes += copy.bytes
    return older
  }

  /** Takes the copy of a key out. */
  take(key: string): KeptCopy | undefined {
    const copy = this.#copies.get(key)
    if (copy === undefined) return undefined
    this.#copies.delete(key)
    this.#bytes -= copy.bytes
    return copy
  }

  /** Takes the copies out that are to go now; `usedBytes` is what the spool holds, copies included. */
  takeDue(nowMs: number, usedBytes: number): KeptCopy[] {
    const due: KeptCopy[] = []
    let used = usedBytes
    for (const copy of this.#copies.values()) {
      if (!this.#isDue(copy, nowMs, used)) break
      used -= copy.bytes
      due.push(copy)
    }
    for (const { key } of due) this.take(key)
    return due
  }

  /** Takes the oldest copies out until there is room for `bytes`, where the policy lets them go at all. */
  takeForRoom(bytes: number): KeptCopy[] {
    const taken: KeptCopy[] = []
    if (this.#policy === 'never') return taken
    let room = 0
    for (const copy of this.#copies.values()) {
      if (room >= bytes) break
      room += copy.bytes
      taken.push(copy)
    }
    for (const { key } of taken) this.take(key)
    return taken
  }

  /** When a copy goes next, by time. */
  nextDeadline(): number | undefined {
    if (typeof this.#policy === 'string' || !('afterMs' in this.#policy)) return undefined
    const [oldest] = this.#copies.values()
    return oldest === undefined ? undefined : oldest.doneAtMs + this.#policy.afterMs
  }

  #isDue(copy: KeptCopy, nowMs: number, usedBytes: number): boolean {
    if (this.#policy === 'at-once') return true
    if (this.#policy === 'never') return false
    if ('afterMs' in this.#policy) return nowMs >= copy.doneAtMs + this.#policy.afterMs
    return usedBytes > this.#policy.whenBytesAbove
  }
}
