/** The container of an output. */
export type OutputContainer = 'hls' | 'mp4' | 'webm'

/** The playlist that players are given, unless the rule has another place for it. */
export const INDEX_SUFFIX = '/index.m3u8'

/**
 * What is appended to the name of an output, the longest of each kind. Every name has room for all of them, so that the
 * outputs of one recording in several containers share their stem.
 */
export const OUTPUT_SUFFIXES: readonly string[] = [
  '/segment-00000001.ts',
  '/rendition-1/segment-00000001.ts',
  '.part-00001/segment-00000001.ts',
  '.part-00001/rendition-1/segment-00000001.ts',
  INDEX_SUFFIX,
  '/poster.jpg',
  '/thumbnails-00001.jpg',
  '/thumbnails.vtt',
  '.m3u8',
  '.manifest.json',
  '.part-00001.webm',
  '.mp4',
  '.webm',
]

/** What a player is given. */
export const MAIN_SUFFIX: Readonly<Record<OutputContainer, string>> = {
  hls: INDEX_SUFFIX,
  mp4: '.mp4',
  webm: '.webm',
}

/** What tells the parts of an output apart where the rule does not. */
export function partSuffix(part: number): string {
  return `.part-${String(part).padStart(5, '0')}`
}
