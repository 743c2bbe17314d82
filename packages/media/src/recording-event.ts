/**
 * What is told of a recording, to code, webhooks, mail and hook scripts alike. Every event is journalled before it is
 * told, so that its id always stands for the same content.
 */
export interface RecordingEvent {
  /** Unique for ever: receivers drop what they have seen. */
  readonly id: string
  readonly recordingId: string
  readonly roomId: string
  /** Counts the events of the recording from 1, without gaps: their order. */
  readonly sequence: number
  readonly type: RecordingEventType
  /** Wall time, ISO 8601 in UTC. */
  readonly at: string
  /** Microseconds of recording time, where the recording has begun. */
  readonly recordingTimeUs?: number
  /** What belongs to the type: JSON values only, never a secret. */
  readonly data: RecordingEventData
}

/** The life of a recording, in the order in which these may come. */
export type RecordingEventType =
  /** The recording exists; it waits for media. */
  | 'START'
  /** The first media has come. */
  | 'RECORDING'
  | 'PARTICIPANT_JOINED'
  | 'PARTICIPANT_LEFT'
  | 'TRACK_ADDED'
  | 'TRACK_REMOVED'
  | 'PAUSED'
  | 'RESUMED'
  | 'TRACK_MUTED'
  | 'TRACK_UNMUTED'
  /** The composite picture has another layout: `data.layout`. */
  | 'LAYOUT'
  /** A marker that the host set. */
  | 'MARK'
  /** Something was lost or is in danger; the recording goes on. */
  | 'WARNING'
  /** Recording has ended, `data.reason` tells why; the outputs are being finished. */
  | 'STOP'
  /** An output stands in the store, or plays while it grows: `data.url` or `data.location`, `data.key`, `data.container`. */
  | 'LINK'
  /** Everything is in the store, with its manifest. */
  | 'READY'
  /** An error that ended the recording or one of its outputs; `data.code`, `data.message`, `data.fatal`. */
  | 'ERROR'

/** What a journal and a webhook can carry. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/** Shared keys; each type has its own beside them. */
export interface RecordingEventData {
  readonly participantId?: string
  readonly trackId?: string
  readonly [key: string]: JsonValue | undefined
}

/** Whoever is told of recordings. */
export interface Notifier {
  /** For logs and statistics. */
  readonly name: string
  /**
   * Takes an event; resolves when it will survive a restart. Events of one recording are told in the order in which they
   * come, and one that was told before (by its id) is not told again. It never rejects because of a receiver.
   */
  notify(event: RecordingEvent): Promise<void>
  /** Ends: delivers what it can within `timeoutMs` (0 by default: nothing more), the rest at the next start. */
  close(options?: { readonly timeoutMs?: number }): Promise<void>
}
