import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addEmulationPrevention, BitstreamError, h264ReorderDepth, parseSps } from '../../src/index.js'
import { BitWriter } from '../bit-writer.js'

const HIGH = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]
const SUB_WIDTH = [1, 2, 2, 1]
const SUB_HEIGHT = [1, 2, 1, 1]

const scalingList = fc.option(fc.array(fc.integer({ min: -128, max: 127 }), { minLength: 64, maxLength: 64 }), {
  nil: undefined,
})
const hrd = fc.option(
  fc.array(fc.record({ rate: fc.nat(2 ** 31), size: fc.nat(2 ** 31), cbr: fc.boolean() }), {
    minLength: 1,
    maxLength: 32,
  }),
  { nil: undefined },
)

const fields = fc.record({
  profileIdc: fc.constantFrom(66, 77, 88, ...HIGH),
  constraintFlags: fc.nat(255),
  levelIdc: fc.constantFrom(9, 10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52, 60, 61, 62),
  id: fc.nat(31),
  chroma: fc.nat(3),
  separate: fc.boolean(),
  depthLuma: fc.integer({ min: 8, max: 14 }),
  depthChroma: fc.integer({ min: 8, max: 14 }),
  scaling: fc.option(fc.array(scalingList, { minLength: 12, maxLength: 12 }), { nil: undefined }),
  log2MaxFrameNum: fc.integer({ min: 4, max: 16 }),
  pocType: fc.nat(2),
  log2MaxPicOrderCntLsb: fc.integer({ min: 4, max: 16 }),
  alwaysZero: fc.boolean(),
  offsets: fc.array(fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }), { maxLength: 255, size: '+1' }),
  maxNumRefFrames: fc.nat(16),
  gaps: fc.boolean(),
  widthMbs: fc.integer({ min: 1, max: 370 }),
  heightUnits: fc.integer({ min: 1, max: 180 }),
  frameMbsOnly: fc.boolean(),
  crop: fc.option(fc.record({ left: fc.nat(3), right: fc.nat(3), top: fc.nat(1), bottom: fc.nat(2) }), {
    nil: undefined,
  }),
  vui: fc.option(
    fc.record({
      sar: fc.option(
        fc.record({ idc: fc.constantFrom(0, 1, 2, 16, 255), width: fc.nat(65535), height: fc.nat(65535) }),
        { nil: undefined },
      ),
      signal: fc.option(fc.record({ fullRange: fc.boolean(), colour: fc.boolean() }), { nil: undefined }),
      chromaLocation: fc.boolean(),
      timing: fc.option(
        fc.record({
          numUnitsInTick: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
          timeScale: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
          fixedFrameRate: fc.boolean(),
        }),
        { nil: undefined },
      ),
      nalHrd: hrd,
      vclHrd: hrd,
      restriction: fc.option(fc.record({ reorder: fc.nat(16), more: fc.nat(16) }), { nil: undefined }),
    }),
    { nil: undefined },
  ),
})
type Fields = typeof fields extends fc.Arbitrary<infer T> ? T : never

function writeSps(f: Fields): Uint8Array {
  const w = new BitWriter().u(0x67, 8).u(f.profileIdc, 8).u(f.constraintFlags, 8).u(f.levelIdc, 8).ue(f.id)
  if (HIGH.includes(f.profileIdc)) {
    w.ue(f.chroma)
    if (f.chroma === 3) w.flag(f.separate)
    w.ue(f.depthLuma - 8)
      .ue(f.depthChroma - 8)
      .flag(false)
      .flag(f.scaling !== undefined)
    const lists = f.scaling?.slice(0, f.chroma === 3 ? 12 : 8) ?? []
    for (const [i, deltas] of lists.entries()) {
      w.flag(deltas !== undefined)
      let last = 8
      for (const delta of deltas?.slice(0, i < 6 ? 16 : 64) ?? []) {
        w.se(delta)
        last = (last + delta + 256) % 256
        if (last === 0) break // the rest of the list repeats the last scale and is not sent
      }
    }
  }
  w.ue(f.log2MaxFrameNum - 4).ue(f.pocType)
  if (f.pocType === 0) w.ue(f.log2MaxPicOrderCntLsb - 4)
  if (f.pocType === 1) {
    w.flag(f.alwaysZero).se(-3).se(5).ue(f.offsets.length)
    for (const offset of f.offsets) w.se(offset)
  }
  w.ue(f.maxNumRefFrames)
    .flag(f.gaps)
    .ue(f.widthMbs - 1)
    .ue(f.heightUnits - 1)
    .flag(f.frameMbsOnly)
  if (!f.frameMbsOnly) w.flag(true)
  w.flag(true).flag(f.crop !== undefined)
  if (f.crop !== undefined) w.ue(f.crop.left).ue(f.crop.right).ue(f.crop.top).ue(f.crop.bottom)
  w.flag(f.vui !== undefined)
  if (f.vui !== undefined) writeVui(w, f.vui)
  return addEmulationPrevention(w.finish())
}

function writeVui(w: BitWriter, vui: NonNullable<Fields['vui']>): void {
  w.flag(vui.sar !== undefined)
  if (vui.sar !== undefined) {
    w.u(vui.sar.idc, 8)
    if (vui.sar.idc === 255) w.u(vui.sar.width, 16).u(vui.sar.height, 16)
  }
  w.flag(true).flag(true) // overscan
  w.flag(vui.signal !== undefined)
  if (vui.signal !== undefined) {
    w.u(5, 3).flag(vui.signal.fullRange).flag(vui.signal.colour)
    if (vui.signal.colour) w.u(1, 8).u(13, 8).u(6, 8)
  }
  w.flag(vui.chromaLocation)
  if (vui.chromaLocation) w.ue(0).ue(5)
  w.flag(vui.timing !== undefined)
  if (vui.timing !== undefined)
    w.u(vui.timing.numUnitsInTick, 32).u(vui.timing.timeScale, 32).flag(vui.timing.fixedFrameRate)
  for (const buffers of [vui.nalHrd, vui.vclHrd]) {
    w.flag(buffers !== undefined)
    if (buffers === undefined) continue
    w.ue(buffers.length - 1).u(0xab, 8)
    for (const { rate, size, cbr } of buffers) w.ue(rate).ue(size).flag(cbr)
    w.u(0xabcde, 20)
  }
  if (vui.nalHrd !== undefined || vui.vclHrd !== undefined) w.flag(true)
  w.flag(true).flag(vui.restriction !== undefined)
  if (vui.restriction !== undefined) {
    const { reorder, more } = vui.restriction
    w.flag(true)
      .ue(2)
      .ue(1)
      .ue(16)
      .ue(16)
      .ue(reorder)
      .ue(Math.min(16, reorder + more))
  }
}

describe('parseSps', () => {
  it('reads back every field of any SPS', () => {
    fc.assert(
      fc.property(fields, (f) => {
        const sps = parseSps(writeSps(f))
        const high = HIGH.includes(f.profileIdc)
        const chroma = high ? f.chroma : 1
        const separate = chroma === 3 && f.separate
        const codedHeight = f.heightUnits * 16 * (f.frameMbsOnly ? 1 : 2)
        const arrayType = separate ? 0 : chroma
        const unitY = SUB_HEIGHT[arrayType]! * (f.frameMbsOnly ? 1 : 2)
        expect(sps).toMatchObject({
          id: f.id,
          profileIdc: f.profileIdc,
          constraintFlags: f.constraintFlags,
          levelIdc: f.levelIdc,
          chromaFormatIdc: chroma,
          separateColourPlane: separate,
          bitDepthLuma: high ? f.depthLuma : 8,
          bitDepthChroma: high ? f.depthChroma : 8,
          log2MaxFrameNum: f.log2MaxFrameNum,
          picOrderCntType: f.pocType,
          log2MaxPicOrderCntLsb: f.pocType === 0 ? f.log2MaxPicOrderCntLsb : 0,
          deltaPicOrderAlwaysZero: f.pocType === 1 && f.alwaysZero,
          maxNumRefFrames: f.maxNumRefFrames,
          gapsInFrameNumAllowed: f.gaps,
          frameMbsOnly: f.frameMbsOnly,
          codedWidth: f.widthMbs * 16,
          codedHeight,
          width: f.widthMbs * 16 - SUB_WIDTH[arrayType]! * ((f.crop?.left ?? 0) + (f.crop?.right ?? 0)),
          height: codedHeight - unitY * ((f.crop?.top ?? 0) + (f.crop?.bottom ?? 0)),
        })
        expect(sps.vui?.timing).toEqual(f.vui?.timing)
        expect(sps.vui?.fullRange).toBe(f.vui?.signal?.fullRange)
        expect(sps.vui?.maxNumReorderFrames).toBe(f.vui?.restriction?.reorder)
        expect(h264ReorderDepth(sps)).toBeGreaterThanOrEqual(0)
        expect(h264ReorderDepth(sps)).toBeLessThanOrEqual(16)
      }),
    )
  })

  it('throws BitstreamError or nothing on a damaged SPS', () => {
    fc.assert(
      fc.property(fields, fc.nat(), fc.nat(255), fc.nat(), (f, at, byte, cut) => {
        const nalUnit = writeSps(f).slice()
        nalUnit[1 + (at % (nalUnit.length - 1))] = byte
        try {
          const sps = parseSps(nalUnit.subarray(0, 1 + (cut % nalUnit.length)))
          expect(sps.width).toBeGreaterThan(0)
          expect(sps.height).toBeGreaterThan(0)
        } catch (error) {
          expect(error).toBeInstanceOf(BitstreamError)
        }
      }),
    )
  })
})
