import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addEmulationPrevention,
  BitstreamError,
  isVclNalUnit,
  nalRefIdcOf,
  nalUnitTypeOf,
  type Pps,
  parseFirstMbInSlice,
  parseSliceHeader,
  type SliceHeader,
  type Sps,
  startsNewPicture,
} from '../../src/index.js'
import { BitWriter } from '../bit-writer.js'
import { capturedAccessUnits } from '../captured-access-units.js'
import { parameterSetTable } from './parameter-set-table.js'
import { encodeNalUnits, hasFfmpeg } from './x264.js'

/** The slice headers of a stream, one list per picture as startsNewPicture sees it. */
function picturesOf(nalUnits: readonly Uint8Array[]): SliceHeader[][] {
  const table = parameterSetTable(nalUnits)
  const pictures: SliceHeader[][] = []
  let previous: SliceHeader | undefined
  for (const nalUnit of nalUnits) {
    if (!isVclNalUnit(nalUnitTypeOf(nalUnit))) continue
    const header = parseSliceHeader(nalUnit, table)
    expect(parseFirstMbInSlice(nalUnit)).toBe(header.firstMbInSlice)
    if (previous === undefined || startsNewPicture(previous, header)) pictures.push([])
    pictures.at(-1)!.push(header)
    previous = header
  }
  return pictures
}

describe('slice headers of Chromium', () => {
  it.each(['solo', 'ramp', 'mutes'])('%s: one picture per RTP timestamp', (take) => {
    const accessUnits = capturedAccessUnits(take)
    expect(picturesOf(accessUnits.flat())).toHaveLength(accessUnits.length)
  })
})

describe.skipIf(!hasFfmpeg && !process.env['CI'])('slice headers of x264', () => {
  it.each([
    ['one slice, B-frames', ['-bf', '2', '-b_strategy', '0'], 1],
    ['four slices', ['-slices', '4', '-bf', '2'], 4],
    ['pic_order_cnt_type 2', ['-bf', '0', '-slices', '3'], 3],
    ['interlaced', ['-flags', '+ildct+ilme', '-x264opts', 'tff=1'], 1],
    ['constant IDR', ['-g', '1'], 1],
  ])('%s', (_, options, slices) => {
    const nalUnits = encodeNalUnits('320x240', 30, ...options)
    const pictures = picturesOf(nalUnits)
    expect(pictures).toHaveLength(30)
    for (const picture of pictures) {
      expect(picture).toHaveLength(slices)
      expect(picture[0]!.firstMbInSlice).toBe(0)
      expect(new Set(picture.map((slice) => slice.firstMbInSlice)).size).toBe(slices)
    }
  })

  it('tells I, P and B as they were asked for', () => {
    const pictures = picturesOf(
      encodeNalUnits('320x240', 7, '-bf', '2', '-b_strategy', '0', '-x264opts', 'b-pyramid=0'),
    )
    expect(pictures.map(([slice]) => 'PBI'[slice!.sliceType])).toEqual(['I', 'P', 'B', 'B', 'P', 'B', 'B'])
    expect(pictures.map(([slice]) => slice!.picOrderCntLsb)).toEqual([0, 6, 2, 4, 12, 8, 10])
  })
})

const sps = fc.record({
  log2MaxFrameNum: fc.integer({ min: 4, max: 16 }),
  frameMbsOnly: fc.boolean(),
  picOrderCntType: fc.nat(2),
  log2MaxPicOrderCntLsb: fc.integer({ min: 4, max: 16 }),
  deltaPicOrderAlwaysZero: fc.boolean(),
  separateColourPlane: fc.boolean(),
}) as fc.Arbitrary<
  Pick<
    Sps,
    | 'log2MaxFrameNum'
    | 'frameMbsOnly'
    | 'picOrderCntType'
    | 'log2MaxPicOrderCntLsb'
    | 'deltaPicOrderAlwaysZero'
    | 'separateColourPlane'
  >
>
const pps = fc.record({
  spsId: fc.nat(31),
  bottomFieldPicOrderInFramePresent: fc.boolean(),
  redundantPicCntPresent: fc.boolean(),
})
const delta = fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 })
const slice = fc.record({
  nalUnitType: fc.constantFrom(1, 2, 5),
  nalRefIdc: fc.nat(3),
  firstMbInSlice: fc.nat(139_263),
  sliceType: fc.nat(9),
  ppsId: fc.nat(255),
  frameNum: fc.nat(65_535),
  fieldPic: fc.boolean(),
  bottomField: fc.boolean(),
  idrPicId: fc.nat(65_535),
  picOrderCntLsb: fc.nat(65_535),
  bottom: delta,
  delta0: delta,
  delta1: delta,
  redundantPicCnt: fc.nat(127),
})

it('parseSliceHeader reads back every field of any header', () => {
  fc.assert(
    fc.property(sps, pps, slice, (s, p, f) => {
      const w = new BitWriter()
        .u((f.nalRefIdc << 5) | f.nalUnitType, 8)
        .ue(f.firstMbInSlice)
        .ue(f.sliceType)
        .ue(f.ppsId)
      const expected: Record<string, unknown> = {
        nalUnitType: f.nalUnitType,
        nalRefIdc: f.nalRefIdc,
        firstMbInSlice: f.firstMbInSlice,
        sliceType: f.sliceType % 5,
        ppsId: f.ppsId,
        frameNum: f.frameNum % 2 ** s.log2MaxFrameNum,
        fieldPic: !s.frameMbsOnly && f.fieldPic,
        bottomField: !s.frameMbsOnly && f.fieldPic && f.bottomField,
        redundantPicCnt: p.redundantPicCntPresent ? f.redundantPicCnt : 0,
      }
      if (s.separateColourPlane) w.u(2, 2)
      w.u(f.frameNum % 2 ** s.log2MaxFrameNum, s.log2MaxFrameNum)
      if (!s.frameMbsOnly) w.flag(f.fieldPic)
      if (!s.frameMbsOnly && f.fieldPic) w.flag(f.bottomField)
      if (f.nalUnitType === 5) {
        w.ue(f.idrPicId)
        expected['idrPicId'] = f.idrPicId
      }
      const bottomPresent = p.bottomFieldPicOrderInFramePresent && !(!s.frameMbsOnly && f.fieldPic)
      if (s.picOrderCntType === 0) {
        expected['picOrderCntLsb'] = f.picOrderCntLsb % 2 ** s.log2MaxPicOrderCntLsb
        w.u(f.picOrderCntLsb % 2 ** s.log2MaxPicOrderCntLsb, s.log2MaxPicOrderCntLsb)
        if (bottomPresent) {
          expected['deltaPicOrderCntBottom'] = f.bottom
          w.se(f.bottom)
        }
      } else if (s.picOrderCntType === 1 && !s.deltaPicOrderAlwaysZero) {
        expected['deltaPicOrderCnt0'] = f.delta0
        w.se(f.delta0)
        if (bottomPresent) {
          expected['deltaPicOrderCnt1'] = f.delta1
          w.se(f.delta1)
        }
      }
      if (p.redundantPicCntPresent) w.ue(f.redundantPicCnt)
      const nalUnit = addEmulationPrevention(w.finish())
      const table = {
        sps: (id: number): Sps | undefined => (id === p.spsId ? (s as Sps) : undefined),
        pps: (id: number): Pps | undefined => (id === f.ppsId ? (p as Pps) : undefined),
      }
      expect(nalRefIdcOf(nalUnit)).toBe(f.nalRefIdc)
      expect(parseFirstMbInSlice(nalUnit)).toBe(f.firstMbInSlice)
      // `-0` and `0` are one code.
      expect(parseSliceHeader(nalUnit, table)).toEqual(expected)
      expect(startsNewPicture(parseSliceHeader(nalUnit, table), parseSliceHeader(nalUnit, table))).toBe(false)
    }),
  )
})

describe('startsNewPicture', () => {
  const header: SliceHeader = {
    nalUnitType: 1,
    nalRefIdc: 2,
    firstMbInSlice: 0,
    sliceType: 0,
    ppsId: 0,
    frameNum: 3,
    fieldPic: false,
    bottomField: false,
    picOrderCntLsb: 6,
    deltaPicOrderCntBottom: 0,
    redundantPicCnt: 0,
  }
  it.each<[string, Partial<SliceHeader>, Partial<SliceHeader>, boolean]>([
    ['another slice of the picture', {}, { firstMbInSlice: 40, sliceType: 2 }, false],
    ['frame_num', {}, { frameNum: 4 }, true],
    ['pic_parameter_set_id', {}, { ppsId: 1 }, true],
    ['field_pic_flag', {}, { fieldPic: true }, true],
    ['bottom_field_flag', { fieldPic: true }, { fieldPic: true, bottomField: true }, true],
    ['nal_ref_idc becomes 0', {}, { nalRefIdc: 0 }, true],
    ['nal_ref_idc was 0', { nalRefIdc: 0 }, {}, true],
    ['nal_ref_idc differs, neither is 0', {}, { nalRefIdc: 3 }, false],
    ['IDR after non-IDR', {}, { nalUnitType: 5, idrPicId: 0 }, true],
    ['idr_pic_id', { nalUnitType: 5, idrPicId: 0 }, { nalUnitType: 5, idrPicId: 1 }, true],
    ['data partition A after a slice', {}, { nalUnitType: 2 }, false],
    ['pic_order_cnt_lsb', {}, { picOrderCntLsb: 8 }, true],
    ['delta_pic_order_cnt_bottom', {}, { deltaPicOrderCntBottom: 1 }, true],
    ['delta_pic_order_cnt[0]', { deltaPicOrderCnt0: 1 }, { deltaPicOrderCnt0: 2 }, true],
    ['delta_pic_order_cnt[1]', { deltaPicOrderCnt1: 1 }, { deltaPicOrderCnt1: 2 }, true],
    ['a redundant picture', {}, { redundantPicCnt: 1, ppsId: 1 }, false],
  ])('%s', (_, previous, current, expected) => {
    expect(startsNewPicture({ ...header, ...previous }, { ...header, ...current })).toBe(expected)
  })
})

describe('slices that cannot be read', () => {
  const accessUnit = capturedAccessUnits('solo')[0]!
  const idr = accessUnit.find((unit) => nalUnitTypeOf(unit) === 5)!
  const refusal = expect.objectContaining({ code: 'H264_BAD_SLICE' })

  it('refuses unknown parameter sets', () => {
    expect(() => parseSliceHeader(idr, parameterSetTable([]))).toThrow(refusal)
    const table = parameterSetTable(accessUnit)
    expect(() => parseSliceHeader(idr, { pps: table.pps, sps: () => undefined })).toThrow(refusal)
  })

  it.each([
    ['an SPS', [0x67, 0x42]],
    ['data partition B', [0x43, 0x80]],
    ['nothing', []],
    ['no header', [0x65]],
    ['slice_type 10', [0x65, 0b1000_1011, 0x80]],
  ])('refuses %s', (_, bytes) => {
    expect(() => parseSliceHeader(Uint8Array.from(bytes), parameterSetTable(accessUnit))).toThrow(refusal)
  })

  it('first_mb_in_slice of what is none', () => {
    expect(() => parseFirstMbInSlice(Uint8Array.of(0x67, 0xff))).toThrow(refusal)
    expect(() => parseFirstMbInSlice(Uint8Array.of(0x65))).toThrow(refusal)
    expect(() => parseFirstMbInSlice(Uint8Array.of(0x65, 0, 0, 0, 0, 0))).toThrow(refusal)
  })

  it('throws BitstreamError or nothing, whatever the bytes', () => {
    const table = parameterSetTable(accessUnit)
    fc.assert(
      fc.property(fc.constantFrom(0x61, 0x65, 0x62), fc.uint8Array(), (first, bytes) => {
        const nalUnit = Uint8Array.of(first, ...bytes)
        for (const parse of [
          () => parseSliceHeader(nalUnit, table).firstMbInSlice,
          () => parseFirstMbInSlice(nalUnit),
        ]) {
          try {
            expect(parse()).toBeGreaterThanOrEqual(0)
          } catch (error) {
            expect(error).toBeInstanceOf(BitstreamError)
          }
        }
      }),
    )
  })
})
