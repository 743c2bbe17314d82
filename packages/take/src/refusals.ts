/** Why a packet or event was not kept. */
export type RefusalCause =
  | 'closed'
  | 'unknown-track'
  | 'too-late'
  | 'buffer-full'
  | 'file-full'
  | 'too-short'
  | 'too-long'
  | 'not-rtp'
  | 'too-many-events'

/** What was not kept, for one track and one cause. */
export interface Refusal {
  /** Absent for events. */
  readonly trackId?: string
  readonly cause: RefusalCause
  /** Packets, or events. */
  readonly count: number
  readonly bytes: number
}

/** A host that invents track ids must not fill memory with their counters. */
const MAX_ENTRIES = 10_000

/** Counts refusals by track and cause, and remembers which have been told. */
export class RefusalCounter {
  #total = new Map<string, Refusal>()
  #fresh = new Map<string, Refusal>()

  add(trackId: string | undefined, cause: RefusalCause, bytes: number): void {
    for (const counts of [this.#total, this.#fresh]) {
      const key = counts.size < MAX_ENTRIES ? `${cause} ${trackId}` : cause
      const { count, bytes: before } = counts.get(key) ?? { count: 0, bytes: 0 }
      const named = trackId === undefined || key === cause ? {} : { trackId }
      counts.set(key, { ...named, cause, count: count + 1, bytes: before + bytes })
    }
  }

  get total(): readonly Refusal[] {
    return [...this.#total.values()]
  }

  /** What was counted since the last call. */
  takeNew(): readonly Refusal[] {
    const fresh = [...this.#fresh.values()]
    this.#fresh = new Map()
    return fresh
  }
}
