export {
  type AacTranscoderOptions,
  type AudioTranscoder,
  type AudioTranscoderStats,
  createAacTranscoder,
} from './aac-transcoder.js'
export { ContinuousAudio, type ContinuousAudioStats, type Joint, type PcmSink } from './continuous-audio.js'
export { CodecError, type CodecErrorCode } from './errors.js'
export type { AacEncoderName } from './node-av-aac-encoder.js'
export type { DecodedPacket, OpusDecoder } from './opus-decoder.js'
export { Placement, type PlacementStep } from './placement.js'
