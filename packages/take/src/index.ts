export { createJournalBudget } from './create-journal-budget.js'
export { createTakeWriter } from './create-take-writer.js'
export type { TakeDamage } from './damage.js'
export { createDiskThread, type DiskThread } from './disk-thread.js'
export { type EraseParticipantOptions, eraseParticipant, participantHashOf } from './erase-participant.js'
export { TakeError, type TakeErrorCode } from './errors.js'
export type { OpenFile, TakeFileSystem } from './file-system.js'
export type { CaptureFormat, CaptureSource } from './import/capture-file.js'
export type { CapturedFrame, CaptureStats } from './import/capture-stats.js'
export { type ImportCapturesOptions, type ImportStream, importCaptures } from './import/import-captures.js'
export type {
  ImportedInput,
  ImportedTrack,
  ImportReport,
  LeftCause,
  SkippedStream,
} from './import/import-report.js'
export { type MjrInfo, MjrParser, type MjrRecord, type MjrStats } from './import/mjr-parser.js'
export type { PayloadFormat } from './import/payload-format.js'
export { PcapParser } from './import/pcap-parser.js'
export { PcapngParser } from './import/pcapng-parser.js'
export type {
  JournalAdmission,
  JournalBudget,
  JournalBudgetOptions,
  JournalPressure,
  JournalRefusal,
} from './journal-budget.js'
export { defaultSteps, type JournalStep, type JournalStepRule } from './journal-steps.js'
export { type ListedTake, listTakes } from './list-takes.js'
export { createLiveSource, type LiveSource, type LiveSourceOptions } from './live-source.js'
export { parseSession, validateSession } from './parse-session.js'
export { type RecoverTakeOptions, recoverTake, type TakeRecovery } from './recover-take.js'
export type { NotJournalledEvent, Refusal, RefusalCause } from './refusals.js'
export { removeTake } from './remove-take.js'
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
  type SessionErasure,
  type SessionParticipant,
  type SessionRecovered,
  type SessionTrack,
  startedAtUs,
  type TakeEvent,
} from './session.js'
export { foldEvents, type TrackAddedEvent } from './session-events.js'
export { trackOf } from './session-track.js'
export { type TailTakeOptions, tailTake } from './tail-take.js'
export { openTake, type Take, type TakeOptions } from './take.js'
export { lockJournal, type TakeLock } from './take-lock.js'
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
