import { ConfigurationError } from '@rushes/media'

/** How CMAF segments are written. */
export interface CmafFormatOptions {
  /** Recording time, in microseconds, that is written as `offsetUs`. @defaultValue 0 */
  readonly originUs?: number
  /**
   * Media time of `originUs`, in microseconds. Room is left below it, as decoding times cannot be negative: they run
   * before presentation with B-frames, and the first sample of one track may lie before the origin. The same for all
   * formats of one presentation. @defaultValue 10,000,000 (as in `tsFormat`)
   */
  readonly offsetUs?: number
  /**
   * Seconds from fragment to fragment within a segment, 0.1 to 60; a fragment ends early at 8 MiB.
   * @defaultValue the whole segment is one fragment
   */
  readonly fragmentDuration?: number
}

/** The options in the format's own units. */
export interface ResolvedCmafOptions {
  /** Added to recording time. */
  readonly shiftUs: number
  readonly fragmentUs: number
}

/** Checks the options and fills in defaults. Throws ConfigurationError. */
export function resolveCmafOptions(options: CmafFormatOptions): ResolvedCmafOptions {
  const { originUs = 0, offsetUs = 10_000_000, fragmentDuration } = options
  if (!Number.isSafeInteger(originUs)) throw new ConfigurationError('originUs', 'must be an integer', originUs)
  if (!Number.isSafeInteger(offsetUs) || offsetUs < 0) {
    throw new ConfigurationError('offsetUs', 'must be an integer from 0 on', offsetUs)
  }
  if (fragmentDuration !== undefined && !(fragmentDuration >= 0.1 && fragmentDuration <= 60)) {
    throw new ConfigurationError('fragmentDuration', 'must be 0.1 to 60 seconds', fragmentDuration)
  }
  return {
    shiftUs: offsetUs - originUs,
    fragmentUs: fragmentDuration === undefined ? Number.POSITIVE_INFINITY : Math.round(fragmentDuration * 1_000_000),
  }
}
