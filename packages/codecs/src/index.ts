export {
  type AudioTranscoder,
  type AudioTranscoderStats,
  createAacTranscoder,
} from './aac-transcoder.js'
export type { AacTranscoderOptions } from './aac-transcoder-options.js'
export { ContinuousAudio, type ContinuousAudioStats, type Joint, type PcmSink } from './continuous-audio.js'
export { CodecError, type CodecErrorCode } from './errors.js'
export type { ConcealedGap, Concealment, LossFillerStats } from './loss-filler.js'
export type { AacEncoderName } from './node-av-aac-encoder.js'
export type { H264Preset } from './node-av-h264-encoder.js'
export type { PictureSize } from './picture-fit.js'
export { Placement, type PlacementStep } from './placement.js'
export {
  createVideoTranscoder,
  type VideoTranscoder,
  type VideoTranscoderStats,
} from './video-transcoder.js'
export type { VideoTranscoderOptions } from './video-transcoder-options.js'
