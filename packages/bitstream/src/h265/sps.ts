import type { BitReader } from '../bit-reader.js'
import { BitstreamError } from '../errors.js'
import { H265NalUnitType } from './nal-unit.js'
import { parseParameterSet } from './parameter-set.js'
import { type ProfileTierLevel, readProfileTierLevel } from './profile-tier-level.js'
import { readShortTermRefPicSet, type ShortTermRefPicSet } from './short-term-ref-pic-set.js'
import { type H265Vui, readH265Vui } from './vui.js'

/** A sequence parameter set of the base layer (ITU-T H.265 §7.3.2.2.1, §7.4.3.2.1). */
export interface H265Sps {
  /** sps_seq_parameter_set_id, 0 to 15. */
  readonly id: number
  /** The VPS that it refers to, 0 to 15. */
  readonly vpsId: number
  /** 1 to 7. */
  readonly maxSubLayers: number
  readonly temporalIdNesting: boolean
  readonly profileTierLevel: ProfileTierLevel
  /** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormatIdc: number
  readonly separateColourPlane: boolean
  /** Pixels. */
  readonly codedWidth: number
  /** Pixels. */
  readonly codedHeight: number
  /** Pixels within the conformance window. */
  readonly width: number
  /** Pixels within the conformance window. */
  readonly height: number
  /** 8 to 16. */
  readonly bitDepthLuma: number
  /** 8 to 16. */
  readonly bitDepthChroma: number
  /** 4 to 16. */
  readonly log2MaxPicOrderCntLsb: number
  /** sps_max_dec_pic_buffering_minus1 + 1 of the highest sub-layer: 1 to 16 pictures. */
  readonly maxDecPicBuffering: number
  /** sps_max_num_reorder_pics of the highest sub-layer: below `maxDecPicBuffering`. */
  readonly maxNumReorderPics: number
  /** PicSizeInCtbsY: coding tree blocks of a picture. */
  readonly picSizeInCtbs: number
  /** Up to 64. */
  readonly shortTermRefPicSets: readonly ShortTermRefPicSet[]
  readonly longTermRefPicsPresent: boolean
  /** lt_ref_pic_poc_lsb_sps and used_by_curr_pic_lt_sps_flag, up to 32. */
  readonly longTermRefPics: readonly { readonly pocLsb: number; readonly usedByCurrent: boolean }[]
  /** Absent where there is none, or where it is damaged: nothing that decoding needs is in it. */
  readonly vui?: H265Vui
}

/** Four times what level 6.2 allows (Table A.8: 8192x4352); no side exceeds the square root of 8 times that (§A.4.1). */
const MAX_LUMA_PS = 142_606_336
const MAX_SIDE = 33_776
/** §A.4.2: MaxDpbSize. */
const MAX_DPB_SIZE = 16
/** §7.4.3.2.1. */
const MAX_SHORT_TERM_SETS = 64
const MAX_LONG_TERM_PICS = 32

/** Parses a NAL unit of type 33. Throws BitstreamError `H265_BAD_SPS`. */
export function parseH265Sps(nalUnit: Uint8Array): H265Sps {
  return parseParameterSet(nalUnit, { name: 'SPS', code: 'H265_BAD_SPS', type: H265NalUnitType.sps, read })
}

function read(bits: BitReader): H265Sps {
  const vpsId = bits.u(4)
  const maxSubLayersMinus1 = atMost(bits.u(3), 6, 'sps_max_sub_layers_minus1')
  const temporalIdNesting = bits.flag()
  const profileTierLevel = readProfileTierLevel(bits, maxSubLayersMinus1)
  const id = atMost(bits.ue(), 15, 'sps_seq_parameter_set_id')
  const chromaFormatIdc = atMost(bits.ue(), 3, 'chroma_format_idc')
  const separateColourPlane = chromaFormatIdc === 3 && bits.flag()
  const codedWidth = side(bits.ue(), 'pic_width_in_luma_samples')
  const codedHeight = side(bits.ue(), 'pic_height_in_luma_samples')
  atMost(codedWidth * codedHeight, MAX_LUMA_PS, 'picture size in luma samples')
  const { width, height } = readConformanceWindow(bits, codedWidth, codedHeight, chromaFormatIdc)
  const bitDepthLuma = 8 + atMost(bits.ue(), 8, 'bit_depth_luma_minus8')
  const bitDepthChroma = 8 + atMost(bits.ue(), 8, 'bit_depth_chroma_minus8')
  const log2MaxPicOrderCntLsb = 4 + atMost(bits.ue(), 12, 'log2_max_pic_order_cnt_lsb_minus4')
  const { maxDecPicBuffering, maxNumReorderPics } = readOrdering(bits, maxSubLayersMinus1)
  const log2MinCb = 3 + atMost(bits.ue(), 3, 'log2_min_luma_coding_block_size_minus3')
  const log2Ctb = atMost(log2MinCb + bits.ue(), 6, 'CtbLog2SizeY')
  bits.ue() // log2_min_luma_transform_block_size_minus2
  bits.ue() // log2_diff_max_min_luma_transform_block_size
  bits.ue() // max_transform_hierarchy_depth_inter
  bits.ue() // max_transform_hierarchy_depth_intra
  if (bits.flag() && bits.flag()) skipScalingLists(bits)
  bits.skip(2) // amp_enabled_flag, sample_adaptive_offset_enabled_flag
  if (bits.flag()) {
    bits.skip(8) // pcm_sample_bit_depth_luma_minus1, pcm_sample_bit_depth_chroma_minus1
    bits.ue() // log2_min_pcm_luma_coding_block_size_minus3
    bits.ue() // log2_diff_max_min_pcm_luma_coding_block_size
    bits.skip(1) // pcm_loop_filter_disabled_flag
  }
  const numSets = atMost(bits.ue(), MAX_SHORT_TERM_SETS, 'num_short_term_ref_pic_sets')
  const shortTermRefPicSets: ShortTermRefPicSet[] = []
  for (let i = 0; i < numSets; i++) {
    shortTermRefPicSets.push(readShortTermRefPicSet(bits, i, shortTermRefPicSets, false))
  }
  const longTermRefPicsPresent = bits.flag()
  const numLongTerm = longTermRefPicsPresent ? atMost(bits.ue(), MAX_LONG_TERM_PICS, 'num_long_term_ref_pics_sps') : 0
  const longTermRefPics = Array.from({ length: numLongTerm }, () => ({
    pocLsb: bits.u(log2MaxPicOrderCntLsb),
    usedByCurrent: bits.flag(),
  }))
  bits.skip(2) // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
  const vui = bits.flag() ? tryReadVui(bits, maxSubLayersMinus1) : undefined
  return {
    id,
    vpsId,
    maxSubLayers: maxSubLayersMinus1 + 1,
    temporalIdNesting,
    profileTierLevel,
    chromaFormatIdc,
    separateColourPlane,
    codedWidth,
    codedHeight,
    width,
    height,
    bitDepthLuma,
    bitDepthChroma,
    log2MaxPicOrderCntLsb,
    maxDecPicBuffering,
    maxNumReorderPics,
    picSizeInCtbs: Math.ceil(codedWidth / 2 ** log2Ctb) * Math.ceil(codedHeight / 2 ** log2Ctb),
    shortTermRefPicSets,
    longTermRefPicsPresent,
    longTermRefPics,
    ...(vui === undefined ? {} : { vui }),
  }
}

/** Offsets count chroma samples (§7.4.3.2.1, Table 6-1: SubWidthC and SubHeightC). */
function readConformanceWindow(
  bits: BitReader,
  codedWidth: number,
  codedHeight: number,
  chromaFormatIdc: number,
): { width: number; height: number } {
  if (!bits.flag()) return { width: codedWidth, height: codedHeight }
  const unitX = chromaFormatIdc === 1 || chromaFormatIdc === 2 ? 2 : 1
  const unitY = chromaFormatIdc === 1 ? 2 : 1
  const width = codedWidth - unitX * (bits.ue() + bits.ue())
  const height = codedHeight - unitY * (bits.ue() + bits.ue())
  if (width <= 0 || height <= 0) {
    throw new BitstreamError('H265_BAD_SPS', `the conformance window leaves nothing of ${codedWidth}x${codedHeight}`)
  }
  return { width, height }
}

/** Those of the highest sub-layer come last, whether or not the others are told. */
function readOrdering(
  bits: BitReader,
  maxSubLayersMinus1: number,
): { maxDecPicBuffering: number; maxNumReorderPics: number } {
  let maxDecPicBuffering = 1
  let maxNumReorderPics = 0
  for (let i = bits.flag() ? 0 : maxSubLayersMinus1; i <= maxSubLayersMinus1; i++) {
    maxDecPicBuffering = 1 + atMost(bits.ue(), MAX_DPB_SIZE - 1, 'sps_max_dec_pic_buffering_minus1')
    maxNumReorderPics = atMost(bits.ue(), maxDecPicBuffering - 1, 'sps_max_num_reorder_pics')
    bits.ue() // sps_max_latency_increase_plus1
  }
  return { maxDecPicBuffering, maxNumReorderPics }
}

/** `scaling_list_data()` (§7.3.4), of which nothing is kept. */
function skipScalingLists(bits: BitReader): void {
  for (let sizeId = 0; sizeId < 4; sizeId++) {
    const coefficients = Math.min(64, 1 << (4 + (sizeId << 1)))
    for (let matrixId = 0; matrixId < 6; matrixId += sizeId === 3 ? 3 : 1) {
      if (!bits.flag()) {
        bits.ue() // scaling_list_pred_matrix_id_delta
        continue
      }
      if (sizeId > 1) bits.se() // scaling_list_dc_coef_minus8
      for (let i = 0; i < coefficients; i++) bits.se() // scaling_list_delta_coef
    }
  }
}

/** No decoder needs the VUI: a damaged one is no reason to refuse the pictures. */
function tryReadVui(bits: BitReader, maxSubLayersMinus1: number): H265Vui | undefined {
  try {
    return readH265Vui(bits, maxSubLayersMinus1)
  } catch (error) {
    if (error instanceof BitstreamError) return undefined
    throw error
  }
}

function side(value: number, name: string): number {
  if (value === 0) throw new BitstreamError('H265_BAD_SPS', `${name} must not be 0`)
  return atMost(value, MAX_SIDE, name)
}

function atMost(value: number, limit: number, name: string): number {
  if (value > limit) throw new BitstreamError('H265_BAD_SPS', `${name} must be at most ${limit}, got ${value}`)
  return value
}
