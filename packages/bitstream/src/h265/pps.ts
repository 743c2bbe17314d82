import type { BitReader } from '../bit-reader.js'
import { BitstreamError } from '../errors.js'
import { H265NalUnitType } from './nal-unit.js'
import { parseParameterSet } from './parameter-set.js'

/** A picture parameter set (ITU-T H.265 §7.3.2.3.1), as far as slice headers and containers need it. */
export interface H265Pps {
  /** pps_pic_parameter_set_id, 0 to 63. */
  readonly id: number
  /** The SPS that it refers to, 0 to 15. */
  readonly spsId: number
  readonly dependentSliceSegmentsEnabled: boolean
  readonly outputFlagPresent: boolean
  /** 0 to 7. */
  readonly numExtraSliceHeaderBits: number
  readonly tilesEnabled: boolean
  /** Wavefronts. */
  readonly entropyCodingSyncEnabled: boolean
}

/** Parses a NAL unit of type 34. Throws BitstreamError `H265_BAD_PPS`. */
export function parseH265Pps(nalUnit: Uint8Array): H265Pps {
  return parseParameterSet(nalUnit, { name: 'PPS', code: 'H265_BAD_PPS', type: H265NalUnitType.pps, read })
}

function read(bits: BitReader): H265Pps {
  const id = atMost(bits.ue(), 63, 'pps_pic_parameter_set_id')
  const spsId = atMost(bits.ue(), 15, 'pps_seq_parameter_set_id')
  const dependentSliceSegmentsEnabled = bits.flag()
  const outputFlagPresent = bits.flag()
  const numExtraSliceHeaderBits = bits.u(3)
  bits.skip(2) // sign_data_hiding_enabled_flag, cabac_init_present_flag
  bits.ue() // num_ref_idx_l0_default_active_minus1
  bits.ue() // num_ref_idx_l1_default_active_minus1
  bits.se() // init_qp_minus26
  bits.skip(2) // constrained_intra_pred_flag, transform_skip_enabled_flag
  if (bits.flag()) bits.ue() // diff_cu_qp_delta_depth
  bits.se() // pps_cb_qp_offset
  bits.se() // pps_cr_qp_offset
  bits.skip(4) // chroma QP offsets present, weighted_pred_flag, weighted_bipred_flag, transquant_bypass_enabled_flag
  return {
    id,
    spsId,
    dependentSliceSegmentsEnabled,
    outputFlagPresent,
    numExtraSliceHeaderBits,
    tilesEnabled: bits.flag(),
    entropyCodingSyncEnabled: bits.flag(),
  }
}

function atMost(value: number, limit: number, name: string): number {
  if (value > limit) throw new BitstreamError('H265_BAD_PPS', `${name} must be at most ${limit}, got ${value}`)
  return value
}
