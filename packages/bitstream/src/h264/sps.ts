import { BitReader } from '../bit-reader.js'
import { BitstreamError } from '../errors.js'
import { removeEmulationPrevention } from './emulation-prevention.js'
import { NalUnitType, nalUnitTypeOf } from './nal-unit.js'
import { readVui, type Vui } from './vui.js'

/** A sequence parameter set (ITU-T H.264 §7.3.2.1.1, §7.4.2.1.1). */
export interface Sps {
  /** seq_parameter_set_id, 0 to 31. */
  readonly id: number
  readonly profileIdc: number
  /** The byte after profile_idc: constraint_set0_flag is its most significant bit. */
  readonly constraintFlags: number
  /** Ten times the level, e.g. 31 for 3.1. */
  readonly levelIdc: number
  /** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormatIdc: number
  readonly separateColourPlane: boolean
  /** 8 to 14. */
  readonly bitDepthLuma: number
  /** 8 to 14. */
  readonly bitDepthChroma: number
  /** 4 to 16. */
  readonly log2MaxFrameNum: number
  /** 0 to 2. */
  readonly picOrderCntType: number
  /** 4 to 16; 0 unless picOrderCntType is 0. */
  readonly log2MaxPicOrderCntLsb: number
  readonly deltaPicOrderAlwaysZero: boolean
  /** 0 to 16. */
  readonly maxNumRefFrames: number
  readonly gapsInFrameNumAllowed: boolean
  readonly frameMbsOnly: boolean
  /** Pixels, a multiple of 16. */
  readonly codedWidth: number
  /** Pixels of a frame, a multiple of 16. */
  readonly codedHeight: number
  /** Pixels after cropping. */
  readonly width: number
  /** Pixels of a frame after cropping. */
  readonly height: number
  /** Absent where there is none, or where it is damaged: nothing that decoding needs is in it. */
  readonly vui?: Vui
}

/** Profiles whose SPS has chroma_format_idc and what follows it (§7.3.2.1.1). */
const HIGH_PROFILES: ReadonlySet<number> = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135])
/** Table A-1, level 6.2, the highest: MaxFS in macroblocks. */
const MAX_FRAME_SIZE_MBS = 139_264
/** §A.3.1: neither side may exceed Sqrt(MaxFS * 8). */
const MAX_SIDE_MBS = 1055

/** Parses a NAL unit of type 7. Throws BitstreamError `H264_BAD_SPS`. */
export function parseSps(nalUnit: Uint8Array): Sps {
  if (nalUnitTypeOf(nalUnit) !== NalUnitType.sps) {
    throw new BitstreamError('H264_BAD_SPS', `not an SPS: nal_unit_type ${nalUnitTypeOf(nalUnit)}`)
  }
  try {
    return readSps(new BitReader(removeEmulationPrevention(nalUnit), 8))
  } catch (cause) {
    if (!(cause instanceof BitstreamError) || cause.code === 'H264_BAD_SPS') throw cause
    throw new BitstreamError('H264_BAD_SPS', `the SPS cannot be read: ${cause.message}`, { cause })
  }
}

function readSps(bits: BitReader): Sps {
  const profileIdc = bits.u(8)
  const constraintFlags = bits.u(8)
  const levelIdc = bits.u(8)
  const id = atMost(bits.ue(), 31, 'seq_parameter_set_id')
  let chromaFormatIdc = 1
  let separateColourPlane = false
  let bitDepthLuma = 8
  let bitDepthChroma = 8
  if (HIGH_PROFILES.has(profileIdc)) {
    chromaFormatIdc = atMost(bits.ue(), 3, 'chroma_format_idc')
    if (chromaFormatIdc === 3) separateColourPlane = bits.flag()
    bitDepthLuma = 8 + atMost(bits.ue(), 6, 'bit_depth_luma_minus8')
    bitDepthChroma = 8 + atMost(bits.ue(), 6, 'bit_depth_chroma_minus8')
    bits.skip(1) // qpprime_y_zero_transform_bypass_flag
    if (bits.flag()) skipScalingMatrix(bits, chromaFormatIdc === 3 ? 12 : 8)
  }
  const log2MaxFrameNum = 4 + atMost(bits.ue(), 12, 'log2_max_frame_num_minus4')
  const picOrderCntType = atMost(bits.ue(), 2, 'pic_order_cnt_type')
  let log2MaxPicOrderCntLsb = 0
  let deltaPicOrderAlwaysZero = false
  if (picOrderCntType === 0) {
    log2MaxPicOrderCntLsb = 4 + atMost(bits.ue(), 12, 'log2_max_pic_order_cnt_lsb_minus4')
  } else if (picOrderCntType === 1) {
    deltaPicOrderAlwaysZero = bits.flag()
    bits.se() // offset_for_non_ref_pic
    bits.se() // offset_for_top_to_bottom_field
    const cycle = atMost(bits.ue(), 255, 'num_ref_frames_in_pic_order_cnt_cycle')
    for (let i = 0; i < cycle; i++) bits.se() // offset_for_ref_frame
  }
  const maxNumRefFrames = atMost(bits.ue(), 16, 'max_num_ref_frames')
  const gapsInFrameNumAllowed = bits.flag()
  const widthMbs = 1 + atMost(bits.ue(), MAX_SIDE_MBS - 1, 'pic_width_in_mbs_minus1')
  const heightMapUnits = 1 + atMost(bits.ue(), MAX_SIDE_MBS - 1, 'pic_height_in_map_units_minus1')
  const frameMbsOnly = bits.flag()
  if (!frameMbsOnly) bits.skip(1) // mb_adaptive_frame_field_flag
  bits.skip(1) // direct_8x8_inference_flag
  const heightMbs = heightMapUnits * (frameMbsOnly ? 1 : 2)
  atMost(widthMbs * heightMbs, MAX_FRAME_SIZE_MBS, 'frame size in macroblocks')
  const codedWidth = widthMbs * 16
  const codedHeight = heightMbs * 16
  let width = codedWidth
  let height = codedHeight
  if (bits.flag()) {
    // §7.4.2.1.1: offsets count chroma samples, and lines of a field where fields are possible.
    const chromaArrayType = separateColourPlane ? 0 : chromaFormatIdc
    const unitX = chromaArrayType === 1 || chromaArrayType === 2 ? 2 : 1
    const unitY = (chromaArrayType === 1 ? 2 : 1) * (frameMbsOnly ? 1 : 2)
    width -= unitX * (bits.ue() + bits.ue())
    height -= unitY * (bits.ue() + bits.ue())
    if (width <= 0 || height <= 0) {
      throw new BitstreamError('H264_BAD_SPS', `cropping leaves nothing of ${codedWidth}x${codedHeight}`)
    }
  }
  const vui = bits.flag() ? tryReadVui(bits) : undefined
  return {
    id,
    profileIdc,
    constraintFlags,
    levelIdc,
    chromaFormatIdc,
    separateColourPlane,
    bitDepthLuma,
    bitDepthChroma,
    log2MaxFrameNum,
    picOrderCntType,
    log2MaxPicOrderCntLsb,
    deltaPicOrderAlwaysZero,
    maxNumRefFrames,
    gapsInFrameNumAllowed,
    frameMbsOnly,
    codedWidth,
    codedHeight,
    width,
    height,
    ...(vui === undefined ? {} : { vui }),
  }
}

/** Cameras exist whose VUI is cut short. Their pictures decode all the same, so this is no reason to refuse them. */
function tryReadVui(bits: BitReader): Vui | undefined {
  try {
    return readVui(bits)
  } catch (error) {
    if (error instanceof BitstreamError) return undefined
    throw error
  }
}

/** The scaling lists of an SPS (§7.3.2.1.1.1), of which nothing is kept. */
function skipScalingMatrix(bits: BitReader, lists: number): void {
  for (let list = 0; list < lists; list++) {
    if (!bits.flag()) continue
    const size = list < 6 ? 16 : 64
    let lastScale = 8
    let nextScale = 8
    for (let i = 0; i < size; i++) {
      if (nextScale !== 0) nextScale = (lastScale + bits.se() + 256) & 0xff
      if (nextScale !== 0) lastScale = nextScale
    }
  }
}

function atMost(value: number, limit: number, name: string): number {
  if (value > limit) throw new BitstreamError('H264_BAD_SPS', `${name} must be at most ${limit}, got ${value}`)
  return value
}
