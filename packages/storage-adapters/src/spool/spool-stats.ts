import type { StoreErrorCode } from '../errors.js'
import type { CircuitState } from './circuit.js'

/** What a spool did since it was opened, and what it holds. */
export interface SpoolStats {
  /** `unavailable`: the store is down and tried now and then; `blocked`: it refuses; `closed`. */
  readonly state: CircuitState | 'closed'
  /** Entries that are not done: those under way and those that were given up included. */
  readonly waiting: number
  readonly waitingBytes: number
  /** Milliseconds since the oldest of them was put; 0 when there is none. */
  readonly oldestAgeMs: number
  /** Transfers under way. */
  readonly uploading: number
  /** Keys that were given up and wait for `retry`. */
  readonly givenUp: number
  /** Bytes in the folder: what waits, what is being written, and copies of stored objects. */
  readonly diskBytes: number
  /** Copies of stored objects. */
  readonly keptCopies: number
  readonly keptBytes: number
  /** Accepted since the start. */
  readonly accepted: number
  /** Found in the journal at the start. */
  readonly resumed: number
  /** Confirmed by the store. */
  readonly stored: number
  readonly storedBytes: number
  readonly deleted: number
  /** Versions that were left out for newer ones. */
  readonly replaced: number
  /** Failed transfers, by the code of their error. */
  readonly failures: Readonly<Partial<Record<StoreErrorCode, number>>>
  /** Transfers that were stopped because nothing moved; they count among the failures too. */
  readonly stalled: number
  /** Puts refused because the folder or the disk was full. */
  readonly refused: number
  /** Stored bytes per second over the last half minute. */
  readonly bytesPerSecond: number
  /** Writes of the journal that failed. */
  readonly journalFailures: number
  /** Lines of the journal that could not be read at the start, kept in `journal.damaged`. */
  readonly damagedLines: number
  /** Files of bodies that no entry names; they are left alone. */
  readonly orphans: number
  /** Events that slow readers did not get. */
  readonly droppedEvents: number
}
