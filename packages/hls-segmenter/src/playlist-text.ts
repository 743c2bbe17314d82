/** What may stand in a playlist (RFC 8216 §4.1), and how times are written there. */

import { HlsPlaylistError } from './errors.js'

// Control characters are forbidden by §4.1. A lone surrogate has no UTF-8; U+2028 and U+2029 end a line for many readers.
const FORBIDDEN = /[\p{Cc}\p{Cs}\u2028\u2029]/u

/** Throws `HLS_PLAYLIST_INVALID`, naming the field. */
export function refuse(field: string, rule: string, got: unknown): never {
  throw new HlsPlaylistError('HLS_PLAYLIST_INVALID', `${field}: ${rule}, got ${JSON.stringify(got) ?? String(got)}`)
}

/** Text that fills the rest of a line. */
export function checkText(field: string, text: string): string {
  if (FORBIDDEN.test(text)) refuse(field, 'must not contain control characters or line ends', text)
  if (text.trim() !== text) refuse(field, 'must not begin or end with white space', text)
  return text
}

/** A URI on a line of its own. */
export function checkUri(field: string, uri: string): string {
  if (uri === '' || uri.startsWith('#')) refuse(field, 'must be a URI that does not begin with #', uri)
  return checkText(field, uri)
}

/** A quoted-string of an attribute list (RFC 8216 §4.2). */
export function quoted(field: string, text: string): string {
  if (text.includes('"')) refuse(field, 'must not contain a quotation mark', text)
  return `"${checkText(field, text)}"`
}

/** A decimal-integer (RFC 8216 §4.2), as far as numbers are exact. */
export function checkInteger(field: string, value: number, minimum: number): number {
  if (!Number.isSafeInteger(value) || value < minimum) refuse(field, `must be an integer from ${minimum} on`, value)
  return value
}

/** Microseconds as seconds with six decimals. */
export function formatSeconds(us: number): string {
  const seconds = Math.floor(us / 1_000_000)
  return `${seconds}.${String(us - seconds * 1_000_000).padStart(6, '0')}`
}
