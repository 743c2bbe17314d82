import type { MonotonicClock } from '@rushes/media'
import type { JournalStep, JournalStepRule } from './journal-steps.js'

/** How the disk space of a journal is bounded. */
export interface JournalBudgetOptions {
  /** The folder of all takes, each in a folder of its own below it. */
  readonly dir: string
  /** Bytes that all takes together may have. @defaultValue no limit but the disk's */
  readonly maxBytes?: number
  /** Bytes of the file system that are left to others. @defaultValue 1,073,741,824 */
  readonly minFreeBytes?: number
  /** What is given up, in this order. @defaultValue see `defaultSteps`: refuse, delete, stop video, stop media */
  readonly steps?: readonly JournalStepRule[]
  /**
   * Folders of takes that may be deleted, because everything that was asked of them is done; asked when `delete-takes` is
   * taken. Those outside of `dir`, unfinished or being written are left alone. @defaultValue none: nothing is deleted
   */
  readonly deletable?: () => Promise<readonly string[]> | readonly string[]
  /** Told of each step when it is taken and undone, and of each take that is deleted. */
  readonly onPressure?: (pressure: JournalPressure) => void
  /** Time between looks at the free space, in milliseconds. @defaultValue 1000 */
  readonly pollMs?: number
  /** Free bytes of the file system of a folder. @defaultValue what the system says */
  readonly freeBytes?: (dir: string) => Promise<number>
  /** @defaultValue the machine's monotonic clock */
  readonly clock?: MonotonicClock
  /** Wall time in milliseconds, for reports. @defaultValue the machine's */
  readonly now?: () => number
}

/** What was not journalled of one track because of the budget. */
export interface JournalRefusal {
  /** Folder of the take. */
  readonly dir: string
  readonly trackId: string
  readonly packets: number
  readonly bytes: number
}

/** Space runs out, or has come back. */
export interface JournalPressure {
  /** `begun` and `ended` of a step; `take-deleted` and `delete-failed` of a take. */
  readonly type: 'begun' | 'ended' | 'take-deleted' | 'delete-failed'
  readonly step: JournalStep
  /** What ran out: the budget (`max-bytes`), or the disk (`free-space`). */
  readonly cause: 'max-bytes' | 'free-space'
  /** Wall time since when the step is taken, ISO 8601 in UTC. */
  readonly since: string
  /** Wall time of this report. */
  readonly at: string
  readonly leftBytes: number
  /** What has been refused since the step was taken, by track. */
  readonly refused: readonly JournalRefusal[]
  /** The folder that was deleted, or could not be. */
  readonly take?: string
  readonly error?: Error
  /** For people. */
  readonly message: string
}

/** Whether a new recording may begin. */
export type JournalAdmission =
  | { readonly ok: true; readonly leftBytes: number }
  | { readonly ok: false; readonly leftBytes: number; readonly neededBytes: number; readonly message: string }

/** The one budget of all writers of a journal. */
export interface JournalBudget {
  readonly dir: string
  /** Bytes of all takes, as far as they are known. */
  readonly usedBytes: number
  /** Bytes that may still be written. */
  readonly leftBytes: number
  /** The steps that are taken now. */
  readonly steps: readonly JournalStep[]
  /** What was refused since the beginning, by track. */
  readonly refused: readonly JournalRefusal[]
  /** May a recording begin that will write `bytesPerSecond`? Space for ten minutes of it has to be there. */
  admit(options?: { readonly bytesPerSecond?: number }): Promise<JournalAdmission>
  /** Measures everything anew: after something else deleted or added takes. */
  refresh(): Promise<void>
  /** For writers: whether packets of this kind are not to be journalled. */
  stops(kind: 'audio' | 'video'): boolean
  /** For writers: `bytes` will go to the disk. */
  account(bytes: number): void
  /** For writers: a packet was refused because of `stops`. */
  countRefused(dir: string, trackId: string, bytes: number): void
  /** For writers: looks at the free space if the last look is old. Called at each flush. It never throws. */
  poll(): void
}
