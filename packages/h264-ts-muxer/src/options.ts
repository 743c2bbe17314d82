import { ConfigurationError } from '@rushes/media'

/** How a transport stream is written. */
export interface TsMuxerOptions {
  /**
   * PTS, in ticks of 90 kHz, of the recording time `originUs`. Room is left below it: DTS run before PTS with B-frames,
   * the PCR before both, and the first sample of one track may lie before the origin.
   * @defaultValue 900000 (10 s)
   */
  readonly ptsOffset90k?: number
  /** Recording time, in microseconds, that is written as `ptsOffset90k`. @defaultValue 0 */
  readonly originUs?: number
  /**
   * How long before its DTS a sample is said to arrive, 0 to 1000 ms: PCR = DTS - lead. It is the time that a decoder
   * which plays by the PCR has for taking in one access unit, hence the buffer that it fills. ISO/IEC 13818-1 §2.4.2.6
   * lets data wait for one second at most.
   * @defaultValue 100
   */
  readonly pcrLeadMs?: number
  /** Longest distance between two PCR, 10 to 100 ms (ISO/IEC 13818-1 §2.7.2 allows 100, DVB asks for 40). @defaultValue 100 */
  readonly pcrIntervalMs?: number
}

/** Options of a muxer that writes one endless stream. */
export interface TsStreamOptions extends TsMuxerOptions {
  /**
   * Longest distance between two PAT and PMT, in milliseconds of media; they also stand before every keyframe of the first video
   * track. `Infinity` writes them at the start only, and where a track is added.
   * @defaultValue 500
   */
  readonly tableIntervalMs?: number
}

/** Options in the muxer's own units. */
export interface ResolvedTsOptions {
  readonly ptsOffset90k: number
  readonly originUs: number
  readonly pcrLead90k: number
  readonly pcrInterval27m: number
  readonly tableInterval90k: number
}

/** Checks the options and fills in defaults. Throws ConfigurationError. */
export function resolveTsOptions(options: TsStreamOptions): ResolvedTsOptions {
  const { ptsOffset90k = 900_000, originUs = 0, pcrLeadMs = 100, pcrIntervalMs = 100, tableIntervalMs = 500 } = options
  if (!Number.isSafeInteger(ptsOffset90k) || ptsOffset90k < 0 || ptsOffset90k >= 2 ** 33) {
    throw new ConfigurationError('ptsOffset90k', 'must be an integer from 0 to 2^33 - 1', ptsOffset90k)
  }
  if (!Number.isSafeInteger(originUs)) throw new ConfigurationError('originUs', 'must be an integer', originUs)
  if (!(pcrLeadMs >= 0 && pcrLeadMs <= 1000)) throw new ConfigurationError('pcrLeadMs', 'must be 0 to 1000', pcrLeadMs)
  if (!(pcrIntervalMs >= 10 && pcrIntervalMs <= 100)) {
    throw new ConfigurationError('pcrIntervalMs', 'must be 10 to 100', pcrIntervalMs)
  }
  if (!(tableIntervalMs > 0)) throw new ConfigurationError('tableIntervalMs', 'must be positive', tableIntervalMs)
  return {
    ptsOffset90k,
    originUs,
    pcrLead90k: Math.round(pcrLeadMs * 90),
    pcrInterval27m: Math.round(pcrIntervalMs * 27_000),
    tableInterval90k: tableIntervalMs * 90,
  }
}
