import type { BitReader } from '../bit-reader.js'
import { skipH265Hrd } from './hrd.js'

/** Video usability information: the parts that a recorder can use (ITU-T H.265 §E.2.1). */
export interface H265Vui {
  /** Samples use 0..255 rather than 16..235. */
  readonly fullRange?: boolean
  /** colour_primaries, transfer_characteristics, matrix_coeffs (Tables E.3 to E.5). */
  readonly colour?: { readonly primaries: number; readonly transfer: number; readonly matrix: number }
  /** Each picture is one field of a frame. */
  readonly fieldSeq: boolean
  /** A picture takes a multiple of `numUnitsInTick / timeScale` seconds. */
  readonly timing?: { readonly numUnitsInTick: number; readonly timeScale: number }
  /** 0 to 4,095; 0 where it is not said. */
  readonly minSpatialSegmentationIdc: number
}

const EXTENDED_SAR = 255

/** `vui_parameters()`. */
export function readH265Vui(bits: BitReader, maxSubLayersMinus1: number): H265Vui {
  const vui: { -readonly [Key in keyof H265Vui]: H265Vui[Key] } = { fieldSeq: false, minSpatialSegmentationIdc: 0 }
  if (bits.flag() && bits.u(8) === EXTENDED_SAR) bits.skip(32) // sar_width, sar_height
  if (bits.flag()) bits.skip(1) // overscan_appropriate_flag
  if (bits.flag()) {
    bits.skip(3) // video_format
    vui.fullRange = bits.flag()
    if (bits.flag()) vui.colour = { primaries: bits.u(8), transfer: bits.u(8), matrix: bits.u(8) }
  }
  if (bits.flag()) {
    bits.ue() // chroma_sample_loc_type_top_field
    bits.ue() // chroma_sample_loc_type_bottom_field
  }
  bits.skip(1) // neutral_chroma_indication_flag
  vui.fieldSeq = bits.flag()
  bits.skip(1) // frame_field_info_present_flag
  // default_display_window: decoders do not crop by it, and so neither does the size that we tell.
  if (bits.flag()) for (let i = 0; i < 4; i++) bits.ue()
  if (bits.flag()) {
    const numUnitsInTick = bits.u(32)
    const timeScale = bits.u(32)
    if (numUnitsInTick > 0 && timeScale > 0) vui.timing = { numUnitsInTick, timeScale }
    if (bits.flag()) bits.ue() // vui_num_ticks_poc_diff_one_minus1
    if (bits.flag()) skipH265Hrd(bits, maxSubLayersMinus1)
  }
  if (bits.flag()) {
    bits.skip(3) // tiles_fixed_structure_flag, motion_vectors_over_pic_boundaries_flag, restricted_ref_pic_lists_flag
    vui.minSpatialSegmentationIdc = Math.min(bits.ue(), 4095)
  }
  return vui
}
