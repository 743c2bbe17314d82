import type { QueuedEntry } from './queued-entry.js'

/** Slots of done entries that are kept at the front before the list is moved up. */
const SLACK = 1024

/** Entries in the order in which they came; those that are done leave the front. */
class Arrivals {
  #list: QueuedEntry[] = []
  #front = 0

  get isEmpty(): boolean {
    this.#trim()
    return this.#front === this.#list.length
  }

  push(entry: QueuedEntry): void {
    this.#list.push(entry)
  }

  /** The newest entry before `sequence` that is not done and not of the lane of `asker`. */
  newestBefore(sequence: number, asker: QueuedEntry): QueuedEntry | undefined {
    this.#trim()
    let low = this.#front
    let high = this.#list.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#list[middle] as QueuedEntry).sequence < sequence) low = middle + 1
      else high = middle
    }
    for (let index = low - 1; index >= this.#front; index -= 1) {
      const entry = this.#list[index] as QueuedEntry
      if (!entry.isDone && entry.lane !== asker.lane) return entry
    }
    return undefined
  }

  #trim(): void {
    while (this.#list[this.#front]?.isDone === true) this.#front += 1
    if (this.#front > SLACK && this.#front * 2 > this.#list.length) {
      this.#list = this.#list.slice(this.#front)
      this.#front = 0
    }
  }
}

/** What waits under one folder, as far as it decides who may go. */
interface Folder {
  /** Plain objects, and first versions of indexes: an index needs those before it. */
  readonly hard: Arrivals
  /** Later versions of indexes: only an index that comes for the first time needs those before it. */
  readonly soft: Arrivals
  /** Everything done to indexes whose scope is this very folder: a delete below it needs those before it. */
  readonly indexes: Arrivals
}

/**
 * Who has to wait for whom. An entry waits for the newest of those that it needs: when that is done, mostly all are, so
 * that a long backlog costs one look or two per index.
 */
export class FolderOrder {
  readonly #folders = new Map<string, Folder>()

  add(entry: QueuedEntry): void {
    if (entry.kind === 'put') {
      for (const name of entry.folders()) {
        const folder = this.#folder(name)
        if (entry.rank === 'again') folder.soft.push(entry)
        else folder.hard.push(entry)
      }
    }
    if (entry.rank !== 'plain') this.#folder(entry.scope).indexes.push(entry)
  }

  /** The newest unfinished entry that `entry` has to wait for. */
  neededBy(entry: QueuedEntry): QueuedEntry | undefined {
    if (entry.kind === 'delete') {
      let newest: QueuedEntry | undefined
      for (const name of entry.folders()) {
        const found = this.#folders.get(name)?.indexes.newestBefore(entry.sequence, entry)
        if (found !== undefined && (newest === undefined || found.sequence > newest.sequence)) newest = found
      }
      return newest
    }
    if (entry.rank === 'plain') return undefined
    const folder = this.#folders.get(entry.scope)
    const hard = folder?.hard.newestBefore(entry.sequence, entry)
    if (hard !== undefined) return hard
    // As long as the first version has not arrived, the later ones stand for it, with what it needs.
    const first = entry.rank === 'first' ? entry : entry.lane.first
    return first === undefined ? undefined : folder?.soft.newestBefore(first.sequence, entry)
  }

  /** Forgets folders in which nothing waits any more. */
  forget(entry: QueuedEntry): void {
    for (const name of entry.folders()) this.#forgetIfEmpty(name)
    if (entry.rank !== 'plain') this.#forgetIfEmpty(entry.scope)
  }

  /** Folders that are remembered. */
  get size(): number {
    return this.#folders.size
  }

  #folder(name: string): Folder {
    let folder = this.#folders.get(name)
    if (folder === undefined) {
      folder = { hard: new Arrivals(), soft: new Arrivals(), indexes: new Arrivals() }
      this.#folders.set(name, folder)
    }
    return folder
  }

  #forgetIfEmpty(name: string): void {
    const folder = this.#folders.get(name)
    if (folder?.hard.isEmpty === true && folder.soft.isEmpty && folder.indexes.isEmpty) this.#folders.delete(name)
  }
}
