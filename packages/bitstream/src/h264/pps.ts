import { BitReader } from '../bit-reader.js'
import { BitstreamError } from '../errors.js'
import { removeEmulationPrevention } from './emulation-prevention.js'
import { NalUnitType, nalUnitTypeOf } from './nal-unit.js'

/** A picture parameter set (ITU-T H.264 §7.3.2.2, §7.4.2.2). Scaling lists are not read. */
export interface Pps {
  /** pic_parameter_set_id, 0 to 255. */
  readonly id: number
  /** The SPS that it refers to, 0 to 31. */
  readonly spsId: number
  /** CABAC rather than CAVLC. */
  readonly entropyCodingMode: boolean
  readonly bottomFieldPicOrderInFramePresent: boolean
  /** 1 to 8. */
  readonly numSliceGroups: number
  /** 1 to 32. */
  readonly numRefIdxL0DefaultActive: number
  /** 1 to 32. */
  readonly numRefIdxL1DefaultActive: number
  readonly weightedPred: boolean
  /** 0 to 2. */
  readonly weightedBipredIdc: number
  readonly deblockingFilterControlPresent: boolean
  readonly constrainedIntraPred: boolean
  readonly redundantPicCntPresent: boolean
  readonly transform8x8Mode: boolean
}

/** Table A-1, level 6.2: no picture has more macroblocks, hence no map more units. */
const MAX_MAP_UNITS = 139_264

/** Parses a NAL unit of type 8. Throws BitstreamError `H264_BAD_PPS`. */
export function parsePps(nalUnit: Uint8Array): Pps {
  if (nalUnitTypeOf(nalUnit) !== NalUnitType.pps) {
    throw new BitstreamError('H264_BAD_PPS', `not a PPS: nal_unit_type ${nalUnitTypeOf(nalUnit)}`)
  }
  try {
    return readPps(new BitReader(removeEmulationPrevention(nalUnit), 8))
  } catch (cause) {
    if (!(cause instanceof BitstreamError) || cause.code === 'H264_BAD_PPS') throw cause
    throw new BitstreamError('H264_BAD_PPS', `the PPS cannot be read: ${cause.message}`, { cause })
  }
}

function readPps(bits: BitReader): Pps {
  const id = atMost(bits.ue(), 255, 'pic_parameter_set_id')
  const spsId = atMost(bits.ue(), 31, 'seq_parameter_set_id')
  const entropyCodingMode = bits.flag()
  const bottomFieldPicOrderInFramePresent = bits.flag()
  const numSliceGroups = 1 + atMost(bits.ue(), 7, 'num_slice_groups_minus1')
  if (numSliceGroups > 1) skipSliceGroups(bits, numSliceGroups)
  const numRefIdxL0DefaultActive = 1 + atMost(bits.ue(), 31, 'num_ref_idx_l0_default_active_minus1')
  const numRefIdxL1DefaultActive = 1 + atMost(bits.ue(), 31, 'num_ref_idx_l1_default_active_minus1')
  const weightedPred = bits.flag()
  const weightedBipredIdc = atMost(bits.u(2), 2, 'weighted_bipred_idc')
  bits.se() // pic_init_qp_minus26
  bits.se() // pic_init_qs_minus26
  bits.se() // chroma_qp_index_offset
  const deblockingFilterControlPresent = bits.flag()
  const constrainedIntraPred = bits.flag()
  const redundantPicCntPresent = bits.flag()
  const transform8x8Mode = bits.moreRbspData() ? bits.flag() : false
  return {
    id,
    spsId,
    entropyCodingMode,
    bottomFieldPicOrderInFramePresent,
    numSliceGroups,
    numRefIdxL0DefaultActive,
    numRefIdxL1DefaultActive,
    weightedPred,
    weightedBipredIdc,
    deblockingFilterControlPresent,
    constrainedIntraPred,
    redundantPicCntPresent,
    transform8x8Mode,
  }
}

function skipSliceGroups(bits: BitReader, numSliceGroups: number): void {
  const mapType = atMost(bits.ue(), 6, 'slice_group_map_type')
  if (mapType === 0) {
    for (let group = 0; group < numSliceGroups; group++) bits.ue() // run_length_minus1
  } else if (mapType === 2) {
    for (let corner = 0; corner < 2 * (numSliceGroups - 1); corner++) bits.ue() // top_left, bottom_right
  } else if (mapType >= 3 && mapType <= 5) {
    bits.skip(1) // slice_group_change_direction_flag
    bits.ue() // slice_group_change_rate_minus1
  } else if (mapType === 6) {
    const units = 1 + atMost(bits.ue(), MAX_MAP_UNITS - 1, 'pic_size_in_map_units_minus1')
    bits.skip(units * Math.ceil(Math.log2(numSliceGroups))) // slice_group_id
  }
}

function atMost(value: number, limit: number, name: string): number {
  if (value > limit) throw new BitstreamError('H264_BAD_PPS', `${name} must be at most ${limit}, got ${value}`)
  return value
}
