/** m3u8-parser with its leniency taken away: what it would repair or pass over in silence is an error here. */

import { type ParsedByteRange, type ParsedManifest, Parser } from 'm3u8-parser'
import type { ByteRange } from './byte-range.js'
import { HlsPlaylistError } from './errors.js'
import { checkInteger, refuse } from './playlist-text.js'

/** Reads either kind of playlist. Throws {@link HlsPlaylistError}. */
export function readPlaylist(text: string): ParsedManifest {
  if (!/^#EXTM3U[\t ]*(?:\r?\n|$)/.test(text)) {
    throw new HlsPlaylistError('HLS_NOT_A_PLAYLIST', 'a playlist begins with #EXTM3U')
  }
  const parser = new Parser()
  const complaints: string[] = []
  parser.on('warn', ({ message }) => complaints.push(message))
  parser.on('error', ({ message }) => complaints.push(message))
  try {
    parser.push(text)
    parser.end()
  } catch (cause) {
    // The library trips over some malformed attribute lists.
    throw new HlsPlaylistError('HLS_PLAYLIST_INVALID', 'a tag is malformed', { cause })
  }
  if (complaints[0] !== undefined) throw new HlsPlaylistError('HLS_PLAYLIST_INVALID', complaints[0])
  return parser.manifest
}

/** A byte range as the parser gives it; it has already filled in an offset that was left out. */
export function readByteRange(field: string, parsed: ParsedByteRange): ByteRange {
  if (parsed.length === undefined) refuse(field, 'must have a length', parsed)
  return { length: checkInteger(field, parsed.length, 0), offset: checkInteger(field, parsed.offset ?? 0, 0) }
}
