import { type BackOff, ConfigurationError, type MonotonicClock, monotonicClock } from '@rushes/media'
import { backOffOf } from './back-off.js'
import type { DeliveryReport, NotifierLogger } from './delivery.js'
import type { NotifierError } from './errors.js'

/** What all notifiers have in common: where they journal, how they retry, what they tell. */
export interface OutboxOptions {
  /**
   * The folder of the journal; it is made if need be, readable by its owner only. Each notifier has its own, and only
   * one process uses it at a time.
   */
  readonly journalDir: string
  /** Waits until lines are on the disk, so that they survive a power failure too; default false. */
  readonly fsync?: boolean
  /** Given up after so many attempts; default without limit. */
  readonly maxAttempts?: number
  /** Given up when so old, in milliseconds, after a last attempt at that age; default 24 hours. */
  readonly maxAgeMs?: number
  /** The waits between attempts; default first 1 s, at most 5 min, factor 2, full jitter. */
  readonly backoff?: Partial<BackOff>
  /** Attempts at the same time, for different recordings; default 8. */
  readonly maxConcurrent?: number
  /**
   * The journal of a recording is removed so long after its end, and four times so long after its last event when it
   * never ended, in milliseconds; default 7 days. Until then an event that comes again is recognized.
   */
  readonly keepMs?: number
  /** Largest body, in bytes; default 1 MiB. */
  readonly maxBodyBytes?: number
  /** Bodies in memory, in bytes; beyond that they are read from the journal when their turn comes; default 16 MiB. */
  readonly maxMemoryBytes?: number
  /** Undelivered events, all recordings together; beyond that, events are refused and reported; default 100,000. */
  readonly maxPending?: number
  /** Told of each attempt. */
  readonly onDelivery?: (report: DeliveryReport) => void
  /** Told of trouble that is not one delivery's: the journal fails, or too much is undelivered. */
  readonly onProblem?: (error: NotifierError) => void
  /** Gets warnings; by default there are none. */
  readonly logger?: NotifierLogger
  /** Time for waits; by default the machine's. */
  readonly clock?: MonotonicClock
  /** Wall time in milliseconds since 1970; by default the machine's. */
  readonly wallNowMs?: () => number
  /** Numbers from 0 to less than 1; by default `Math.random`. */
  readonly random?: () => number
}

/** The options with their defaults. */
export type OutboxSettings = Required<Omit<OutboxOptions, 'backoff' | 'logger' | 'onDelivery' | 'onProblem'>> &
  Pick<OutboxOptions, 'logger' | 'onDelivery' | 'onProblem'> & { readonly backoff: BackOff }

/** Fills in the defaults; `ConfigurationError` names the field that is wrong. */
export function outboxSettings(options: OutboxOptions): OutboxSettings {
  if (typeof options.journalDir !== 'string' || options.journalDir === '') {
    throw new ConfigurationError('journalDir', 'must be the path of a folder')
  }
  const whole = (field: 'maxAttempts' | 'maxConcurrent' | 'maxPending' | 'maxBodyBytes', value: number): number => {
    if (!(value >= 1 && (Number.isInteger(value) || (field === 'maxAttempts' && value === Infinity)))) {
      throw new ConfigurationError(field, 'must be a whole number of at least 1', value)
    }
    return value
  }
  const atLeast0 = (field: 'maxAgeMs' | 'keepMs' | 'maxMemoryBytes', value: number): number => {
    if (!Number.isFinite(value) || value < 0) throw new ConfigurationError(field, 'must not be negative', value)
    return value
  }
  return {
    journalDir: options.journalDir,
    fsync: options.fsync ?? false,
    maxAttempts: whole('maxAttempts', options.maxAttempts ?? Infinity),
    maxAgeMs: atLeast0('maxAgeMs', options.maxAgeMs ?? 86_400_000),
    backoff: backOffOf(options.backoff),
    maxConcurrent: whole('maxConcurrent', options.maxConcurrent ?? 8),
    keepMs: atLeast0('keepMs', options.keepMs ?? 7 * 86_400_000),
    maxBodyBytes: whole('maxBodyBytes', options.maxBodyBytes ?? 1_048_576),
    maxMemoryBytes: atLeast0('maxMemoryBytes', options.maxMemoryBytes ?? 16_777_216),
    maxPending: whole('maxPending', options.maxPending ?? 100_000),
    clock: options.clock ?? monotonicClock,
    wallNowMs: options.wallNowMs ?? Date.now,
    random: options.random ?? Math.random,
    ...(options.onDelivery && { onDelivery: options.onDelivery }),
    ...(options.onProblem && { onProblem: options.onProblem }),
    ...(options.logger && { logger: options.logger }),
  }
}
