import type { TimedItem } from '@rushes/media'

/** Where, on each track, what is kept ends: what comes again of it is left out. */
export class KeptBoundary {
  readonly #lastDts = new Map<string, number>()

  /** A kept item. */
  see(item: TimedItem): void {
    if (item.type === 'sample') this.#lastDts.set(item.trackId, item.dts)
  }

  isNew(item: TimedItem): boolean {
    return item.type === 'track-end' || item.dts > (this.#lastDts.get(item.trackId) ?? Number.NEGATIVE_INFINITY)
  }
}
