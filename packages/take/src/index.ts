export { createTakeWriter } from './create-take-writer.js'
export type { TakeDamage } from './damage.js'
export { TakeError, type TakeErrorCode } from './errors.js'
export { createLiveSource, type LiveSource, type LiveSourceOptions } from './live-source.js'
export { parseSession, validateSession } from './parse-session.js'
export type { Refusal, RefusalCause } from './refusals.js'
export {
  isRtcpPacket,
  MAX_OFFSET_MS,
  MAX_RECORD_DATA_BYTES,
  parseRtpdumpHeader,
  type RtpdumpHeader,
  type RtpdumpRecord,
  serializeRtpdumpHeader,
  serializeRtpdumpRecord,
} from './rtpdump.js'
export { type CutCause, parseRtpdump, RtpdumpParser, type RtpdumpStats } from './rtpdump-parser.js'
export {
  SESSION_FORMAT_VERSION,
  type Session,
  type SessionParticipant,
  type SessionTrack,
  startedAtUs,
  type TakeEvent,
} from './session.js'
export { foldEvents, type TrackAddedEvent } from './session-events.js'
export { trackOf } from './session-track.js'
export { type TailTakeOptions, tailTake } from './tail-take.js'
export { openTake, type Take, type TakeOptions } from './take.js'
export type {
  TakeEnd,
  TakeEventItem,
  TakeIdle,
  TakeItem,
  TakeItemsOptions,
  TakeRecord,
  TakeSource,
  TakeTrackItem,
} from './take-source.js'
export type { NewSession, TakeWriter, TakeWriterOptions, TakeWriterStats } from './take-writer.js'
