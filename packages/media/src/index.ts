export type { AccessUnit } from './access-unit.js'
export type { AudioFrame } from './audio-frame.js'
export { type BackOff, checkBackOff, delayMs, longestDelayMs } from './back-off.js'
export { chain } from './chain.js'
export { type MonotonicClock, monotonicClock } from './clock.js'
export type { AudioConfiguration, Configuration, ParameterSets, Rotation, VideoConfiguration } from './configuration.js'
export { DeadlineHeap } from './deadline-heap.js'
export type { EncodedSample, TimedItem, Watermark } from './encoded-sample.js'
export { ConfigurationError, RushesError } from './errors.js'
export { joinPieces, type NalPieces, nalPiecesOf, piecesLength } from './nal-pieces.js'
export type { OutputObject } from './output-object.js'
export type {
  JsonValue,
  Notifier,
  RecordingEvent,
  RecordingEventData,
  RecordingEventType,
} from './recording-event.js'
export type { SegmentFormat, SegmentStart } from './segment-format.js'
export type { SenderReport, SourceItem, TrackEnd } from './source-report.js'
export type { Emit, KeyframeNeeded, Signal, Stage, TimedStage } from './stage.js'
export { type StageStreamOptions, type TypedTransform, toStream } from './stage-stream.js'
export { rescale, ticksToUs, usToTicks } from './ticks.js'
export { type AudioCodec, type AudioTrack, type Track, timescaleOf, type VideoCodec, type VideoTrack } from './track.js'
export type { NewTrack, TrackSink, TrackTarget } from './track-target.js'
