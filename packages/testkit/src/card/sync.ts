import { median } from './dump-track.js'

/** Sound against picture, in microseconds; positive: the sound is late. */
export interface SyncMeasure {
  /** Each beep minus its flash. Pictures jitter by half a frame, so single values scatter by 20 ms. */
  readonly differencesUs: readonly number[]
  /** NaN where no beep has a flash. */
  readonly medianUs: number
  readonly minUs: number
  readonly maxUs: number
}

/** A beep has its flash within this; both come once a second. */
const PAIRING_US = 400_000

/**
 * Pairs each beep with the nearest flash. Times are of one clock, in microseconds: of a flash the time of
 * {@link flashTimes} less its `sinceFlashUs`.
 */
export function measureSync(flashesUs: readonly number[], beepsUs: readonly number[]): SyncMeasure {
  const differencesUs = beepsUs.flatMap((beepUs) => {
    const nearest = flashesUs.reduce(
      (best, flashUs) => (Math.abs(beepUs - flashUs) < Math.abs(best) ? beepUs - flashUs : best),
      Number.POSITIVE_INFINITY,
    )
    return Math.abs(nearest) < PAIRING_US ? [nearest] : []
  })
  return {
    differencesUs,
    medianUs: median(differencesUs),
    minUs: differencesUs.length === 0 ? Number.NaN : Math.min(...differencesUs),
    maxUs: differencesUs.length === 0 ? Number.NaN : Math.max(...differencesUs),
  }
}
