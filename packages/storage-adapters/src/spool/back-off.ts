import { ConfigurationError } from '@rushes/media'

/** How long to wait before trying again: longer each time, and not all at the same moment. */
export interface SpoolBackOff {
  /** The longest wait after the first failure, in milliseconds. @defaultValue 500 */
  readonly firstMs: number
  /** The longest wait at all, in milliseconds. @defaultValue 30,000 */
  readonly maxMs: number
  /** Each wait is this many times the one before, at least 1. @defaultValue 2 */
  readonly factor: number
  /** The part of a wait that chance decides, 0 to 1; with 1 it is anything between 0 and the whole wait. @defaultValue 1 */
  readonly jitter: number
}

const DEFAULTS: SpoolBackOff = { firstMs: 500, maxMs: 30_000, factor: 2, jitter: 1 }

/** Fills in the defaults; `ConfigurationError` names the field that is wrong. */
export function backOffOf(given: Partial<SpoolBackOff> = {}): SpoolBackOff {
  const backOff = { ...DEFAULTS, ...given }
  check('backOff.firstMs', backOff.firstMs, backOff.firstMs > 0, 'must be more than 0 milliseconds')
  check('backOff.maxMs', backOff.maxMs, backOff.maxMs >= backOff.firstMs, 'must not be less than firstMs')
  check('backOff.factor', backOff.factor, backOff.factor >= 1, 'must be at least 1')
  check('backOff.jitter', backOff.jitter, backOff.jitter >= 0 && backOff.jitter <= 1, 'must be between 0 and 1')
  return backOff
}

/** The wait after `failures` failures (from 1), in milliseconds; `random` gives numbers from 0 to less than 1. */
export function delayMs(backOff: SpoolBackOff, failures: number, random: () => number): number {
  // A power that overflows is Infinity, and the maximum then.
  const longest = Math.min(backOff.maxMs, backOff.firstMs * backOff.factor ** (failures - 1))
  return Math.round(longest * (1 - backOff.jitter * random()))
}

function check(field: string, value: number, holds: boolean, rule: string): void {
  if (!Number.isFinite(value) || !holds) throw new ConfigurationError(field, rule, value)
}
