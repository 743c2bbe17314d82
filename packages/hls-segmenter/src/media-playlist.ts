/** The media playlist (RFC 8216 §4.3.2, §4.3.3): model, writing and reading. */

import type { ByteRange } from './byte-range.js'
import { HlsPlaylistError } from './errors.js'
import { readByteRange, readPlaylist } from './playlist-reader.js'
import { checkInteger, checkText, checkUri, formatSeconds, quoted, refuse } from './playlist-text.js'

/** One media segment with the tags that apply to it. */
export interface MediaSegment {
  /** A URI reference, relative to the playlist, as it stands in the file (percent-encoded where needed). */
  readonly uri: string
  /** EXTINF, in microseconds, above 0. Written with six decimals. */
  readonly durationUs: number
  /** The text behind EXTINF's comma. */
  readonly title?: string
  /** EXT-X-DISCONTINUITY stands before this segment. */
  readonly discontinuity: boolean
  /** EXT-X-PROGRAM-DATE-TIME, in milliseconds since 1970-01-01T00:00Z. */
  readonly programDateTimeMs?: number
  /** EXT-X-MAP that applies to this segment; written where it differs from that of the segment before. */
  readonly map?: { readonly uri: string; readonly byteRange?: ByteRange }
  /** EXT-X-BYTERANGE; the offset is always written. */
  readonly byteRange?: ByteRange
}

/** What stands above the segments. */
export interface MediaPlaylistHeader {
  /** EXT-X-VERSION; at least {@link requiredVersion} of the segments. */
  readonly version: number
  /** EXT-X-TARGETDURATION, whole seconds, at least 1. */
  readonly targetDuration: number
  /** EXT-X-MEDIA-SEQUENCE: the number of the first segment. */
  readonly mediaSequence: number
  /** EXT-X-DISCONTINUITY-SEQUENCE. */
  readonly discontinuitySequence: number
  /** EXT-X-PLAYLIST-TYPE; absent from a sliding window. */
  readonly playlistType?: 'VOD' | 'EVENT'
  /** EXT-X-INDEPENDENT-SEGMENTS. */
  readonly independentSegments: boolean
}

/** A media playlist, as far as Rushes writes it. */
export interface MediaPlaylist extends MediaPlaylistHeader {
  /** EXT-X-ENDLIST. */
  readonly endList: boolean
  readonly segments: readonly MediaSegment[]
}

/** The last line of a playlist to which nothing more is added. */
export const END_LIST = '#EXT-X-ENDLIST\n'

/** The lowest EXT-X-VERSION for these segments (RFC 8216 §7): 3 for decimal EXTINF, 4 for byte ranges, 6 for a map. */
export function requiredVersion(segments: readonly MediaSegment[]): number {
  let version = 3
  for (const { map, byteRange } of segments) {
    if (map !== undefined) return 6
    if (byteRange !== undefined) version = 4
  }
  return version
}

/** The lines above the segments. */
export function serializeMediaHeader(header: MediaPlaylistHeader): string {
  const { mediaSequence, discontinuitySequence, playlistType } = header
  let text = `#EXTM3U\n#EXT-X-VERSION:${checkInteger('version', header.version, 1)}\n`
  text += `#EXT-X-TARGETDURATION:${checkInteger('targetDuration', header.targetDuration, 1)}\n`
  text += `#EXT-X-MEDIA-SEQUENCE:${checkInteger('mediaSequence', mediaSequence, 0)}\n`
  if (checkInteger('discontinuitySequence', discontinuitySequence, 0) > 0) {
    text += `#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitySequence}\n`
  }
  if (playlistType !== undefined) text += `#EXT-X-PLAYLIST-TYPE:${playlistType}\n`
  if (header.independentSegments) text += '#EXT-X-INDEPENDENT-SEGMENTS\n'
  return text
}

/** The lines of one segment. `previous` is the one above it, whose map still applies. */
export function serializeMediaSegment(segment: MediaSegment, previous: MediaSegment | undefined): string {
  const { uri, title, programDateTimeMs, map, byteRange } = segment
  let text = segment.discontinuity ? '#EXT-X-DISCONTINUITY\n' : ''
  if (map !== undefined) {
    if (!isSameMap(map, previous?.map)) {
      text += `#EXT-X-MAP:URI=${quoted('map.uri', map.uri)}`
      text += map.byteRange === undefined ? '\n' : `,BYTERANGE="${formatByteRange('map.byteRange', map.byteRange)}"\n`
    }
  } else if (previous?.map !== undefined) {
    refuse('map', 'cannot be taken back once a segment above has one', uri)
  }
  if (programDateTimeMs !== undefined) text += `#EXT-X-PROGRAM-DATE-TIME:${formatDateTime(programDateTimeMs)}\n`
  const durationUs = checkInteger('durationUs', segment.durationUs, 1)
  text += `#EXTINF:${formatSeconds(durationUs)},${title === undefined ? '' : checkText('title', title)}\n`
  if (byteRange !== undefined) text += `#EXT-X-BYTERANGE:${formatByteRange('byteRange', byteRange)}\n`
  return `${text}${checkUri('uri', uri)}\n`
}

/** The whole playlist. Throws {@link HlsPlaylistError} for what RFC 8216 forbids. */
export function serializeMediaPlaylist(playlist: MediaPlaylist): string {
  const { segments, targetDuration } = playlist
  if (playlist.version < requiredVersion(segments)) {
    refuse('version', `must be at least ${requiredVersion(segments)} for these segments`, playlist.version)
  }
  let text = serializeMediaHeader(playlist)
  let previous: MediaSegment | undefined
  for (const segment of segments) {
    if (Math.round(segment.durationUs / 1_000_000) > targetDuration) {
      refuse('durationUs', `must not exceed the target duration of ${targetDuration} s`, segment.durationUs)
    }
    text += serializeMediaSegment(segment, previous)
    previous = segment
  }
  return playlist.endList ? text + END_LIST : text
}

/**
 * Reads a media playlist. Comments and tags that the model does not hold are passed over, save those without which
 * the segments would not be the same (`HLS_PLAYLIST_UNSUPPORTED`). An EXTINF of 0 is read as 10 ms, which is what the
 * underlying parser makes of it.
 */
export function parseMediaPlaylist(text: string): MediaPlaylist {
  const manifest = readPlaylist(text)
  if (manifest.playlists !== undefined || manifest.mediaGroups !== undefined) {
    throw new HlsPlaylistError('HLS_WRONG_PLAYLIST_KIND', 'this is not a media playlist: it has variants or renditions')
  }
  if (manifest.targetDuration === undefined) refuse('targetDuration', 'must be present', undefined)
  if (manifest.iFramesOnly || manifest.skip !== undefined || manifest.contentProtection !== undefined) {
    throw new HlsPlaylistError('HLS_PLAYLIST_UNSUPPORTED', 'I-frame playlists, delta updates and DRM are not supported')
  }
  const { playlistType } = manifest
  if (playlistType !== undefined && playlistType !== 'VOD' && playlistType !== 'EVENT') {
    refuse('playlistType', 'must be VOD or EVENT', playlistType)
  }
  const segments = manifest.segments.map((entry): MediaSegment => {
    if (entry.key !== undefined || entry.parts !== undefined) {
      throw new HlsPlaylistError('HLS_PLAYLIST_UNSUPPORTED', `${entry.uri}: encrypted or partial segments`)
    }
    if (entry.duration === undefined) refuse('durationUs', 'every segment must have an EXTINF', entry.uri)
    const programDateTimeMs = entry.dateTimeObject?.getTime()
    if (Number.isNaN(programDateTimeMs)) refuse('programDateTimeMs', 'must be an ISO 8601 date', entry.dateTimeString)
    return {
      uri: entry.uri,
      durationUs: Math.round(entry.duration * 1_000_000),
      ...(entry.title === undefined ? {} : { title: entry.title }),
      discontinuity: entry.discontinuity === true,
      ...(programDateTimeMs === undefined ? {} : { programDateTimeMs }),
      ...(entry.map === undefined ? {} : { map: readMap(entry.map) }),
      ...(entry.byterange === undefined ? {} : { byteRange: readByteRange('byteRange', entry.byterange) }),
    }
  })
  return {
    version: checkInteger('version', manifest.version ?? 1, 1),
    targetDuration: checkInteger('targetDuration', manifest.targetDuration, 1),
    mediaSequence: checkInteger('mediaSequence', manifest.mediaSequence ?? 0, 0),
    discontinuitySequence: checkInteger('discontinuitySequence', manifest.discontinuitySequence ?? 0, 0),
    ...(playlistType === undefined ? {} : { playlistType }),
    independentSegments: manifest.independentSegments === true,
    endList: manifest.endList === true,
    segments,
  }
}

type MediaMap = NonNullable<MediaSegment['map']>
type ParsedMap = { uri?: string; byterange?: { length?: number; offset?: number } }

function readMap(map: ParsedMap): MediaMap {
  if (map.uri === undefined) refuse('map.uri', 'must be present', map)
  if (map.byterange === undefined) return { uri: map.uri }
  return { uri: map.uri, byteRange: readByteRange('map.byteRange', map.byterange) }
}

function isSameMap(a: MediaMap, b: MediaMap | undefined): boolean {
  if (b === undefined || a.uri !== b.uri) return false
  return a.byteRange?.length === b.byteRange?.length && a.byteRange?.offset === b.byteRange?.offset
}

function formatByteRange(field: string, range: ByteRange): string {
  return `${checkInteger(field, range.length, 0)}@${checkInteger(field, range.offset, 0)}`
}

function formatDateTime(ms: number): string {
  // Outside of these years ISO 8601 needs a sign, which players do not read.
  if (!Number.isSafeInteger(ms) || ms < -62_167_219_200_000 || ms > 253_402_300_799_999) {
    refuse('programDateTimeMs', 'must be whole milliseconds within the years 0 to 9999', ms)
  }
  return new Date(ms).toISOString()
}
