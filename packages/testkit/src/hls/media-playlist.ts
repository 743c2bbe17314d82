import { Parser } from 'm3u8-parser'
import type { Report } from '../finding.js'
import { readAttributes } from './attributes.js'
import type { Playlist, Tag } from './playlist.js'
import type { HlsRule } from './rules.js'

/** A segment as a media playlist lists it. */
export interface Segment {
  readonly uri: string
  readonly line: number
  /** Seconds. */
  readonly duration: number
  readonly discontinuity: boolean
  /** Milliseconds since 1970; NaN where the tag is no date. */
  readonly programDateTimeMs: number | undefined
  readonly map: string | undefined
  readonly gap: boolean
  readonly byteRange: boolean
}

/** A media playlist (RFC 8216 §4.3.3). */
export interface MediaPlaylist {
  readonly uri: string
  readonly version: number
  readonly targetDuration: number
  readonly mediaSequence: number
  readonly discontinuitySequence: number | undefined
  readonly type: 'EVENT' | 'VOD' | undefined
  readonly endList: boolean
  readonly independentSegments: boolean
  readonly encrypted: boolean
  readonly segments: readonly Segment[]
}

/** What the tags of a media playlist mean. */
export function readMediaPlaylist(playlist: Playlist): MediaPlaylist {
  const first = (name: string): string | undefined => playlist.tags.get(name)?.[0]?.value
  let map: string | undefined
  const segments = playlist.entries.map(({ uri, line, tags }): Segment => {
    const last = (name: string): Tag | undefined => tags.filter((tag) => tag.name === name).at(-1)
    const mapTag = last('EXT-X-MAP')
    if (mapTag !== undefined) map = readAttributes(mapTag.value)?.get('URI')
    const date = last('EXT-X-PROGRAM-DATE-TIME')?.value
    return {
      uri,
      line,
      duration: Number.parseFloat(last('EXTINF')?.value ?? 'NaN'),
      discontinuity: last('EXT-X-DISCONTINUITY') !== undefined,
      programDateTimeMs: date === undefined ? undefined : parseDate(date),
      map,
      gap: last('EXT-X-GAP') !== undefined,
      byteRange: last('EXT-X-BYTERANGE') !== undefined,
    }
  })
  const type = first('EXT-X-PLAYLIST-TYPE')
  const discontinuitySequence = first('EXT-X-DISCONTINUITY-SEQUENCE')
  return {
    uri: playlist.uri,
    version: Number(first('EXT-X-VERSION') ?? 1),
    targetDuration: Number(first('EXT-X-TARGETDURATION') ?? Number.NaN),
    mediaSequence: Number(first('EXT-X-MEDIA-SEQUENCE') ?? 0),
    discontinuitySequence: discontinuitySequence === undefined ? undefined : Number(discontinuitySequence),
    type: type === 'EVENT' || type === 'VOD' ? type : undefined,
    endList: first('EXT-X-ENDLIST') !== undefined,
    independentSegments: first('EXT-X-INDEPENDENT-SEGMENTS') !== undefined,
    encrypted: playlist.entries.some(({ tags }) =>
      tags.some(({ name, value }) => name === 'EXT-X-KEY' && readAttributes(value)?.get('METHOD') !== 'NONE'),
    ),
    segments,
  }
}

/** Checks what a media playlist says without looking at its segments. */
export function checkMediaPlaylist(
  playlist: Playlist,
  media: MediaPlaylist,
  toleranceSeconds: number,
  report: Report<HlsRule>,
): void {
  const { uri } = media
  if (Number.isNaN(media.targetDuration)) report('target-duration', 'there is no EXT-X-TARGETDURATION', { uri })
  for (const segment of media.segments) {
    if (Math.round(segment.duration) > media.targetDuration) {
      const message = `EXTINF ${segment.duration} rounds to more than the target duration ${media.targetDuration}`
      report('target-duration', message, { uri, line: segment.line })
    }
  }
  if (media.segments.length === 0) report('playlist-empty', 'it has no segment', { uri })
  if (media.type === 'VOD' && !media.endList) report('playlist-end', 'a VOD playlist without EXT-X-ENDLIST', { uri })
  checkVersion(playlist, media, report)
  checkRepeats(media, report)
  checkDates(media, toleranceSeconds, report)
  checkParser(playlist, media, report)
}

/** RFC 8216 §7. */
function checkVersion(playlist: Playlist, media: MediaPlaylist, report: Report<HlsRule>): void {
  const needs: [number, string][] = []
  const uses = (name: string): boolean => playlist.entries.some(({ tags }) => tags.some((tag) => tag.name === name))
  if (playlist.entries.some(({ tags }) => tags.some((tag) => tag.name === 'EXTINF' && /^\d*\.\d/.test(tag.value)))) {
    needs.push([3, 'fractional EXTINF'])
  }
  if (uses('EXT-X-BYTERANGE')) needs.push([4, 'EXT-X-BYTERANGE'])
  const iFramesOnly = playlist.tags.has('EXT-X-I-FRAMES-ONLY')
  if (iFramesOnly) needs.push([4, 'EXT-X-I-FRAMES-ONLY'])
  if (uses('EXT-X-MAP')) needs.push(iFramesOnly ? [5, 'EXT-X-MAP'] : [6, 'EXT-X-MAP without EXT-X-I-FRAMES-ONLY'])
  for (const [version, why] of needs) {
    if (media.version < version) {
      report('playlist-version', `EXT-X-VERSION is ${media.version}, ${why} needs ${version}`, { uri: media.uri })
    }
  }
}

function checkRepeats(media: MediaPlaylist, report: Report<HlsRule>): void {
  const seen = new Set<string>()
  for (const { uri, line, byteRange } of media.segments) {
    if (seen.has(uri) && !byteRange) report('segment-repeated', `${uri} comes twice`, { uri: media.uri, line })
    seen.add(uri)
  }
}

function checkDates(media: MediaPlaylist, toleranceSeconds: number, report: Report<HlsRule>): void {
  let expected: number | undefined
  for (const { programDateTimeMs: date, duration, discontinuity, line } of media.segments) {
    if (date !== undefined && Number.isNaN(date)) {
      report('program-date-time', 'it is no date with time zone', { uri: media.uri, line })
    } else if (date !== undefined && expected !== undefined) {
      const error = (date - expected) / 1000
      // A discontinuity may leave time out, but none comes twice.
      if (error < -toleranceSeconds || (error > toleranceSeconds && !discontinuity)) {
        const message = `the date is ${error.toFixed(3)} s off what the durations since the date before add up to`
        report('program-date-time', message, { uri: media.uri, line })
      }
    }
    if (date !== undefined && !Number.isNaN(date)) expected = date
    if (expected !== undefined) expected += duration * 1000
  }
}

/** m3u8-parser is what video.js reads playlists with. */
function checkParser(playlist: Playlist, media: MediaPlaylist, report: Report<HlsRule>): void {
  const parser = new Parser()
  parser.push(playlist.text)
  parser.end()
  const { manifest } = parser
  const theirs = {
    targetDuration: manifest.targetDuration,
    mediaSequence: manifest.mediaSequence ?? 0,
    discontinuitySequence: manifest.discontinuitySequence ?? 0,
    endList: manifest.endList === true,
    segments: manifest.segments.map(({ uri, duration, discontinuity }) => [uri, duration, discontinuity === true]),
  }
  const ours = {
    targetDuration: media.targetDuration,
    mediaSequence: media.mediaSequence,
    discontinuitySequence: media.discontinuitySequence ?? 0,
    endList: media.endList,
    segments: media.segments.map(({ uri, duration, discontinuity }) => [uri, duration, discontinuity]),
  }
  for (const key of Object.keys(ours) as (keyof typeof ours)[]) {
    const [a, b] = [JSON.stringify(ours[key]), JSON.stringify(theirs[key])]
    if (a !== b) report('playlist-parser', `${key}: the lines say ${cut(a)}, m3u8-parser ${cut(b)}`, { uri: media.uri })
  }
}

function cut(text: string | undefined): string {
  return text === undefined || text.length < 200 ? String(text) : `${text.slice(0, 200)}…`
}

/** ISO 8601 with a time zone (RFC 8216 §4.3.2.6). */
function parseDate(text: string): number {
  const isDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/.test(text)
  return isDate ? Date.parse(text) : Number.NaN
}
