import type { TakeEvent } from './session.js'

/** Why a packet or event was not kept. */
export type RefusalCause =
  | 'closed'
  | 'unknown-track'
  | 'too-late'
  | 'buffer-full'
  | 'journal-full'
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

/** The event that says in the take what is missing from it: one for each track and cause and stretch of time. */
export interface NotJournalledEvent extends TakeEvent {
  readonly type: 'not-journalled'
  /** Absent where there were too many tracks to count each. */
  readonly track?: string
  readonly cause: RefusalCause
  /** Arrival of the first and the last packet that was refused, in milliseconds after the start. */
  readonly fromMs: number
  readonly toMs: number
  readonly packets: number
  readonly bytes: number
}

interface Entry {
  readonly trackId: string | undefined
  readonly cause: RefusalCause
  count: number
  bytes: number
  /** Since it was last told to the host. */
  freshCount: number
  freshBytes: number
  /** Since it was last noted in the take. */
  notedCount: number
  notedBytes: number
  fromMs: number
  toMs: number
  /** The next note is due then, by the caller's clock; the first one at once. */
  dueMs: number
}

/** A host that invents track ids must not fill memory with their counters. */
const MAX_ENTRIES = 10_000
/** Between notes of what is refused without end: enough to see where, and a disk that is full is not filled by them. */
const NOTE_MS = 10_000

/** After the end nothing can be noted; lost events are no packets; a track that was never announced is the host's mistake. */
const unnoted: ReadonlySet<RefusalCause> = new Set(['closed', 'too-many-events', 'unknown-track'])

/** Counts refusals by track and cause, and remembers which have been told and noted. */
export class RefusalCounter {
  readonly #entries = new Map<string, Entry>()

  /** Counts one packet that arrived at `atMs`, or one event. */
  add(trackId: string | undefined, cause: RefusalCause, bytes: number, atMs = 0): void {
    const key = trackId === undefined ? cause : `${cause} ${trackId}`
    const entry = this.#entries.get(key) ?? this.#open(key, trackId, cause)
    if (entry.count === entry.notedCount) entry.fromMs = atMs
    entry.toMs = atMs
    entry.count += 1
    entry.bytes += bytes
  }

  get total(): readonly Refusal[] {
    return [...this.#entries.values()].map(({ trackId, cause, count, bytes }) => refusal(trackId, cause, count, bytes))
  }

  /** What was counted since the last call. */
  takeNew(): readonly Refusal[] {
    const fresh: Refusal[] = []
    for (const entry of this.#entries.values()) {
      const { trackId, cause, count, bytes, freshCount, freshBytes } = entry
      if (count > freshCount) fresh.push(refusal(trackId, cause, count - freshCount, bytes - freshBytes))
      entry.freshCount = count
      entry.freshBytes = bytes
    }
    return fresh
  }

  /** Events for the take about what was refused and is not noted yet: those that are due at `nowMs`, or all. */
  takeNotes(nowMs: number, all = false): readonly NotJournalledEvent[] {
    const notes: NotJournalledEvent[] = []
    for (const entry of this.#entries.values()) {
      const { trackId, cause, fromMs, toMs } = entry
      const packets = entry.count - entry.notedCount
      if (packets === 0 || unnoted.has(cause)) continue
      if (!all && nowMs < entry.dueMs) continue
      const track = trackId === undefined ? {} : { track: trackId }
      const bytes = entry.bytes - entry.notedBytes
      notes.push({ type: 'not-journalled', atMs: toMs, ...track, cause, fromMs, toMs, packets, bytes })
      entry.notedCount = entry.count
      entry.notedBytes = entry.bytes
      entry.dueMs = nowMs + NOTE_MS
    }
    return notes
  }

  #open(key: string, trackId: string | undefined, cause: RefusalCause): Entry {
    const crowded = this.#entries.size >= MAX_ENTRIES
    const known = crowded ? this.#entries.get(cause) : undefined
    if (known !== undefined) return known
    const counts = { count: 0, bytes: 0, freshCount: 0, freshBytes: 0, notedCount: 0, notedBytes: 0 }
    const entry: Entry = {
      trackId: crowded ? undefined : trackId,
      cause,
      ...counts,
      fromMs: 0,
      toMs: 0,
      dueMs: Number.NEGATIVE_INFINITY,
    }
    this.#entries.set(crowded ? cause : key, entry)
    return entry
  }
}

function refusal(trackId: string | undefined, cause: RefusalCause, count: number, bytes: number): Refusal {
  return { ...(trackId === undefined ? {} : { trackId }), cause, count, bytes }
}
