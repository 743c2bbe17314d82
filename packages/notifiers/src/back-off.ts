import { ConfigurationError } from '@rushes/media'

/** How long to wait before trying again: longer each time, and not all at the same moment. */
export interface BackOff {
  /** The longest wait after the first failure, in milliseconds; default 1000. */
  readonly firstMs: number
  /** The longest wait at all, in milliseconds; default 300,000. */
  readonly maxMs: number
  /** Each wait is this many times the one before, at least 1; default 2. */
  readonly factor: number
  /** The part of a wait that chance decides, 0 to 1; default 1 (full jitter): anything between 0 and the whole wait. */
  readonly jitter: number
}

const DEFAULTS: BackOff = { firstMs: 1000, maxMs: 300_000, factor: 2, jitter: 1 }

/** Fills in the defaults; `ConfigurationError` names the field that is wrong. */
export function backOffOf(given: Partial<BackOff> = {}): BackOff {
  const backOff = { ...DEFAULTS, ...given }
  check('backoff.firstMs', backOff.firstMs, backOff.firstMs > 0, 'must be more than 0 milliseconds')
  check('backoff.maxMs', backOff.maxMs, backOff.maxMs >= backOff.firstMs, 'must not be less than firstMs')
  check('backoff.factor', backOff.factor, backOff.factor >= 1, 'must be at least 1')
  check('backoff.jitter', backOff.jitter, backOff.jitter >= 0 && backOff.jitter <= 1, 'must be between 0 and 1')
  return backOff
}

/** The longest wait after `failures` failures (from 1), in milliseconds. */
export function longestDelayMs({ firstMs, maxMs, factor }: BackOff, failures: number): number {
  // A power that overflows is Infinity, and the maximum then.
  return Math.min(maxMs, firstMs * factor ** (failures - 1))
}

/** The wait after `failures` failures (from 1), in milliseconds; `random` gives numbers from 0 to less than 1. */
export function delayMs(backOff: BackOff, failures: number, random: () => number): number {
  return Math.round(longestDelayMs(backOff, failures) * (1 - backOff.jitter * random()))
}

function check(field: string, value: number, holds: boolean, rule: string): void {
  if (!Number.isFinite(value) || !holds) throw new ConfigurationError(field, rule, value)
}
