import type { BitReader } from '../bit-reader.js'
import { H265NalUnitType } from './nal-unit.js'
import { parseParameterSet } from './parameter-set.js'
import { type ProfileTierLevel, readProfileTierLevel } from './profile-tier-level.js'

/** A video parameter set (ITU-T H.265 §7.3.2.1), up to its profile, tier and level. */
export interface H265Vps {
  /** vps_video_parameter_set_id, 0 to 15. */
  readonly id: number
  /** 1 to 7. */
  readonly maxSubLayers: number
  readonly temporalIdNesting: boolean
  readonly profileTierLevel: ProfileTierLevel
}

/** Parses a NAL unit of type 32. Throws BitstreamError `H265_BAD_VPS`. */
export function parseH265Vps(nalUnit: Uint8Array): H265Vps {
  return parseParameterSet(nalUnit, { name: 'VPS', code: 'H265_BAD_VPS', type: H265NalUnitType.vps, read })
}

function read(bits: BitReader): H265Vps {
  const id = bits.u(4)
  bits.skip(8) // vps_base_layer_internal_flag, vps_base_layer_available_flag, vps_max_layers_minus1
  const maxSubLayersMinus1 = bits.u(3)
  const temporalIdNesting = bits.flag()
  bits.skip(16) // vps_reserved_0xffff_16bits
  return {
    id,
    maxSubLayers: maxSubLayersMinus1 + 1,
    temporalIdNesting,
    profileTierLevel: readProfileTierLevel(bits, maxSubLayersMinus1),
  }
}
