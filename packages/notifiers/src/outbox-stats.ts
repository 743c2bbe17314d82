/** What an outbox did since it was opened, and what it holds. */
export interface OutboxStats {
  /** Taken and journalled. */
  queued: number
  /** Found undelivered in the journal at the start. */
  resumed: number
  /** Not queued again, since their id was known. */
  duplicates: number
  /** Not taken, since too much was undelivered. */
  refused: number
  attempts: number
  /** Attempts that failed and were followed by another wait. */
  retries: number
  delivered: number
  /** Given up. */
  failed: number
  /** Undelivered, those in flight included. */
  pending: number
  inFlight: number
  /** Bodies in memory. */
  memoryBytes: number
  /** Reads and writes of the journal that failed. */
  journalFailures: number
  /** Journals whose last line was cut off when they were opened. */
  tornTails: number
  /** Lines of journals that could not be read. */
  damagedLines: number
  /** The host's callbacks that threw. */
  callbackErrors: number
}

export function emptyStats(): OutboxStats {
  return {
    queued: 0,
    resumed: 0,
    duplicates: 0,
    refused: 0,
    attempts: 0,
    retries: 0,
    delivered: 0,
    failed: 0,
    pending: 0,
    inFlight: 0,
    memoryBytes: 0,
    journalFailures: 0,
    tornTails: 0,
    damagedLines: 0,
    callbackErrors: 0,
  }
}
