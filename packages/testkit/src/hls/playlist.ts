import type { Report } from '../finding.js'
import { readAttributes } from './attributes.js'
import type { HlsRule } from './rules.js'

/** A line that is a tag. */
export interface Tag {
  /** Without `#`. */
  readonly name: string
  /** After the colon; empty where there is none. */
  readonly value: string
  readonly line: number
}

/** A URI with the tags that apply to it alone. */
export interface Entry {
  readonly uri: string
  readonly line: number
  readonly tags: readonly Tag[]
}

/** A playlist as its lines say it. */
export interface Playlist {
  readonly kind: 'media' | 'multivariant'
  readonly uri: string
  readonly text: string
  readonly entries: readonly Entry[]
  /** Tags of the playlist as a whole. */
  readonly tags: ReadonlyMap<string, readonly Tag[]>
}

/** Tags that apply to the next segment (RFC 8216 §4.3.2). */
const SEGMENT_TAGS = new Set([
  'EXTINF',
  'EXT-X-BYTERANGE',
  'EXT-X-DISCONTINUITY',
  'EXT-X-PROGRAM-DATE-TIME',
  'EXT-X-GAP',
  'EXT-X-BITRATE',
])
/** KEY and MAP hold for what follows; they are kept with the segment that they come before. */
const STICKY_TAGS = new Set(['EXT-X-KEY', 'EXT-X-MAP', 'EXT-X-DATERANGE'])
const MEDIA_TAGS = new Set([
  'EXT-X-TARGETDURATION',
  'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-DISCONTINUITY-SEQUENCE',
  'EXT-X-ENDLIST',
  'EXT-X-PLAYLIST-TYPE',
  'EXT-X-I-FRAMES-ONLY',
])
const MULTIVARIANT_TAGS = new Set([
  'EXT-X-MEDIA',
  'EXT-X-STREAM-INF',
  'EXT-X-I-FRAME-STREAM-INF',
  'EXT-X-SESSION-DATA',
  'EXT-X-SESSION-KEY',
])
/** Tags that come at most once. */
const ONCE = new Set([
  'EXTM3U',
  'EXT-X-VERSION',
  'EXT-X-TARGETDURATION',
  'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-DISCONTINUITY-SEQUENCE',
  'EXT-X-ENDLIST',
  'EXT-X-PLAYLIST-TYPE',
  'EXT-X-I-FRAMES-ONLY',
  'EXT-X-INDEPENDENT-SEGMENTS',
  'EXT-X-START',
])
/** Tags that take no value. */
const BARE = new Set([
  'EXTM3U',
  'EXT-X-ENDLIST',
  'EXT-X-DISCONTINUITY',
  'EXT-X-INDEPENDENT-SEGMENTS',
  'EXT-X-GAP',
  'EXT-X-I-FRAMES-ONLY',
])
const INTEGER = new Set([
  'EXT-X-VERSION',
  'EXT-X-TARGETDURATION',
  'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-DISCONTINUITY-SEQUENCE',
])
const ATTRIBUTES = new Set(['EXT-X-KEY', 'EXT-X-MAP', 'EXT-X-DATERANGE', 'EXT-X-START', ...MULTIVARIANT_TAGS])

/** Reads the lines of a playlist and checks their form (RFC 8216 §4.1 to §4.3). */
export function readPlaylist(bytes: Uint8Array, uri: string, report: Report<HlsRule>): Playlist {
  const bad = (message: string, line?: number): void =>
    report('playlist-syntax', message, { uri, ...(line === undefined ? {} : { line }) })
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    bad('it is not UTF-8')
    text = new TextDecoder().decode(bytes)
  }
  if (text.startsWith('\ufeff')) {
    bad('it starts with a byte order mark', 1)
    text = text.slice(1)
  }
  const lines = text.split(/\r?\n/)
  if (lines[lines.length - 1] !== '') bad('the last line does not end', lines.length)
  if (lines[0] !== '#EXTM3U') bad(`the first line is ${JSON.stringify(lines[0]?.slice(0, 20))}, not #EXTM3U`, 1)
  const tags = new Map<string, Tag[]>()
  const entries: Entry[] = []
  let pending: Tag[] = []
  for (const [index, content] of lines.entries()) {
    const line = index + 1
    if (content === '') continue
    if (/^\s|\s$/.test(content)) bad('white space around a line', line)
    if (!content.startsWith('#')) {
      entries.push({ uri: content, line, tags: pending })
      pending = []
      continue
    }
    // Anything else behind a hash is a comment.
    const match = /^#(EXT[^:]*)(?::(.*))?$/.exec(content)
    if (match === null) continue
    const tag: Tag = { name: match[1] as string, value: match[2] ?? '', line }
    checkTag(tag, tags, entries.length > 0 || pending.some(({ name }) => name === 'EXT-X-DISCONTINUITY'), bad)
    const ofEntry = SEGMENT_TAGS.has(tag.name) || STICKY_TAGS.has(tag.name) || tag.name === 'EXT-X-STREAM-INF'
    if (ofEntry) pending.push(tag)
    tags.set(tag.name, [...(ofEntry ? [] : (tags.get(tag.name) ?? [])), tag])
  }
  const left = pending.find(({ name }) => name === 'EXTINF' || name === 'EXT-X-STREAM-INF')
  if (left !== undefined) bad(`${left.name} without a URI`, left.line)
  const has = (names: ReadonlySet<string>): boolean => [...names].some((name) => tags.has(name))
  const isMultivariant = has(MULTIVARIANT_TAGS)
  if (isMultivariant && (has(MEDIA_TAGS) || has(SEGMENT_TAGS))) bad('it has tags of both kinds of playlist')
  const kind = isMultivariant ? 'multivariant' : 'media'
  for (const entry of entries) checkEntry(entry, kind, bad)
  return { kind, uri, text, entries, tags }
}

function checkTag(
  tag: Tag,
  seen: ReadonlyMap<string, readonly Tag[]>,
  afterSegment: boolean,
  bad: (message: string, line?: number) => void,
): void {
  const { name, value, line } = tag
  if (ONCE.has(name) && seen.has(name)) bad(`${name} comes twice`, line)
  if (BARE.has(name) && value !== '') bad(`${name} takes no value`, line)
  if (INTEGER.has(name) && !/^\d{1,20}$/.test(value)) bad(`${name} is ${JSON.stringify(value)}, not an integer`, line)
  if (ATTRIBUTES.has(name) && readAttributes(value) === undefined) bad(`${name} has no valid attribute list`, line)
  if (afterSegment && (name === 'EXT-X-MEDIA-SEQUENCE' || name === 'EXT-X-DISCONTINUITY-SEQUENCE')) {
    bad(`${name} comes after a segment or discontinuity`, line)
  }
  if (name === 'EXT-X-PLAYLIST-TYPE' && value !== 'EVENT' && value !== 'VOD') bad(`${name} is ${value}`, line)
}

function checkEntry(entry: Entry, kind: Playlist['kind'], bad: (message: string, line?: number) => void): void {
  const wanted = kind === 'media' ? 'EXTINF' : 'EXT-X-STREAM-INF'
  const found = entry.tags.filter(({ name }) => name === wanted)
  if (found.length !== 1) bad(`a URI with ${found.length} tags ${wanted}, expected 1`, entry.line)
  const extinf = kind === 'media' ? found[0] : undefined
  if (extinf !== undefined && !/^\d+(\.\d+)?,/.test(extinf.value)) {
    bad(`EXTINF is ${JSON.stringify(extinf.value)}, not a duration and a comma`, extinf.line)
  }
}
