import type { VideoConfiguration } from '@rushes/media'
import fc from 'fast-check'
import { nalUnitOf, RbspWriter } from '../h264/rbsp-writer.js'

/** What a generated SPS and PPS say. */
export interface H264Parameters {
  readonly profileIdc: 66 | 77 | 100
  readonly constraintFlags: number
  readonly levelIdc: number
  readonly spsId: number
  readonly ppsId: number
  readonly widthInMbs: number
  readonly heightInMbs: number
  /** Luma rows cropped at the bottom, columns at the right: even. */
  readonly cropRight: number
  readonly cropBottom: number
  readonly log2MaxFrameNum: number
  readonly picOrderCntType: 0 | 1 | 2
  readonly log2MaxPicOrderCntLsb: number
  /** The VUI tells the reorder depth; without it the profile (baseline) or picture order count type 2 does. */
  readonly bitstreamRestriction: boolean
  readonly timing: boolean
  readonly cabac: boolean
  readonly bottomFieldPicOrder: boolean
  readonly redundantPicCnt: boolean
  readonly deblockingControl: boolean
  /** What the pictures need: max_num_reorder_frames. */
  readonly reorderDepth: number
}

/** Any parameters for streams of that reorder depth. */
export function h264Parameters(reorderDepth: number): fc.Arbitrary<H264Parameters> {
  const reorders = reorderDepth > 0
  return fc
    .record({
      profileIdc: reorders
        ? fc.constantFrom(77 as const, 100 as const)
        : fc.constantFrom(66 as const, 77 as const, 100 as const),
      levelIdc: fc.constantFrom(31, 32, 40, 42, 51),
      spsId: fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, fc.nat(31)),
      ppsId: fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, fc.nat(255)),
      widthInMbs: fc.integer({ min: 1, max: 80 }),
      heightInMbs: fc.integer({ min: 1, max: 45 }),
      cropRight: fc.nat(7).map((half) => half * 2),
      cropBottom: fc.nat(7).map((half) => half * 2),
      log2MaxFrameNum: fc.integer({ min: 4, max: 16 }),
      picOrderCntType: reorders ? fc.constant(0 as const) : fc.constantFrom(0 as const, 1 as const, 2 as const),
      // Five bits at least: a picture may come three places ahead of its turn, 8 in picture order count.
      log2MaxPicOrderCntLsb: fc.integer({ min: 5, max: 16 }),
      bitstreamRestriction: fc.oneof({ arbitrary: fc.constant(true), weight: 3 }, fc.constant(false)),
      timing: fc.boolean(),
      cabac: fc.boolean(),
      bottomFieldPicOrder: fc.boolean(),
      redundantPicCnt: fc.boolean(),
      deblockingControl: fc.boolean(),
    })
    .map((seed) => ({
      ...seed,
      reorderDepth,
      constraintFlags: seed.profileIdc === 66 ? 0xc0 : 0,
      cabac: seed.cabac && seed.profileIdc !== 66,
      redundantPicCnt: seed.redundantPicCnt && seed.profileIdc === 66,
      // Where nothing else tells a reader the depth, the VUI has to.
      bitstreamRestriction: seed.bitstreamRestriction || (seed.profileIdc !== 66 && seed.picOrderCntType !== 2),
    }))
}

/** ITU-T H.264 §7.3.2.1.1. */
export function writeSps(p: H264Parameters): Uint8Array {
  const w = new RbspWriter().u(8, p.profileIdc).u(8, p.constraintFlags).u(8, p.levelIdc).ue(p.spsId)
  if (p.profileIdc === 100) w.ue(1).ue(0).ue(0).flag(false).flag(false)
  w.ue(p.log2MaxFrameNum - 4).ue(p.picOrderCntType)
  if (p.picOrderCntType === 0) w.ue(p.log2MaxPicOrderCntLsb - 4)
  else if (p.picOrderCntType === 1) w.flag(true).se(0).se(0).ue(0)
  w.ue(Math.max(1, p.reorderDepth + 1)).flag(false)
  w.ue(p.widthInMbs - 1)
    .ue(p.heightInMbs - 1)
    .flag(true)
    .flag(true)
  const cropped = p.cropRight > 0 || p.cropBottom > 0
  w.flag(cropped)
  if (cropped)
    w.ue(0)
      .ue(p.cropRight / 2)
      .ue(0)
      .ue(p.cropBottom / 2)
  w.flag(p.bitstreamRestriction || p.timing)
  if (p.bitstreamRestriction || p.timing) {
    w.flag(false).flag(false).flag(false).flag(false).flag(p.timing)
    if (p.timing) w.u(32, 1).u(32, 60).flag(false)
    w.flag(false).flag(false).flag(false).flag(p.bitstreamRestriction)
    if (p.bitstreamRestriction) {
      w.flag(true)
        .ue(0)
        .ue(0)
        .ue(16)
        .ue(16)
        .ue(p.reorderDepth)
        .ue(Math.max(1, p.reorderDepth + 1))
    }
  }
  return nalUnitOf(3, 7, w.finish())
}

/** ITU-T H.264 §7.3.2.2. */
export function writePps(p: H264Parameters): Uint8Array {
  const w = new RbspWriter().ue(p.ppsId).ue(p.spsId).flag(p.cabac).flag(p.bottomFieldPicOrder)
  w.ue(0).ue(0).ue(0).flag(false).u(2, 0).se(0).se(0).se(0)
  w.flag(p.deblockingControl).flag(false).flag(p.redundantPicCnt)
  return nalUnitOf(3, 8, w.finish())
}

/** What a reader of these parameter sets must say. */
export function configurationOf(p: H264Parameters): VideoConfiguration {
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0')
  return {
    kind: 'video',
    codec: 'h264',
    codecString: `avc1.${hex(p.profileIdc)}${hex(p.constraintFlags)}${hex(p.levelIdc)}`,
    width: p.widthInMbs * 16 - p.cropRight,
    height: p.heightInMbs * 16 - p.cropBottom,
    rotation: 0,
    reorderDepth: p.reorderDepth,
    parameterSets: { sps: [writeSps(p)], pps: [writePps(p)] },
  }
}
