import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addEmulationPrevention, BitstreamError, NalUnitType, nalUnitTypeOf, parsePps } from '../../src/index.js'
import { BitWriter } from '../bit-writer.js'
import { capturedAccessUnits } from '../captured-access-units.js'
import { encodeNalUnits, hasFfmpeg } from './x264.js'

const isPps = (nalUnit: Uint8Array): boolean => nalUnitTypeOf(nalUnit) === NalUnitType.pps

const sliceGroups = fc.oneof(
  fc.constant({ type: -1, groups: 1 }),
  fc.record({ type: fc.nat(6), groups: fc.integer({ min: 2, max: 8 }) }),
)
const fields = fc.record({
  id: fc.nat(255),
  spsId: fc.nat(31),
  entropyCodingMode: fc.boolean(),
  bottomFieldPicOrderInFramePresent: fc.boolean(),
  sliceGroups,
  values: fc.array(fc.nat(2 ** 20), { minLength: 20, maxLength: 20 }),
  numRefIdxL0DefaultActive: fc.integer({ min: 1, max: 32 }),
  numRefIdxL1DefaultActive: fc.integer({ min: 1, max: 32 }),
  weightedPred: fc.boolean(),
  weightedBipredIdc: fc.nat(2),
  deblockingFilterControlPresent: fc.boolean(),
  constrainedIntraPred: fc.boolean(),
  redundantPicCntPresent: fc.boolean(),
  transform8x8Mode: fc.option(fc.boolean(), { nil: undefined }),
})
type Fields = typeof fields extends fc.Arbitrary<infer T> ? T : never

function writePps(f: Fields): Uint8Array {
  const w = new BitWriter().u(0x68, 8).ue(f.id).ue(f.spsId).flag(f.entropyCodingMode)
  const { type, groups } = f.sliceGroups
  w.flag(f.bottomFieldPicOrderInFramePresent).ue(groups - 1)
  if (type >= 0) w.ue(type)
  if (type === 0) for (let i = 0; i < groups; i++) w.ue(f.values[i]!)
  if (type === 2) for (let i = 0; i < 2 * (groups - 1); i++) w.ue(f.values[i]!)
  if (type >= 3 && type <= 5) w.flag(true).ue(f.values[0]!)
  if (type === 6) {
    w.ue(19)
    for (const value of f.values) w.u(value % groups, Math.ceil(Math.log2(groups)))
  }
  w.ue(f.numRefIdxL0DefaultActive - 1)
    .ue(f.numRefIdxL1DefaultActive - 1)
    .flag(f.weightedPred)
    .u(f.weightedBipredIdc, 2)
  w.se(-10).se(3).se(-2)
  w.flag(f.deblockingFilterControlPresent).flag(f.constrainedIntraPred).flag(f.redundantPicCntPresent)
  if (f.transform8x8Mode !== undefined) w.flag(f.transform8x8Mode).flag(false).se(-2)
  return addEmulationPrevention(w.finish())
}

describe('parsePps', () => {
  it('of Chromium', () => {
    const pps = parsePps(capturedAccessUnits('solo')[0]!.find(isPps)!)
    expect(pps).toMatchObject({
      id: 0,
      spsId: 0,
      entropyCodingMode: false,
      numSliceGroups: 1,
      redundantPicCntPresent: false,
    })
  })

  it.skipIf(!hasFfmpeg && !process.env['CI']).each([
    ['baseline', { entropyCodingMode: false, transform8x8Mode: false, weightedBipredIdc: 0 }],
    ['main', { entropyCodingMode: true, transform8x8Mode: false, weightedBipredIdc: 2 }],
    ['high', { entropyCodingMode: true, transform8x8Mode: true, weightedBipredIdc: 2 }],
  ])('of x264, %s profile', (profile, expected) => {
    expect(parsePps(encodeNalUnits('320x240', 3, '-profile:v', profile).find(isPps)!)).toMatchObject(expected)
  })

  it('reads back every field of any PPS', () => {
    fc.assert(
      fc.property(fields, (f) => {
        const { sliceGroups: groups, values: _, transform8x8Mode, ...same } = f
        expect(parsePps(writePps(f))).toEqual({
          ...same,
          numSliceGroups: groups.groups,
          transform8x8Mode: transform8x8Mode ?? false,
        })
      }),
    )
  })

  it('throws BitstreamError or nothing on a damaged PPS', () => {
    fc.assert(
      fc.property(fields, fc.nat(), fc.nat(255), fc.nat(), (f, at, byte, cut) => {
        const nalUnit = writePps(f).slice()
        nalUnit[1 + (at % (nalUnit.length - 1))] = byte
        try {
          expect(parsePps(nalUnit.subarray(0, 1 + (cut % nalUnit.length))).spsId).toBeLessThan(32)
        } catch (error) {
          expect(error).toBeInstanceOf(BitstreamError)
        }
      }),
    )
  })

  it.each([
    ['an SPS', [0x67, 0x42, 0, 30]],
    ['nothing', []],
    ['one cut short', [0x68, 0xce]],
  ])('refuses %s', (_, bytes) => {
    expect(() => parsePps(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code: 'H264_BAD_PPS' }))
  })
})
