// repair
export { NackGenerator, type NackOptions, type NackStats } from './repair/nack-generator.js'
export { type FecStats, UlpfecDecoder } from './repair/ulpfec.js'
// RTCP
export { ReceptionStatistics } from './rtcp/reception-statistics.js'
export { type ReportBlock, type RtcpMessage, serializeRtcp } from './rtcp/rtcp-writer.js'
// descriptions
export type {
  IngestDescription,
  IngestFeedback,
  IngestFormat,
  IngestLayer,
  IngestMedia,
} from './sdp/ingest-description.js'
export { parseSdp } from './sdp/parse-sdp.js'
// sessions
export type { IngestEvent } from './session/ingest-event.js'
export { RtpSession, type RtpSessionOptions } from './session/rtp-session.js'
export type { MediaStats, SessionStats } from './session/session-stats.js'
// simulcast
export {
  type EmitPacket,
  type SelectorReport,
  type SimulcastLayerOptions,
  SimulcastSelector,
  type SimulcastSelectorOptions,
  type SimulcastStats,
} from './simulcast/simulcast-selector.js'
