import type { MonotonicClock } from '@rushes/media'
import type { TakeError } from './errors.js'
import type { TakeFileSystem } from './file-system.js'
import type { JournalBudget } from './journal-budget.js'
import type { Refusal } from './refusals.js'
import type { Session, SessionTrack, TakeEvent } from './session.js'

/** What a take starts with; participants and tracks may also come later. */
export type NewSession = Omit<Session, 'participants' | 'events' | 'finished' | 'formatVersion'> &
  Partial<Pick<Session, 'participants' | 'events'>>

/** How a take is written. */
export interface TakeWriterOptions {
  /** Longest time in milliseconds that a packet stays in memory before it is given to the system. @defaultValue 100 */
  readonly maxDelayMs?: number
  /**
   * Bytes held in memory while the disk does not keep up; what comes beyond is refused. `write` asks for a pause from
   * half of it on. @defaultValue 33,554,432 (about 30 s of ten participants)
   */
  readonly maxBufferedBytes?: number
  /** Bytes in one track's file; what comes beyond is refused. @defaultValue no limit */
  readonly maxFileBytes?: number
  /**
   * When the operating system is asked to bring bytes and the names of new files to the disk, which a power failure
   * needs: never, when a track ends and when the take begins and is finished, or after each flush. What is killed with
   * the process needs none of it. @defaultValue 'finish'
   */
  readonly sync?: 'never' | 'finish' | 'flush'
  /** Time between attempts after a failed write, in milliseconds. @defaultValue 1000 */
  readonly retryMs?: number
  /** The disk space that this take shares with others. @defaultValue no budget */
  readonly budget?: JournalBudget
  /** Told when writing begins to fail; what is in memory stays there and is tried again. */
  readonly onError?: (error: TakeError) => void
  /** Told what was refused since the last time, at most once per flush. */
  readonly onRefused?: (refusals: readonly Refusal[]) => void
  /** @defaultValue the machine's monotonic clock */
  readonly clock?: MonotonicClock
  /** `createDiskThread()` where there are many takes at a time; for tests, a disk that stalls and fails. @defaultValue the machine's */
  readonly fileSystem?: TakeFileSystem
}

/** Counters of a writer. */
export interface TakeWriterStats {
  readonly packets: number
  readonly events: number
  /** Bytes given to the operating system or waiting for it, headers included. */
  readonly bytes: number
  readonly bufferedBytes: number
  readonly refused: readonly Refusal[]
}

/** Writes a take while it happens. */
export interface TakeWriter {
  readonly dir: string
  /** As it stands now. */
  readonly session: Session
  readonly stats: TakeWriterStats
  /** Begins a track. @throws TakeError `TAKE_BAD_SESSION` when the track breaks a rule or its id or file is taken. */
  addTrack(participantId: string, track: SessionTrack): void
  /** A track sends no more. */
  endTrack(trackId: string, atMs: number): void
  /**
   * Takes one RTP packet or RTCP compound packet; the bytes are copied. `arrivalUs` counts from the start of the
   * recording. `false` asks to wait for `drain()`. It never throws: what cannot be kept is counted in `stats.refused`.
   */
  write(trackId: string, data: Uint8Array, arrivalUs: number): boolean
  /** Notes something that happened in the room. */
  event(event: TakeEvent): void
  /** Resolves when memory has room again. */
  drain(): Promise<void>
  /** Gives everything to the operating system. @throws TakeError `TAKE_WRITE_FAILED` */
  flush(): Promise<void>
  /** Ends the take in good order. After a failure it may be called again. @throws TakeError `TAKE_WRITE_FAILED` */
  finish(options?: { readonly durationMs?: number }): Promise<Session>
  /** Stops at once. The folder stays, as after a crash: an unfinished take. */
  abort(): Promise<void>
}
