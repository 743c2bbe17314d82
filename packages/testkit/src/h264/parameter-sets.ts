import { RbspReader } from './rbsp-reader.js'

/** What the oracles read of a sequence parameter set (ITU-T H.264 §7.3.2.1.1). */
export interface SequenceParameters {
  readonly id: number
  readonly profileIdc: number
  readonly constraintFlags: number
  readonly levelIdc: number
  readonly separateColourPlane: boolean
  readonly log2MaxFrameNum: number
  readonly picOrderCntType: number
  readonly log2MaxPicOrderCntLsb: number
  readonly deltaPicOrderAlwaysZero: boolean
  readonly maxNumRefFrames: number
  readonly gapsInFrameNumAllowed: boolean
  readonly frameMbsOnly: boolean
  readonly picSizeInMapUnits: number
  /** Pixels after cropping. */
  readonly width: number
  readonly height: number
  /** From the VUI, where it is given. */
  readonly maxNumReorderFrames?: number
  /** Frames a second by the VUI timing, where it is given. */
  readonly frameRate?: number
}

/** What the oracles read of a picture parameter set (ITU-T H.264 §7.3.2.2). */
export interface PictureParameters {
  readonly id: number
  readonly spsId: number
  readonly bottomFieldPicOrderInFramePresent: boolean
  readonly redundantPicCntPresent: boolean
}

const HIGH_PROFILES: ReadonlySet<number> = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135])

/** Reads an SPS; throws RangeError where it is cut short or a value is out of range. */
export function readSequenceParameters(nalUnit: Uint8Array): SequenceParameters {
  const r = new RbspReader(nalUnit)
  const profileIdc = r.u(8)
  const constraintFlags = r.u(8)
  const levelIdc = r.u(8)
  const id = atMost('seq_parameter_set_id', r.ue(), 31)
  let chromaFormatIdc = 1
  let separateColourPlane = false
  if (HIGH_PROFILES.has(profileIdc)) {
    chromaFormatIdc = atMost('chroma_format_idc', r.ue(), 3)
    if (chromaFormatIdc === 3) separateColourPlane = r.flag()
    atMost('bit_depth_luma_minus8', r.ue(), 6)
    atMost('bit_depth_chroma_minus8', r.ue(), 6)
    r.flag()
    if (r.flag()) skipScalingLists(r, chromaFormatIdc === 3 ? 12 : 8)
  }
  const log2MaxFrameNum = atMost('log2_max_frame_num_minus4', r.ue(), 12) + 4
  const picOrderCntType = atMost('pic_order_cnt_type', r.ue(), 2)
  let log2MaxPicOrderCntLsb = 0
  let deltaPicOrderAlwaysZero = false
  if (picOrderCntType === 0) log2MaxPicOrderCntLsb = atMost('log2_max_pic_order_cnt_lsb_minus4', r.ue(), 12) + 4
  else if (picOrderCntType === 1) {
    deltaPicOrderAlwaysZero = r.flag()
    r.se()
    r.se()
    const cycle = atMost('num_ref_frames_in_pic_order_cnt_cycle', r.ue(), 255)
    for (let i = 0; i < cycle; i++) r.se()
  }
  const maxNumRefFrames = atMost('max_num_ref_frames', r.ue(), 16)
  const gapsInFrameNumAllowed = r.flag()
  const widthInMbs = r.ue() + 1
  const heightInMapUnits = r.ue() + 1
  const frameMbsOnly = r.flag()
  if (!frameMbsOnly) r.flag()
  r.flag()
  const fieldFactor = frameMbsOnly ? 1 : 2
  let width = widthInMbs * 16
  let height = heightInMapUnits * 16 * fieldFactor
  if (r.flag()) {
    const unitX = chromaFormatIdc === 1 || chromaFormatIdc === 2 ? 2 : 1
    const unitY = (chromaFormatIdc === 1 ? 2 : 1) * fieldFactor
    const [left, right, top, bottom] = [r.ue(), r.ue(), r.ue(), r.ue()]
    width -= (left + right) * unitX
    height -= (top + bottom) * unitY
  }
  if (width <= 0 || height <= 0) throw new RangeError(`a picture of ${width}x${height}`)
  return {
    id,
    profileIdc,
    constraintFlags,
    levelIdc,
    separateColourPlane,
    log2MaxFrameNum,
    picOrderCntType,
    log2MaxPicOrderCntLsb,
    deltaPicOrderAlwaysZero,
    maxNumRefFrames,
    gapsInFrameNumAllowed,
    frameMbsOnly,
    picSizeInMapUnits: widthInMbs * heightInMapUnits,
    width,
    height,
    ...(r.flag() ? readVui(r) : {}),
  }
}

/** Reads a PPS up to redundant_pic_cnt_present_flag; throws RangeError where it is cut short or out of range. */
export function readPictureParameters(nalUnit: Uint8Array): PictureParameters {
  const r = new RbspReader(nalUnit)
  const id = atMost('pic_parameter_set_id', r.ue(), 255)
  const spsId = atMost('seq_parameter_set_id', r.ue(), 31)
  r.flag()
  const bottomFieldPicOrderInFramePresent = r.flag()
  const sliceGroups = atMost('num_slice_groups_minus1', r.ue(), 7)
  if (sliceGroups > 0) skipSliceGroups(r, sliceGroups)
  atMost('num_ref_idx_l0_default_active_minus1', r.ue(), 31)
  atMost('num_ref_idx_l1_default_active_minus1', r.ue(), 31)
  r.flag()
  if (r.u(2) > 2) throw new RangeError('weighted_bipred_idc is 3')
  r.se()
  r.se()
  r.se()
  r.flag()
  r.flag()
  return { id, spsId, bottomFieldPicOrderInFramePresent, redundantPicCntPresent: r.flag() }
}

function skipScalingLists(r: RbspReader, lists: number): void {
  for (let i = 0; i < lists; i++) {
    if (!r.flag()) continue
    let next = 8
    let last = 8
    for (let j = 0; j < (i < 6 ? 16 : 64); j++) {
      if (next !== 0) next = (last + r.se() + 256) % 256
      if (next !== 0) last = next
    }
  }
}

function skipSliceGroups(r: RbspReader, lastGroup: number): void {
  const type = atMost('slice_group_map_type', r.ue(), 6)
  if (type === 0) for (let i = 0; i <= lastGroup; i++) r.ue()
  else if (type === 2) for (let i = 0; i < lastGroup * 2; i++) r.ue()
  else if (type >= 3 && type <= 5) {
    r.flag()
    r.ue()
  } else if (type === 6) {
    const bits = Math.ceil(Math.log2(lastGroup + 1))
    for (let left = r.ue() + 1; left > 0; left--) r.u(bits)
  }
}

/** Annex E §E.1.1. */
function readVui(r: RbspReader): { maxNumReorderFrames?: number; frameRate?: number } {
  const vui: { maxNumReorderFrames?: number; frameRate?: number } = {}
  if (r.flag() && r.u(8) === 255) r.u(32)
  if (r.flag()) r.flag()
  if (r.flag()) {
    r.u(4)
    if (r.flag()) r.u(24)
  }
  if (r.flag()) {
    r.ue()
    r.ue()
  }
  if (r.flag()) {
    const unitsInTick = r.u(32)
    const timeScale = r.u(32)
    r.flag()
    if (unitsInTick > 0) vui.frameRate = timeScale / unitsInTick / 2
  }
  const nalHrd = r.flag()
  if (nalHrd) skipHrd(r)
  const vclHrd = r.flag()
  if (vclHrd) skipHrd(r)
  if (nalHrd || vclHrd) r.flag()
  r.flag()
  if (r.flag()) {
    r.flag()
    for (let i = 0; i < 4; i++) r.ue()
    vui.maxNumReorderFrames = r.ue()
    r.ue()
  }
  return vui
}

function skipHrd(r: RbspReader): void {
  const count = atMost('cpb_cnt_minus1', r.ue(), 31) + 1
  r.u(8)
  for (let i = 0; i < count; i++) {
    r.ue()
    r.ue()
    r.flag()
  }
  r.u(20)
}

function atMost(name: string, value: number, max: number): number {
  if (value > max) throw new RangeError(`${name} is ${value}, more than ${max}`)
  return value
}
