import { type BackOff, checkBackOff } from '@rushes/media'

const DEFAULTS: BackOff = { firstMs: 1000, maxMs: 300_000, factor: 2, jitter: 1 }

/** Fills in the defaults; `ConfigurationError` names the field that is wrong. */
export function backOffOf(given: Partial<BackOff> = {}): BackOff {
  return checkBackOff('backoff', { ...DEFAULTS, ...given })
}
