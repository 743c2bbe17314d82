import type { PictureParameters, SequenceParameters } from './parameter-sets.js'
import { RbspReader } from './rbsp-reader.js'

/** The start of a slice header (ITU-T H.264 §7.3.3), up to what tells one picture from the next. */
export interface SliceStart {
  readonly nalUnitType: number
  readonly nalRefIdc: number
  readonly firstMb: number
  /** 0 P, 1 B, 2 I, 3 SP, 4 SI. */
  readonly sliceType: number
  readonly ppsId: number
  readonly spsId: number
  readonly frameNum: number
  readonly field: boolean
  readonly bottomField: boolean
  readonly idrPicId: number | undefined
  readonly picOrderCntType: number
  readonly picOrderCntLsb: number | undefined
  readonly deltaPicOrderCntBottom: number
  readonly deltaPicOrderCnt0: number
  readonly deltaPicOrderCnt1: number
  readonly redundantPicCnt: number
}

/** The parameter sets that have been sent, by id. */
export interface ParameterSetsById {
  readonly sps: ReadonlyMap<number, SequenceParameters>
  readonly pps: ReadonlyMap<number, PictureParameters>
}

/** No slice header start is longer; what follows is of no use here. */
const MAX_HEADER_BYTES = 64

/** first_mb_in_slice, slice_type modulo 5 and pic_parameter_set_id, which need no parameter set. */
export function readSlicePrefix(nalUnit: Uint8Array): { firstMb: number; sliceType: number; ppsId: number } {
  const r = new RbspReader(nalUnit, MAX_HEADER_BYTES)
  const firstMb = r.ue()
  const type = r.ue()
  if (type > 9) throw new RangeError(`slice_type is ${type}, more than 9`)
  const ppsId = r.ue()
  if (ppsId > 255) throw new RangeError(`pic_parameter_set_id is ${ppsId}, more than 255`)
  return { firstMb, sliceType: type % 5, ppsId }
}

/** Reads a slice's start; `undefined` where a parameter set that it refers to is not there. */
export function readSliceStart(nalUnit: Uint8Array, sets: ParameterSetsById): SliceStart | undefined {
  const { firstMb, sliceType, ppsId } = readSlicePrefix(nalUnit)
  const pps = sets.pps.get(ppsId)
  const sps = pps === undefined ? undefined : sets.sps.get(pps.spsId)
  if (pps === undefined || sps === undefined) return undefined
  const header = nalUnit[0] as number
  const nalUnitType = header & 31
  const r = new RbspReader(nalUnit, MAX_HEADER_BYTES)
  r.ue()
  r.ue()
  r.ue()
  if (sps.separateColourPlane) r.u(2)
  const frameNum = r.u(sps.log2MaxFrameNum)
  const field = !sps.frameMbsOnly && r.flag()
  const bottomField = field && r.flag()
  const idrPicId = nalUnitType === 5 ? r.ue() : undefined
  let picOrderCntLsb: number | undefined
  let deltaPicOrderCntBottom = 0
  let deltaPicOrderCnt0 = 0
  let deltaPicOrderCnt1 = 0
  if (sps.picOrderCntType === 0) {
    picOrderCntLsb = r.u(sps.log2MaxPicOrderCntLsb)
    if (pps.bottomFieldPicOrderInFramePresent && !field) deltaPicOrderCntBottom = r.se()
  } else if (sps.picOrderCntType === 1 && !sps.deltaPicOrderAlwaysZero) {
    deltaPicOrderCnt0 = r.se()
    if (pps.bottomFieldPicOrderInFramePresent && !field) deltaPicOrderCnt1 = r.se()
  }
  return {
    nalUnitType,
    nalRefIdc: (header >> 5) & 3,
    firstMb,
    sliceType,
    ppsId,
    spsId: sps.id,
    frameNum,
    field,
    bottomField,
    idrPicId,
    picOrderCntType: sps.picOrderCntType,
    picOrderCntLsb,
    deltaPicOrderCntBottom,
    deltaPicOrderCnt0,
    deltaPicOrderCnt1,
    redundantPicCnt: pps.redundantPicCntPresent ? r.ue() : 0,
  }
}

/** Whether two slices that follow each other belong to different primary coded pictures (ITU-T H.264 §7.4.1.2.4). */
export function isNewPicture(a: SliceStart, b: SliceStart): boolean {
  return (
    a.frameNum !== b.frameNum ||
    a.ppsId !== b.ppsId ||
    a.spsId !== b.spsId ||
    a.field !== b.field ||
    a.bottomField !== b.bottomField ||
    (a.nalRefIdc === 0) !== (b.nalRefIdc === 0) ||
    a.picOrderCntLsb !== b.picOrderCntLsb ||
    a.deltaPicOrderCntBottom !== b.deltaPicOrderCntBottom ||
    a.deltaPicOrderCnt0 !== b.deltaPicOrderCnt0 ||
    a.deltaPicOrderCnt1 !== b.deltaPicOrderCnt1 ||
    (a.nalUnitType === 5) !== (b.nalUnitType === 5) ||
    a.idrPicId !== b.idrPicId
  )
}
