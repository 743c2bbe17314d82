import { h264Configuration, isSameVideoConfiguration, NalUnitType, nalUnitTypeOf } from '@rushes/bitstream'
import type { Rotation, VideoConfiguration } from '@rushes/media'

/** Tells when the keyframes of an encoder begin a new configuration. */
export class CodedConfiguration {
  #last: VideoConfiguration | undefined

  /** What a keyframe with its parameter sets begins; `undefined` where that is what there is already. */
  next(nalUnits: readonly Uint8Array[], rotation: Rotation = 0): VideoConfiguration | undefined {
    const ofType = (type: number): Uint8Array[] => nalUnits.filter((nalUnit) => nalUnitTypeOf(nalUnit) === type)
    const coded = h264Configuration(ofType(NalUnitType.sps), ofType(NalUnitType.pps))
    const configuration: VideoConfiguration = { ...coded, rotation }
    if (this.#last !== undefined && isSameVideoConfiguration(this.#last, configuration)) return undefined
    this.#last = configuration
    return configuration
  }
}
