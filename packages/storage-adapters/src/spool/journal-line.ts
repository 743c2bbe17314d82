import type { TransferCheckpoint } from '../store.js'
import type { SpoolEntry } from './spool-entry.js'

/** The version of the format; a reader refuses newer ones. */
export const JOURNAL_VERSION = 1

/**
 * A line of the journal: JSON and a line feed. The first line is the head. `put` and `delete` stand in the order in
 * which they were accepted; `done` ends an entry whose copy may still be there (a replaced one was never stored itself);
 * `gone` says that the copy is not; `failed` is for readers only. Times are milliseconds since 1970-01-01T00:00Z.
 */
export type JournalLine =
  | { readonly kind: 'head'; readonly version: number; readonly nextId: number }
  | (SpoolEntry & { readonly kind: 'put' })
  | (SpoolEntry & { readonly kind: 'delete' })
  | { readonly kind: 'checkpoint'; readonly id: number; readonly checkpoint: TransferCheckpoint }
  | { readonly kind: 'done'; readonly id: number; readonly atMs: number; readonly replaced?: true }
  | { readonly kind: 'gone'; readonly id: number }
  | { readonly kind: 'failed'; readonly id: number; readonly code: string; readonly message: string }

/** A line with its line feed. */
export function serializeLine(line: JournalLine): string {
  return `${JSON.stringify(line)}\n`
}

/** The line of an entry. */
export function entryLine(entry: SpoolEntry): JournalLine {
  const { id, kind, key, bytes, putAtMs, contentType, cacheControl, checkpoint } = entry
  const common = {
    id,
    key,
    bytes,
    putAtMs,
    ...(contentType === undefined ? {} : { contentType }),
    ...(cacheControl === undefined ? {} : { cacheControl }),
    ...(checkpoint === undefined ? {} : { checkpoint }),
  }
  return { kind, ...common }
}

/** The line in `text` (without line feed), or `undefined` when it is none: damaged, or written by a later version. */
export function parseLine(text: string): JournalLine | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  return isLine(value) ? value : undefined
}

function isLine(value: unknown): value is JournalLine {
  if (typeof value !== 'object' || value === null) return false
  const line = value as Record<string, unknown>
  const isCount = (field: string): boolean => Number.isSafeInteger(line[field]) && (line[field] as number) >= 0
  const isTextOrAbsent = (field: string): boolean => line[field] === undefined || typeof line[field] === 'string'
  const isObject = (field: string): boolean => typeof line[field] === 'object' && line[field] !== null
  switch (line['kind']) {
    case 'head':
      return isCount('version') && isCount('nextId')
    case 'put':
    case 'delete':
      return (
        isCount('id') &&
        typeof line['key'] === 'string' &&
        isCount('bytes') &&
        Number.isFinite(line['putAtMs']) &&
        isTextOrAbsent('contentType') &&
        isTextOrAbsent('cacheControl') &&
        (line['checkpoint'] === undefined || isObject('checkpoint'))
      )
    case 'checkpoint':
      return isCount('id') && isObject('checkpoint')
    case 'done':
      return isCount('id') && Number.isFinite(line['atMs'])
    case 'gone':
      return isCount('id')
    case 'failed':
      return isCount('id') && typeof line['code'] === 'string' && typeof line['message'] === 'string'
    default:
      return false
  }
}
