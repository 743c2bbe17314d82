import { createHash } from 'node:crypto'

/** Names of files have at most 255 bytes on the file systems in use. */
export const MAX_COMPONENT_BYTES = 255
/** Keys have at most 1,024 bytes in S3 and 1,023 in OSS. */
export const MAX_NAME_BYTES = 1023

/** Stands before the hash of a name that was trimmed. It is encoded wherever else it comes, so that no untrimmed name has it. */
const TRIM_MARK = '~'

/** Length in bytes of UTF-8. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text)
}

/**
 * `text` cut to `maxBytes`, or to `maxCharacters` Unicode characters, with a hash of the whole at its end. The hash is
 * SHA-256 because people choose their own names: nobody must be able to aim at somebody else's recording.
 */
export function trimName(text: string, limit: NameLimit): string {
  const over = limit.unit === 'bytes' ? byteLength(text) > limit.max : [...text].length > limit.max
  if (!over) return text
  // A short limit leaves room for something to read; 32 bits still tell the names of a room apart.
  const digits = limit.max >= 40 ? 16 : 8
  const hash = TRIM_MARK + createHash('sha256').update(text).digest('hex').slice(0, digits)
  let kept = ''
  let size = hash.length
  for (const unit of unitsOf(text)) {
    size += limit.unit === 'bytes' ? byteLength(unit) : [...unit].length
    if (size > limit.max) break
    kept += unit
  }
  return kept.replace(/[. ]+$/, '') + hash
}

/** How long a part of a name may be. */
export interface NameLimit {
  readonly max: number
  /** Unicode characters (code points), or bytes of UTF-8; counted after encoding. */
  readonly unit: 'bytes' | 'characters'
}

/** The shortest limit that leaves room for the mark and the hash. */
export const MIN_LIMIT = 10

/** What must not be cut in two: a character, and a percent sign with its two digits. */
function unitsOf(text: string): readonly string[] {
  return text.match(/%[0-9A-F]{2}|./gsu) ?? []
}
