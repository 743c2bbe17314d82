/**
 * A line of a journal: JSON, and a line feed. The first line of a file is its head; a delivery is an `event` line,
 * then `try` lines for attempts that failed, then a `done` line. `seen` stands for many `done` lines after compaction.
 * All times are milliseconds of wall time since 1970.
 */
export type JournalLine =
  | { readonly kind: 'head'; readonly notifier: string; readonly recordingId: string }
  | {
      readonly kind: 'event'
      readonly id: string
      readonly type: string
      readonly atMs: number
      /** The exact text that is delivered. */
      readonly body: string
    }
  | { readonly kind: 'try'; readonly id: string; readonly attempts: number; readonly dueMs: number }
  | { readonly kind: 'done'; readonly id: string; readonly state: 'delivered' | 'failed'; readonly atMs: number }
  | { readonly kind: 'seen'; readonly ids: readonly string[]; readonly atMs: number }
  | { readonly kind: 'end'; readonly atMs: number }

/** A line with its line feed. */
export function serializeLine(line: JournalLine): string {
  return `${JSON.stringify(line)}\n`
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
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false
  const line: Record<string, unknown> & { kind: unknown } = { ...value }
  const hasText = (...keys: string[]): boolean => keys.every((key) => typeof line[key] === 'string')
  const hasNumbers = (...keys: string[]): boolean => keys.every((key) => Number.isFinite(line[key]))
  switch (line.kind) {
    case 'head':
      return hasText('notifier', 'recordingId')
    case 'event':
      return hasText('id', 'type', 'body') && hasNumbers('atMs')
    case 'try':
      return hasText('id') && hasNumbers('attempts', 'dueMs')
    case 'done':
      return hasText('id', 'state') && hasNumbers('atMs')
    case 'seen':
      return Array.isArray(line['ids']) && line['ids'].every((id) => typeof id === 'string') && hasNumbers('atMs')
    case 'end':
      return hasNumbers('atMs')
    default:
      return false
  }
}
