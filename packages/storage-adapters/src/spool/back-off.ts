import { type BackOff, checkBackOff } from '@rushes/media'

/** How long a spool waits before it tries again. */
export type SpoolBackOff = BackOff

const DEFAULTS: SpoolBackOff = { firstMs: 500, maxMs: 30_000, factor: 2, jitter: 1 }

/** Fills in the defaults; `ConfigurationError` names the field that is wrong. */
export function backOffOf(given: Partial<SpoolBackOff> = {}): SpoolBackOff {
  return checkBackOff('backOff', { ...DEFAULTS, ...given })
}
