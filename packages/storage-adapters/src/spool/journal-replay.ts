import { JOURNAL_VERSION, type JournalLine, parseLine } from './journal-line.js'
import type { SpoolEntry } from './spool-entry.js'

/** An entry of a journal that is not gone. */
export interface ReplayedEntry {
  readonly entry: SpoolEntry
  /** When the store confirmed it, or a newer version; then only the local copy is left. */
  doneAtMs?: number
  /** A newer version stands for it. */
  isReplaced?: boolean
  /** The last reason for which it was given up. */
  failure?: { readonly code: string; readonly message: string }
}

/** What a journal says. */
export interface JournalState {
  /** Of the format; `undefined` when there is no head. */
  readonly version: number | undefined
  /** In the order in which they were accepted. */
  readonly entries: ReadonlyMap<number, ReplayedEntry>
  /** The first id that was never given. */
  readonly nextId: number
  /** Bytes up to the end of the last whole line. */
  readonly wholeBytes: number
  /** Whole lines that could not be read, somewhere before the end. */
  readonly damagedLines: number
  /** Whole lines. */
  readonly lines: number
}

/** Reads a journal. A torn line at the end is left out: what it said was never acknowledged. */
export function replayJournal(bytes: Uint8Array): JournalState {
  const entries = new Map<number, ReplayedEntry>()
  const decoder = new TextDecoder()
  let version: number | undefined
  let nextId = 0
  let wholeBytes = 0
  let damagedLines = 0
  let lines = 0
  for (let start = 0; start < bytes.byteLength; ) {
    const end = bytes.indexOf(10, start)
    if (end < 0) break
    const line = parseLine(decoder.decode(bytes.subarray(start, end)))
    start = end + 1
    wholeBytes = start
    lines += 1
    if (line === undefined) damagedLines += 1
    else if (line.kind === 'head') {
      version = line.version
      if (version > JOURNAL_VERSION) break
      nextId = Math.max(nextId, line.nextId)
    } else {
      nextId = Math.max(nextId, line.id + 1)
      replay(line, entries)
    }
  }
  return { version, entries, nextId, wholeBytes, damagedLines, lines }
}

function replay(line: Exclude<JournalLine, { kind: 'head' }>, entries: Map<number, ReplayedEntry>): void {
  if (line.kind === 'put' || line.kind === 'delete') {
    entries.set(line.id, { entry: line })
    return
  }
  const replayed = entries.get(line.id)
  if (replayed === undefined) return
  switch (line.kind) {
    case 'gone':
      entries.delete(line.id)
      return
    case 'done':
      replayed.doneAtMs = line.atMs
      replayed.isReplaced = line.replaced === true
      return
    case 'checkpoint':
      replayed.entry.checkpoint = line.checkpoint
      return
    case 'failed':
      replayed.failure = { code: line.code, message: line.message }
  }
}
