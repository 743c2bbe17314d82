import { type ParameterSetLookup, parseSliceHeader, startsNewPicture } from '@rushes/bitstream'
import { sliceHead } from '../nal/slice-head.js'

/**
 * Whether slice headers prove that no reference picture is missing between `reference`, the beginning of a slice of
 * the last reference picture, and `current`, the first slice of a later one (ITU-T H.264 §7.4.3: frame_num grows by 1 behind each
 * reference picture). Whatever else went missing, padding or pictures that none depends on, `current` can be decoded.
 * `missing` is how many pictures may have gone at most. It must be too few for frame_num to come round to the same
 * value, and too few for an unseen IDR picture, from which it counts anew, to have been followed by that many others.
 */
export function continuesReferences(
  reference: Uint8Array,
  current: readonly Uint8Array[],
  missing: number,
  parameterSets: ParameterSetLookup,
): boolean {
  try {
    const before = parseSliceHeader(reference, parameterSets)
    const after = parseSliceHeader(sliceHead(current), parameterSets)
    if (before.fieldPic || after.fieldPic) return false
    const pps = parameterSets.pps(after.ppsId)
    const sps = pps && parameterSets.sps(pps.spsId)
    if (sps === undefined) return false
    const maxFrameNum = 2 ** sps.log2MaxFrameNum
    return missing < maxFrameNum && missing <= before.frameNum && after.frameNum === (before.frameNum + 1) % maxFrameNum
  } catch {
    return false
  }
}

/** Whether two slices with one timestamp surely belong to two pictures (§7.4.1.2.4): only where both can be read. */
export function areTwoPictures(
  previous: readonly Uint8Array[],
  current: readonly Uint8Array[],
  parameterSets: ParameterSetLookup,
): boolean {
  try {
    return startsNewPicture(
      parseSliceHeader(sliceHead(previous), parameterSets),
      parseSliceHeader(sliceHead(current), parameterSets),
    )
  } catch {
    return false
  }
}
