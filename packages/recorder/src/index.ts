export { RecorderError, type RecorderErrorCode } from './errors.js'
export type { LayoutChange } from './host-notes.js'
export type { LifecycleLimits, RecordingState, StopReason } from './lifecycle.js'
export type { DiskLimits, Logger, RecorderOptions, StartOptions } from './options.js'
export { createRecorder, type Recorder } from './recorder.js'
export type { Recording, RecordingTrackOptions } from './recording.js'
export type {
  KeyframeNeededSignal,
  RecordingSignal,
  RecordingStats,
  StatsSignal,
  TrackStats,
} from './recording-signal.js'
export type { RecoveredRecording } from './recovery.js'
export type { JournalRetention, RecordingSettings } from './settings.js'
