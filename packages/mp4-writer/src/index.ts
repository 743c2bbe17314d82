export { type CmafFormat, type CmafStats, cmafFormat } from './cmaf-format.js'
export type { CmafFormatOptions } from './cmaf-options.js'
export { Mp4Error, type Mp4ErrorCode } from './errors.js'
export type { Mp4Metadata } from './file-tags.js'
export { createMp4Writable, type Mp4Writable } from './mp4-writable.js'
export {
  createMp4Writer,
  type Mp4Summary,
  type Mp4TrackSummary,
  type Mp4Writer,
  type Mp4WriterOptions,
  type Mp4WriterStats,
} from './mp4-writer.js'
export { type RecoveredMp4, recoverFragmentedMp4 } from './recover.js'
export { WebmError, type WebmErrorCode } from './webm-errors.js'
export { createWebmWritable, type WebmWritable } from './webm-writable.js'
export {
  createWebmWriter,
  type WebmSummary,
  type WebmWriter,
  type WebmWriterOptions,
  type WebmWriterStats,
} from './webm-writer.js'
