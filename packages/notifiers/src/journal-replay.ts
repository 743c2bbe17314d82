import { parseLine } from './journal-line.js'

const LINE_FEED = 0x0a

/** Where a line stands in its file, line feed excluded. */
export interface Place {
  /** -1 until it is written. */
  offset: number
  bytes: number
}

/** A delivery that a journal has and that is not done. */
export interface PendingDelivery {
  readonly id: string
  readonly type: string
  readonly queuedAtMs: number
  readonly body: string
  readonly place: Place
  attempts: number
  dueMs: number
}

/** What a journal file tells. */
export interface JournalState {
  /** `undefined`: the file has no head, so it tells nothing. */
  readonly head?: { readonly notifier: string; readonly recordingId: string }
  /** In the order in which they were queued. */
  readonly pending: readonly PendingDelivery[]
  /** Every id that was ever queued. */
  readonly seen: Set<string>
  /** The recording has ended. */
  readonly ended: boolean
  /** The latest time in the file. */
  readonly lastAtMs: number
  /** Length without a torn last line. */
  readonly wholeBytes: number
  /** Lines that were skipped because they are none. */
  readonly damagedLines: number
}

/**
 * Reads a journal. A last line without its line feed was being written when the process or the machine stopped: it
 * does not count. A damaged line elsewhere is skipped.
 */
export function replayJournal(bytes: Uint8Array): JournalState {
  const decoder = new TextDecoder()
  const pending = new Map<string, PendingDelivery>()
  const seen = new Set<string>()
  let head: JournalState['head']
  let ended = false
  let lastAtMs = 0
  let damagedLines = 0
  let start = 0
  for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
    const place = { offset: start, bytes: end - start }
    const line = parseLine(decoder.decode(bytes.subarray(start, end)))
    start = end + 1
    if (line === undefined) {
      damagedLines += 1
      continue
    }
    if ('atMs' in line) lastAtMs = Math.max(lastAtMs, line.atMs)
    switch (line.kind) {
      case 'head':
        head ??= { notifier: line.notifier, recordingId: line.recordingId }
        break
      case 'event':
        if (seen.has(line.id)) break
        seen.add(line.id)
        pending.set(line.id, {
          id: line.id,
          type: line.type,
          queuedAtMs: line.atMs,
          body: line.body,
          place,
          attempts: 0,
          dueMs: 0,
        })
        break
      case 'try': {
        const delivery = pending.get(line.id)
        if (delivery === undefined) break
        delivery.attempts = line.attempts
        delivery.dueMs = line.dueMs
        break
      }
      case 'done':
        seen.add(line.id)
        pending.delete(line.id)
        break
      case 'seen':
        for (const id of line.ids) seen.add(id)
        break
      case 'end':
        ended = true
    }
  }
  const common = { pending: [...pending.values()], seen, ended, lastAtMs, wholeBytes: start, damagedLines }
  return head === undefined ? common : { head, ...common }
}
