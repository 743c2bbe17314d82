import { BitReader } from '../bit-reader.js'
import { BitstreamError } from '../errors.js'
import { removeEmulationPrevention } from './emulation-prevention.js'
import { NalUnitType, nalRefIdcOf, nalUnitTypeOf } from './nal-unit.js'
import type { Pps } from './pps.js'
import type { Sps } from './sps.js'

/** The start of a slice header, up to what tells one picture from the next (ITU-T H.264 §7.3.3). */
export interface SliceHeader {
  /** nal_unit_type: 1, 2 or 5. */
  readonly nalUnitType: number
  /** nal_ref_idc, 0 to 3. */
  readonly nalRefIdc: number
  readonly firstMbInSlice: number
  /** 0 P, 1 B, 2 I, 3 SP, 4 SI: slice_type modulo 5. */
  readonly sliceType: number
  readonly ppsId: number
  readonly frameNum: number
  readonly fieldPic: boolean
  readonly bottomField: boolean
  /** IDR pictures only. */
  readonly idrPicId?: number
  /** pic_order_cnt_type 0 only. */
  readonly picOrderCntLsb?: number
  readonly deltaPicOrderCntBottom?: number
  /** pic_order_cnt_type 1 only. */
  readonly deltaPicOrderCnt0?: number
  readonly deltaPicOrderCnt1?: number
  /** 0 for the primary coded picture. */
  readonly redundantPicCnt: number
}

/** Where a slice header finds the parameter sets that it refers to. */
export interface ParameterSetLookup {
  sps(id: number): Sps | undefined
  pps(id: number): Pps | undefined
}

/** Even at their longest the fields read here end within 50 bytes: nothing further is looked at. */
const MAX_HEADER_BYTES = 64

/**
 * Parses a slice, an IDR slice or a data partition A.
 * Throws BitstreamError `H264_BAD_SLICE`, also where a parameter set is unknown.
 */
export function parseSliceHeader(nalUnit: Uint8Array, parameterSets: ParameterSetLookup): SliceHeader {
  const nalUnitType = requireSlice(nalUnit)
  try {
    return readSliceHeader(readerOf(nalUnit), nalUnitType, nalRefIdcOf(nalUnit), parameterSets)
  } catch (cause) {
    throw asSliceError(cause)
  }
}

/** first_mb_in_slice alone, which needs no parameter set. Throws BitstreamError `H264_BAD_SLICE`. */
export function parseFirstMbInSlice(nalUnit: Uint8Array): number {
  requireSlice(nalUnit)
  // Most slices start their picture: the code for 0 is a single 1 bit.
  if (nalUnit.byteLength > 1 && nalUnit[1]! >= 0x80) return 0
  try {
    return readerOf(nalUnit).ue()
  } catch (cause) {
    throw asSliceError(cause)
  }
}

function readSliceHeader(
  bits: BitReader,
  nalUnitType: number,
  nalRefIdc: number,
  parameterSets: ParameterSetLookup,
): SliceHeader {
  const firstMbInSlice = bits.ue()
  const sliceType = bits.ue()
  if (sliceType > 9) throw new BitstreamError('H264_BAD_SLICE', `slice_type must be at most 9, got ${sliceType}`)
  const ppsId = bits.ue()
  const pps = parameterSets.pps(ppsId)
  if (pps === undefined)
    throw new BitstreamError('H264_BAD_SLICE', `the slice refers to PPS ${ppsId}, which is unknown`)
  const sps = parameterSets.sps(pps.spsId)
  if (sps === undefined) {
    throw new BitstreamError('H264_BAD_SLICE', `PPS ${ppsId} refers to SPS ${pps.spsId}, which is unknown`)
  }
  if (sps.separateColourPlane) bits.skip(2) // colour_plane_id
  const header: { -readonly [Key in keyof SliceHeader]: SliceHeader[Key] } = {
    nalUnitType,
    nalRefIdc,
    firstMbInSlice,
    sliceType: sliceType % 5,
    ppsId,
    frameNum: bits.u(sps.log2MaxFrameNum),
    fieldPic: false,
    bottomField: false,
    redundantPicCnt: 0,
  }
  if (!sps.frameMbsOnly) {
    header.fieldPic = bits.flag()
    if (header.fieldPic) header.bottomField = bits.flag()
  }
  if (nalUnitType === NalUnitType.idrSlice) header.idrPicId = bits.ue()
  const bottomPresent = pps.bottomFieldPicOrderInFramePresent && !header.fieldPic
  if (sps.picOrderCntType === 0) {
    header.picOrderCntLsb = bits.u(sps.log2MaxPicOrderCntLsb)
    if (bottomPresent) header.deltaPicOrderCntBottom = bits.se()
  } else if (sps.picOrderCntType === 1 && !sps.deltaPicOrderAlwaysZero) {
    header.deltaPicOrderCnt0 = bits.se()
    if (bottomPresent) header.deltaPicOrderCnt1 = bits.se()
  }
  if (pps.redundantPicCntPresent) header.redundantPicCnt = bits.ue()
  return header
}

function requireSlice(nalUnit: Uint8Array): number {
  const type = nalUnitTypeOf(nalUnit)
  if (type !== NalUnitType.nonIdrSlice && type !== NalUnitType.idrSlice && type !== NalUnitType.dataPartitionA) {
    throw new BitstreamError('H264_BAD_SLICE', `not a slice with a header: nal_unit_type ${type}`)
  }
  return type
}

function readerOf(nalUnit: Uint8Array): BitReader {
  return new BitReader(removeEmulationPrevention(nalUnit.subarray(0, MAX_HEADER_BYTES)), 8)
}

function asSliceError(cause: unknown): unknown {
  if (!(cause instanceof BitstreamError) || cause.code === 'H264_BAD_SLICE') return cause
  return new BitstreamError('H264_BAD_SLICE', `the slice header cannot be read: ${cause.message}`, { cause })
}
