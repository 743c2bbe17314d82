export { type AacEncoder, type AacEncoderStats, createAacEncoder } from './aac-encoder.js'
export type { AacEncoderOptions, AacEncoding } from './aac-encoder-options.js'
export {
  type AudioTranscoder,
  type AudioTranscoderStats,
  createAacTranscoder,
} from './aac-transcoder.js'
export type { AacTranscoderOptions } from './aac-transcoder-options.js'
export { CodedConfiguration } from './coded-configuration.js'
export { ContinuousAudio, type ContinuousAudioStats, type Joint, type PcmSink } from './continuous-audio.js'
export { CodecError, type CodecErrorCode } from './errors.js'
export { H264EncoderThread } from './h264-encoder-thread.js'
export {
  type CodedPictureSink,
  H264PictureEncoder,
  type H264PictureEncoderOptions,
} from './h264-picture-encoder.js'
export { JpegEncoder } from './jpeg-encoder.js'
export type { ConcealedGap, Concealment, LossFillerStats } from './loss-filler.js'
export type { AacEncoderName } from './node-av-aac-encoder.js'
export type { H264Latency, H264Preset, H264Profile } from './node-av-h264-encoder.js'
export { createPcmDecoder, type PcmDecoder, type PcmDecoderStats, type PositionedPcmSink } from './pcm-decoder.js'
export type { PcmDecoderOptions } from './pcm-decoder-options.js'
export { Picture } from './picture.js'
export { type PictureArea, PictureCanvas, type YuvColor } from './picture-canvas.js'
export { type DecodedPictureSink, PictureDecoder } from './picture-decoder.js'
export type { PictureSize } from './picture-fit.js'
export { PictureScaler, type ScalingAlgorithm } from './picture-scaler.js'
export { Placement, type PlacementStep } from './placement.js'
export { startThread, type ThreadOptions } from './start-thread.js'
export {
  createVideoTranscoder,
  type VideoTranscoder,
  type VideoTranscoderStats,
} from './video-transcoder.js'
export type { VideoTranscoderOptions } from './video-transcoder-options.js'
