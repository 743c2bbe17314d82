export { Av1Depacketizer, type Av1Malformed } from './av1-depacketizer.js'
export { createDepacketizer, createDepacketizerStream, type DepacketizerStreamOptions } from './create-depacketizer.js'
export type {
  DepacketizerOptions,
  FrameDepacketizerOptions,
  H264DepacketizerOptions,
  H265DepacketizerOptions,
  Vp9DepacketizerOptions,
} from './depacketizer-options.js'
export type { DropCause } from './drop-cause.js'
export type { FrameStats } from './frame/frame-stats.js'
export { H264Depacketizer, type H264Malformed, type H264Stats } from './h264-depacketizer.js'
export { H265Depacketizer, type H265Malformed, type H265Stats } from './h265-depacketizer.js'
export type { NalUnitStats } from './nal-unit-depacketizer.js'
export { ntpToUnixUs } from './ntp-time.js'
export { OpusDepacketizer, type OpusStats } from './opus-depacketizer.js'
export { isRtcp, parseRtcpCompound, type RtcpCompound, type RtcpPacket, type RtcpReportBlock } from './rtcp-packet.js'
export type { RtpHeaderExtension } from './rtp-header-extension.js'
export type { RtpArrival, RtpInput, RtpPacketLike } from './rtp-input.js'
export { parseRtpPacket, type RtpDamage, RtpPacket } from './rtp-packet.js'
export { type RtpPacketFields, serializeRtpPacket } from './rtp-packet-writer.js'
export type { RtpMalformed, RtpStats } from './rtp-stats.js'
export { RtpTimestampUnwrapper, unwrapRtpTimestamp } from './rtp-timestamp.js'
export { SampleDepacketizer, type SampleStats } from './sample-depacketizer.js'
export { unwrapSequenceNumber } from './sequence.js'
// timeline
export { type ClockBasis, type ClockState, SourceClocks, type SourceClocksOptions } from './timeline/source-clocks.js'
export type { StartHoldStats } from './timeline/start-hold.js'
export { Timeline, type TimelineOptions, type TimelineStats } from './timeline/timeline.js'
export { createTimelineStream } from './timeline/timeline-stream.js'
export { Vp8Depacketizer, type Vp8Malformed } from './vp8-depacketizer.js'
export { Vp9Depacketizer, type Vp9Malformed } from './vp9-depacketizer.js'
