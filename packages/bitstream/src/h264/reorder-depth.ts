import type { Sps } from './sps.js'

const BASELINE = 66
/** §E.2.1: with constraint_set3_flag these are intra-only, and nothing is inferred to be reordered. */
const INTRA_PROFILES: ReadonlySet<number> = new Set([44, 86, 100, 110, 122, 244])
/** Profiles where level_idc 11 with constraint_set3_flag means level 1b (§A.3.1). */
const LEVEL_1B_PROFILES: ReadonlySet<number> = new Set([66, 77, 88])
const CONSTRAINT_SET3 = 0x10
/** §A.3.1: MaxDpbFrames is 16 at most. */
const MAX_DPB_FRAMES = 16

/** Table A-1: up to which level_idc how many macroblocks of decoded pictures are held (MaxDpbMbs). */
const MAX_DPB_MBS: readonly (readonly [levelIdc: number, maxDpbMbs: number])[] = [
  [10, 396],
  [11, 900],
  [20, 2376],
  [21, 4752],
  [30, 8100],
  [31, 18_000],
  [32, 20_480],
  [41, 32_768],
  [42, 34_816],
  [50, 110_400],
  [52, 184_320],
  [255, 696_320],
]

/**
 * How many pictures may be held back to restore output order: max_num_reorder_frames, or what §E.2.1 infers where it is
 * absent. Baseline has no B slices, and pic_order_cnt_type 2 means output in decoding order (§8.2.1.3): 0.
 */
export function h264ReorderDepth(sps: Sps): number {
  if (sps.vui?.maxNumReorderFrames !== undefined) return sps.vui.maxNumReorderFrames
  if (sps.profileIdc === BASELINE || sps.picOrderCntType === 2) return 0
  if (INTRA_PROFILES.has(sps.profileIdc) && (sps.constraintFlags & CONSTRAINT_SET3) !== 0) return 0
  return maxDpbFrames(sps)
}

/** MaxDpbFrames (§A.3.1). */
function maxDpbFrames(sps: Sps): number {
  const is1b =
    sps.levelIdc === 11 && LEVEL_1B_PROFILES.has(sps.profileIdc) && (sps.constraintFlags & CONSTRAINT_SET3) !== 0
  const level = is1b ? 10 : sps.levelIdc
  const maxDpbMbs = MAX_DPB_MBS.find(([upTo]) => level <= upTo)?.[1] ?? 0
  return Math.min(Math.floor(maxDpbMbs / ((sps.codedWidth / 16) * (sps.codedHeight / 16))), MAX_DPB_FRAMES)
}
