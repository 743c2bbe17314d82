import { describe, expect, it } from 'vitest'
import { h264ReorderDepth, type Sps } from '../../src/index.js'

const hd: Sps = {
  id: 0,
  profileIdc: 100,
  constraintFlags: 0,
  levelIdc: 40,
  chromaFormatIdc: 1,
  separateColourPlane: false,
  bitDepthLuma: 8,
  bitDepthChroma: 8,
  log2MaxFrameNum: 4,
  picOrderCntType: 0,
  log2MaxPicOrderCntLsb: 4,
  deltaPicOrderAlwaysZero: false,
  maxNumRefFrames: 4,
  gapsInFrameNumAllowed: false,
  frameMbsOnly: true,
  codedWidth: 1920,
  codedHeight: 1088,
  width: 1920,
  height: 1080,
}

describe('h264ReorderDepth', () => {
  it.each<[string, Partial<Sps>, number]>([
    ['the VUI says it', { vui: { maxNumReorderFrames: 1 } }, 1],
    ['the VUI says it, even of baseline', { profileIdc: 66, vui: { maxNumReorderFrames: 2 } }, 2],
    ['a VUI that does not say', { vui: { fullRange: true } }, 4],
    ['baseline', { profileIdc: 66 }, 0],
    ['pic_order_cnt_type 2', { picOrderCntType: 2 }, 0],
    ['High Intra', { constraintFlags: 0x10 }, 0],
    ['CAVLC 4:4:4 Intra', { profileIdc: 44, constraintFlags: 0x10 }, 0],
    ['constraint_set3_flag of Main means something else', { profileIdc: 77, constraintFlags: 0x10 }, 4],
    ['1080p at level 4', {}, 4],
    ['720p at level 4', { codedWidth: 1280, codedHeight: 720 }, 9],
    ['1080p at level 5.1', { levelIdc: 51 }, 16],
    ['QCIF at level 4: 16 at most', { codedWidth: 176, codedHeight: 144 }, 16],
    ['CIF at level 1.3', { codedWidth: 352, codedHeight: 288, levelIdc: 13 }, 6],
    ['QCIF at level 1.1', { codedWidth: 176, codedHeight: 144, levelIdc: 11 }, 9],
    [
      'QCIF at level 1b of Main',
      { codedWidth: 176, codedHeight: 144, levelIdc: 11, profileIdc: 77, constraintFlags: 0x10 },
      4,
    ],
    ['QCIF at level 1b of High', { codedWidth: 176, codedHeight: 144, levelIdc: 9 }, 4],
    ['4096x2304 at level 6.2', { codedWidth: 4096, codedHeight: 2304, levelIdc: 62 }, 16],
    ['larger than the level allows', { levelIdc: 10 }, 0],
  ])('%s', (_, fields, expected) => {
    expect(h264ReorderDepth({ ...hd, ...fields })).toBe(expected)
  })
})
