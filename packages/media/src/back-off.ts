import { ConfigurationError } from './errors.js'

/** How long to wait before trying again: longer each time, and not all at the same moment. */
export interface BackOff {
  /** The longest wait after the first failure, in milliseconds. */
  readonly firstMs: number
  /** The longest wait at all, in milliseconds. */
  readonly maxMs: number
  /** Each wait is this many times the one before, at least 1. */
  readonly factor: number
  /** The part of a wait that chance decides, 0 to 1; with 1 (full jitter) it is anything between 0 and the whole wait. */
  readonly jitter: number
}

/** The same, checked. @throws ConfigurationError naming what is wrong, behind `field` */
export function checkBackOff(field: string, backOff: BackOff): BackOff {
  const { firstMs, maxMs, factor, jitter } = backOff
  check(`${field}.firstMs`, firstMs, firstMs > 0, 'must be more than 0 milliseconds')
  check(`${field}.maxMs`, maxMs, maxMs >= firstMs, 'must not be less than firstMs')
  check(`${field}.factor`, factor, factor >= 1, 'must be at least 1')
  check(`${field}.jitter`, jitter, jitter >= 0 && jitter <= 1, 'must be between 0 and 1')
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
