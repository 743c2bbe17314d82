import { NalUnitType } from './nal-unit.js'
import type { SliceHeader } from './slice-header.js'

/**
 * Whether `current` is the first slice of a new primary coded picture, `previous` being the slice before it
 * (ITU-T H.264 §7.4.1.2.4). Slices of redundant pictures belong to the picture before them.
 */
export function startsNewPicture(previous: SliceHeader, current: SliceHeader): boolean {
  if (current.redundantPicCnt > 0) return false
  const isIdr = current.nalUnitType === NalUnitType.idrSlice
  return (
    previous.frameNum !== current.frameNum ||
    previous.ppsId !== current.ppsId ||
    previous.fieldPic !== current.fieldPic ||
    previous.bottomField !== current.bottomField ||
    (previous.nalRefIdc !== current.nalRefIdc && (previous.nalRefIdc === 0 || current.nalRefIdc === 0)) ||
    (previous.nalUnitType === NalUnitType.idrSlice) !== isIdr ||
    (isIdr && previous.idrPicId !== current.idrPicId) ||
    previous.picOrderCntLsb !== current.picOrderCntLsb ||
    previous.deltaPicOrderCntBottom !== current.deltaPicOrderCntBottom ||
    previous.deltaPicOrderCnt0 !== current.deltaPicOrderCnt0 ||
    previous.deltaPicOrderCnt1 !== current.deltaPicOrderCnt1
  )
}
