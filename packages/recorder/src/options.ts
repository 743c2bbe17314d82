import type { MonotonicClock, Notifier } from '@rushes/media'
import type { NamingRule } from '@rushes/naming-rules'
import type { Store } from '@rushes/storage-adapters'
import type { JournalStepRule } from '@rushes/take'
import type { RecordingSettings } from './settings.js'

/** Writes what happens to a host's log. Fields hold no secret. */
export interface Logger {
  debug(message: string, fields?: object): void
  info(message: string, fields?: object): void
  warn(message: string, fields?: object): void
  error(message: string, fields?: object): void
}

/** How a recorder works; with the {@link RecordingSettings} that its recordings have by default. */
export interface RecorderOptions extends RecordingSettings {
  /** Where finished recordings go. */
  readonly store: Store
  /** Folder of the journals, on a local disk. One process at a time uses it. */
  readonly journalDir: string
  /** Folder in which MP4s grow before they are stored. @defaultValue beside each journal */
  readonly scratchDir?: string
  /** @defaultValue `template('{recordingId}/{participantId}')` */
  readonly naming?: NamingRule
  /** Who is told of each event. */
  readonly notify?: Notifier | readonly Notifier[]
  /** Recordings at a time, those that are still being finished aside. @defaultValue Infinity */
  readonly maxRecordings?: number
  readonly disk?: DiskLimits
  /** Whether a power failure may take what the last second wrote. @defaultValue 'finish' */
  readonly sync?: 'never' | 'finish' | 'flush'
  /** Outputs that are made from journals at a time: after crashes, and of recordings that are not live. @defaultValue 2 */
  readonly maxRenders?: number
  /** Tries to make the outputs before a recording has failed. Between them the wait doubles from one second on. @defaultValue 4 */
  readonly maxAttempts?: number
  /** Seconds for which URLs in LINK and READY are good, where the store signs. @defaultValue 604,800 */
  readonly linkExpiresIn?: number
  /** Time between `stats` events, milliseconds. @defaultValue 5000 */
  readonly statsIntervalMs?: number
  readonly logger?: Logger
  /** The clock of arrival times. @defaultValue the machine's monotonic clock */
  readonly clock?: MonotonicClock
  /** Wall time in milliseconds since 1970, for names and events; nothing is timed by it. @defaultValue the machine's */
  readonly now?: () => number
}

/** The disk space that all journals share. */
export interface DiskLimits {
  /** Bytes of all journals. @defaultValue no limit but the disk's */
  readonly maxBytes?: number
  /** Bytes that are left to others. @defaultValue 1 GiB */
  readonly minFreeBytes?: number
  /** What is given up first; see `createJournalBudget`. */
  readonly steps?: readonly JournalStepRule[]
}

/** A recording to start: its own settings stand before the recorder's. */
export interface StartOptions extends RecordingSettings {
  readonly roomId: string
  /** Letters, digits, `.`, `_`, `-`; at most 128; never used before. @defaultValue made from the time and chance */
  readonly recordingId?: string
  /** For names: further facts, by the names that the naming template uses for them. */
  readonly sessionId?: string
}
