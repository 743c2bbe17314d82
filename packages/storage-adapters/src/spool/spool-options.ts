import { ConfigurationError, type MonotonicClock, monotonicClock } from '@rushes/media'
import type { Store } from '../store.js'
import { backOffOf, type SpoolBackOff } from './back-off.js'
import { folderOf, type IndexFacts, isIndexByDefault } from './index-rule.js'
import type { FreePolicy } from './kept-copies.js'

/** How a spool behaves. */
export interface SpoolOptions {
  /** Where everything goes in the end. `close` of the spool closes it. */
  readonly store: Store
  /** A folder of this spool alone, made if need be, readable by its owner only. Another process is kept out of it. */
  readonly dir: string
  /** Transfers at the same time, 1 to 64. @defaultValue 4 */
  readonly concurrency?: number
  /**
   * Bytes per second of all transfers together. Bodies then go through a stream, and large files do not go on in the
   * middle after a failure. @defaultValue no limit
   */
  readonly bytesPerSecond?: number
  /**
   * Milliseconds in which nothing of a transfer moves after which it is stopped and tried again, 1 second to a day, or
   * `Infinity`; more where bytes may be on their way out of sight: as long as they take at 1 kB/s, half an hour at most.
   * Only for stores whose `capabilities.progress` is true. @defaultValue 2 minutes
   */
  readonly stallMs?: number
  /** Bytes in the folder; a put beyond is refused with `STORE_NO_SPACE`. @defaultValue what the disk holds */
  readonly maxBytes?: number
  /** Entries, copies of stored objects included; each takes about half a kilobyte of memory. @defaultValue 200,000 */
  readonly maxEntries?: number
  /** What was put outlives a power failure; costs some milliseconds per object. @defaultValue false */
  readonly fsync?: boolean
  /** When the local copy goes, once the store has confirmed it. @defaultValue 'at-once' */
  readonly free?: FreePolicy
  /** Waits after failures. @defaultValue first 500 ms, at most 30 s, factor 2, full jitter */
  readonly backOff?: Partial<SpoolBackOff>
  /**
   * A store that refuses (rights, bucket, settings) is tried again after so many milliseconds; `Infinity`: only by
   * `retry`. @defaultValue 15 minutes
   */
  readonly resumeAfterMs?: number
  /** Which objects refer to others. @defaultValue playlists, JSON and WebVTT, by media type or ending */
  readonly isIndex?: (key: string, facts: IndexFacts) => boolean
  /**
   * The folder under which everything lies that an index may refer to: with a slash at its end, or empty for all.
   * @defaultValue the folder of the index itself
   */
  readonly scopeOf?: (key: string) => string
  /** Time for waits. @defaultValue the machine's */
  readonly clock?: MonotonicClock
  /** Wall time in milliseconds since 1970. @defaultValue the machine's */
  readonly wallNowMs?: () => number
  /** Numbers from 0 to less than 1. @defaultValue `Math.random` */
  readonly random?: () => number
}

/** The options with their defaults. */
export interface SpoolSettings extends Required<Omit<SpoolOptions, 'backOff'>> {
  readonly backOff: SpoolBackOff
}

/** Fills in the defaults; `ConfigurationError` names the field that is wrong. */
export function spoolSettings(options: SpoolOptions): SpoolSettings {
  const check = (field: string, holds: boolean, rule: string, got?: unknown): void => {
    if (!holds) throw new ConfigurationError(field, rule, got)
  }
  check('store', typeof options.store?.put === 'function', 'must be a store')
  check('dir', typeof options.dir === 'string' && options.dir !== '', 'must be the path of a folder', options.dir)
  const settings: SpoolSettings = {
    store: options.store,
    dir: options.dir,
    concurrency: options.concurrency ?? 4,
    bytesPerSecond: options.bytesPerSecond ?? Infinity,
    stallMs: options.stallMs ?? 120_000,
    maxBytes: options.maxBytes ?? Infinity,
    maxEntries: options.maxEntries ?? 200_000,
    fsync: options.fsync ?? false,
    free: options.free ?? 'at-once',
    backOff: backOffOf(options.backOff),
    resumeAfterMs: options.resumeAfterMs ?? 900_000,
    isIndex: options.isIndex ?? isIndexByDefault,
    scopeOf: options.scopeOf ?? folderOf,
    clock: options.clock ?? monotonicClock,
    wallNowMs: options.wallNowMs ?? Date.now,
    random: options.random ?? Math.random,
  }
  const { concurrency, bytesPerSecond, stallMs, maxBytes, maxEntries, free, resumeAfterMs } = settings
  const isCount = Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 64
  check('concurrency', isCount, 'must be a whole number from 1 to 64', concurrency)
  check('bytesPerSecond', bytesPerSecond >= 1024, 'must be at least 1,024', bytesPerSecond)
  const isStall = stallMs === Infinity || (stallMs >= 1000 && stallMs <= 86_400_000)
  check('stallMs', isStall, 'must be 1,000 to 86,400,000, or Infinity', stallMs)
  check('maxBytes', maxBytes > 0, 'must be more than 0', maxBytes)
  check(
    'maxEntries',
    Number.isInteger(maxEntries) && maxEntries >= 1,
    'must be a whole number of at least 1',
    maxEntries,
  )
  check('resumeAfterMs', resumeAfterMs > 0, 'must be more than 0', resumeAfterMs)
  check(
    'free',
    isFreePolicy(free),
    "must be 'at-once', 'never', { afterMs } or { whenBytesAbove }",
    JSON.stringify(free),
  )
  return settings
}

function isFreePolicy(free: unknown): boolean {
  if (free === 'at-once' || free === 'never') return true
  if (typeof free !== 'object' || free === null) return false
  const amount = 'afterMs' in free ? free.afterMs : 'whenBytesAbove' in free ? free.whenBytesAbove : undefined
  return typeof amount === 'number' && Number.isFinite(amount) && amount >= 0
}
