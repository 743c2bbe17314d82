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
  type AudioRendition,
  type MultivariantPlaylist,
  parseMultivariantPlaylist,
  serializeMultivariantPlaylist,
  type VariantStream,
} from './multivariant-playlist.js'
export { relativeUri } from './object-uri.js'
export { OpusGapFiller, type OpusGapFillerStats } from './opus-gap-filler.js'
export {
  type AudioRenditionOptions,
  RenditionSegmenter,
  type RenditionSegmenterOptions,
  type RenditionSegmenterStats,
} from './rendition-segmenter.js'
export {
  createRenditionSegmenterStream,
  type RenditionSegmenterStream,
  type RenditionSegmenterStreamOptions,
} from './rendition-segmenter-stream.js'
export type { HlsNames, HlsResume, HlsSegmenterOptions } from './segmenter-options.js'
