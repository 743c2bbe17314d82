export { arbitraries } from './arbitraries/arbitraries.js'
export type { AudioFrames, AudioFramesOptions } from './arbitraries/audio-frames.js'
export type { H264Stream, H264StreamOptions } from './arbitraries/h264-stream.js'
export {
  type PacketizeOptions,
  packetizeH264,
  packetizeOpus,
  paddingPacket,
  type SentPacket,
} from './arbitraries/packetize.js'
export type { Program, ProgramOptions } from './arbitraries/program.js'
export type { Carried, NetworkOptions, RtpStream, RtpStreamOptions } from './arbitraries/rtp-stream.js'
export { type Finding, type FindingPlace, formatFindings, type RuleText } from './finding.js'
export { type AccessUnitRule, accessUnitRules } from './h264/access-unit-rules.js'
export type { SequenceParameters } from './h264/parameter-sets.js'
export { checkHls, type HlsInput, type HlsOptions } from './hls/check-hls.js'
export { checkPlaylistUpdate } from './hls/check-playlist-update.js'
export { type HlsRule, hlsRules } from './hls/rules.js'
export { checkMp4, type Mp4Options } from './mp4/check-mp4.js'
export { type Mp4Rule, mp4Rules } from './mp4/rules.js'
export {
  checkTransportStream,
  readTransportStream,
  type TransportStreamInput,
} from './transport-stream/check-transport-stream.js'
export type {
  ListedAccessUnit,
  ListedAudioFrame,
  ListedPcr,
  ListedStream,
  TransportStreamListing,
} from './transport-stream/listing.js'
export type { TransportStreamOptions } from './transport-stream/options.js'
export { type TransportStreamRule, transportStreamRules } from './transport-stream/rules.js'
