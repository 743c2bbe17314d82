import type { PutOptions } from '../store.js'

/** What of a put decides whether the object is an index. */
export type IndexFacts = Pick<PutOptions, 'contentType'>

const TYPES: ReadonlySet<string> = new Set([
  'application/vnd.apple.mpegurl',
  'application/x-mpegurl',
  'audio/mpegurl',
  'audio/x-mpegurl',
  'application/dash+xml',
  'application/json',
  'text/vtt',
])
const ENDINGS = /\.(?:m3u8?|mpd|json|vtt)$/i

/**
 * Whether an object refers to others and therefore must not overtake them: by default playlists (HLS, DASH), JSON and
 * WebVTT, told by media type or by the ending of the key.
 */
export function isIndexByDefault(key: string, { contentType }: IndexFacts): boolean {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase()
  return ENDINGS.test(key) || (type !== undefined && TYPES.has(type))
}

/** The folder of a key with its slash at the end, `''` at the top. */
export function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1)
}

/** All folders that a key lies in, from the top: `a/b/c` gives `''`, `a/`, `a/b/`. */
export function foldersOf(key: string): string[] {
  const folders = ['']
  for (let slash = key.indexOf('/'); slash >= 0; slash = key.indexOf('/', slash + 1))
    folders.push(key.slice(0, slash + 1))
  return folders
}
