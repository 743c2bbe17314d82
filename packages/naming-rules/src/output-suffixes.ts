/** The container of an output. */
export type OutputContainer = 'hls' | 'mp4' | 'webm'

/**
 * What is appended to the name of an output, the longest of each kind. Every name has room for all of them, so that the
 * outputs of one recording in several containers share their stem.
 */
export const OUTPUT_SUFFIXES: readonly string[] = [
  '/segment-00000001.ts',
  '/index.m3u8',
  '.manifest.json',
  '.part-00001.webm',
  '.mp4',
  '.webm',
]

/** What a player is given. */
export const MAIN_SUFFIX: Readonly<Record<OutputContainer, string>> = {
  hls: '/index.m3u8',
  mp4: '.mp4',
  webm: '.webm',
}
