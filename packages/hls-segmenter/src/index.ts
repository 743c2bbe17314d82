export type { ByteRange } from './byte-range.js'
export { HlsPlaylistError, type HlsPlaylistErrorCode } from './errors.js'
export type { HlsSummary } from './hls-publisher.js'
export { HlsSegmenter, type HlsSegmenterStats } from './hls-segmenter.js'
export {
  createHlsSegmenterStream,
  type HlsSegmenterStream,
  type HlsSegmenterStreamOptions,
} from './hls-segmenter-stream.js'
export { Interleaver, type InterleaverOptions, type InterleaverStats } from './interleaver.js'
export type { Resolution } from './media-facts.js'
export {
  type MediaPlaylist,
  type MediaPlaylistHeader,
  type MediaSegment,
  parseMediaPlaylist,
  requiredVersion,
  serializeMediaPlaylist,
} from './media-playlist.js'
export {
  type MultivariantPlaylist,
  parseMultivariantPlaylist,
  serializeMultivariantPlaylist,
  type VariantStream,
} from './multivariant-playlist.js'
export type { HlsNames, HlsResume, HlsSegmenterOptions } from './segmenter-options.js'
