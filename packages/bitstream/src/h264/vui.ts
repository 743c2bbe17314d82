import type { BitReader } from '../bit-reader.js'
import { BitstreamError } from '../errors.js'

/** Video usability information: the parts that a recorder can use (ITU-T H.264 Annex E, §E.1.1). */
export interface Vui {
  /** Width and height of a sample, in any unit. Absent where unspecified. */
  readonly sampleAspectRatio?: { readonly width: number; readonly height: number }
  /** Samples use 0..255 rather than 16..235. */
  readonly fullRange?: boolean
  /** colour_primaries, transfer_characteristics, matrix_coefficients (Tables E-3 to E-5). */
  readonly colour?: { readonly primaries: number; readonly transfer: number; readonly matrix: number }
  /** Field rate, in effect: a frame takes two ticks of `numUnitsInTick / timeScale` seconds. */
  readonly timing?: { readonly numUnitsInTick: number; readonly timeScale: number; readonly fixedFrameRate: boolean }
  /** 0 to 16. */
  readonly maxNumReorderFrames?: number
  /** 0 to 16. */
  readonly maxDecFrameBuffering?: number
}

/** Table E-1, aspect_ratio_idc 1 to 16. */
const ASPECT_RATIOS: readonly (readonly [number, number])[] = [
  [1, 1],
  [12, 11],
  [10, 11],
  [16, 11],
  [40, 33],
  [24, 11],
  [20, 11],
  [32, 11],
  [80, 33],
  [18, 11],
  [15, 11],
  [64, 33],
  [160, 99],
  [4, 3],
  [3, 2],
  [2, 1],
]
const EXTENDED_SAR = 255
/** §E.2.1: neither reordering nor buffering may exceed MaxDpbFrames, which is 16 at most (§A.3.1). */
const MAX_DPB_FRAMES = 16
/** §E.2.2: cpb_cnt_minus1 is 0 to 31. */
const MAX_CPB_COUNT = 32

/** `vui_parameters()`. */
export function readVui(bits: BitReader): Vui {
  const vui: { -readonly [Key in keyof Vui]: Vui[Key] } = {}
  if (bits.flag()) {
    const idc = bits.u(8)
    const [width, height] = idc === EXTENDED_SAR ? [bits.u(16), bits.u(16)] : (ASPECT_RATIOS[idc - 1] ?? [0, 0])
    if (width > 0 && height > 0) vui.sampleAspectRatio = { width, height }
  }
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
  if (bits.flag()) {
    const numUnitsInTick = bits.u(32)
    const timeScale = bits.u(32)
    const fixedFrameRate = bits.flag()
    if (numUnitsInTick > 0 && timeScale > 0) vui.timing = { numUnitsInTick, timeScale, fixedFrameRate }
  }
  const nalHrd = bits.flag()
  if (nalHrd) skipHrd(bits)
  const vclHrd = bits.flag()
  if (vclHrd) skipHrd(bits)
  if (nalHrd || vclHrd) bits.skip(1) // low_delay_hrd_flag
  bits.skip(1) // pic_struct_present_flag
  if (bits.flag()) {
    bits.skip(1) // motion_vectors_over_pic_boundaries_flag
    for (let i = 0; i < 4; i++) bits.ue() // max_bytes_per_pic_denom ... log2_max_mv_length_vertical
    const maxNumReorderFrames = bits.ue()
    const maxDecFrameBuffering = bits.ue()
    if (maxNumReorderFrames > maxDecFrameBuffering || maxDecFrameBuffering > MAX_DPB_FRAMES) {
      throw new BitstreamError(
        'H264_BAD_SPS',
        `reordering of ${maxNumReorderFrames} in ${maxDecFrameBuffering} frames, must be ascending and at most ${MAX_DPB_FRAMES}`,
      )
    }
    vui.maxNumReorderFrames = maxNumReorderFrames
    vui.maxDecFrameBuffering = maxDecFrameBuffering
  }
  return vui
}

/** `hrd_parameters()` (§E.1.2), of which nothing is kept. */
function skipHrd(bits: BitReader): void {
  const cpbCount = bits.ue() + 1
  if (cpbCount > MAX_CPB_COUNT) {
    throw new BitstreamError('H264_BAD_SPS', `${cpbCount} coded picture buffers, at most ${MAX_CPB_COUNT}`)
  }
  bits.skip(8) // bit_rate_scale, cpb_size_scale
  for (let i = 0; i < cpbCount; i++) {
    bits.ue() // bit_rate_value_minus1
    bits.ue() // cpb_size_value_minus1
    bits.skip(1) // cbr_flag
  }
  bits.skip(20) // three delay lengths and time_offset_length
}
