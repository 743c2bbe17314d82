import type { Configuration, EncodedSample } from '@rushes/media'

/** What may differ in a copy of a sample. */
interface SampleChanges {
  readonly trackId?: string
  readonly pts?: number
  readonly dts?: number
  readonly discontinuity?: boolean
  readonly configuration?: Configuration
}

/** A copy of a sample with changes. The join of its units stays lazy, which a spread would not: the copy path never asks for it. */
export function sampleWith(sample: EncodedSample, changes: SampleChanges): EncodedSample {
  const configuration = changes.configuration ?? sample.configuration
  return {
    type: 'sample',
    trackId: changes.trackId ?? sample.trackId,
    get data() {
      return sample.data
    },
    ...(sample.pieces === undefined ? undefined : { pieces: sample.pieces }),
    pts: changes.pts ?? sample.pts,
    dts: changes.dts ?? sample.dts,
    ...(sample.duration === undefined ? undefined : { duration: sample.duration }),
    keyframe: sample.keyframe,
    ...(configuration === undefined ? undefined : { configuration }),
    ...(changes.discontinuity === true || sample.discontinuity === true ? { discontinuity: true } : undefined),
    ...(sample.lostPackets === undefined ? undefined : { lostPackets: sample.lostPackets }),
    ...(sample.arrivalUs === undefined ? undefined : { arrivalUs: sample.arrivalUs }),
  }
}
