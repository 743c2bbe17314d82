import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  BitstreamError,
  H265NalUnitType,
  type H265ParameterSetLookup,
  type H265Sps,
  h265NalUnitTypeOf,
  h265PicOrderCnt,
  h265TemporalIdOf,
  isH265Idr,
  isH265Irap,
  isH265Radl,
  isH265Rasl,
  isH265SubLayerNonReference,
  isH265VclNalUnit,
  parseH265Pps,
  parseH265SlicePpsId,
  parseH265SliceSegmentHeader,
  parseH265Sps,
  splitAnnexB,
} from '../../src/index.js'
import { BitWriter } from '../bit-writer.js'
import { nalUnit, type RefPicSet, writePps, writeRefPicSet } from './syntax.js'
import { encode, hasX265 } from './x265.js'

function tableOf(nalUnits: readonly Uint8Array[]): H265ParameterSetLookup {
  const ofType = (type: number): Uint8Array[] => nalUnits.filter((unit) => h265NalUnitTypeOf(unit) === type)
  const sps = new Map(ofType(H265NalUnitType.sps).map((unit) => [parseH265Sps(unit).id, parseH265Sps(unit)]))
  const pps = new Map(ofType(H265NalUnitType.pps).map((unit) => [parseH265Pps(unit).id, parseH265Pps(unit)]))
  return { sps: (id) => sps.get(id), pps: (id) => pps.get(id) }
}

/** Byte positions of the pictures in the order in which ffprobe shows them. */
function shownOrder(byteStream: Uint8Array): number[] {
  const args = ['-v', 'error', '-f', 'hevc', '-show_entries', 'frame=pkt_pos', '-of', 'csv=p=0', '-']
  return execFileSync('ffprobe', args, { input: byteStream })
    .toString()
    .trim()
    .split(/\s+/)
    .map((line) => Number.parseInt(line, 10))
}

describe.skipIf(!hasX265 && !process.env['CI'])('slices of x265', () => {
  it.each([
    ['B pictures in a pyramid', 'bframes=4:b-adapt=0:b-pyramid=1:keyint=20:open-gop=0'],
    ['open groups of pictures', 'bframes=3:b-adapt=0:keyint=12'],
    ['temporal sub-layers', 'bframes=3:b-adapt=0:temporal-layers=1:keyint=30'],
    ['slices', 'bframes=2:slices=3:keyint=30'],
    ['a picture order count that wraps', 'bframes=2:log2-max-poc-lsb=4:keyint=70:min-keyint=70:scenecut=0'],
  ])('%s: pictures by order count are in the order that ffprobe shows', (_, params) => {
    const byteStream = encode('160x144', 80, params)
    const nalUnits = splitAnnexB(byteStream)
    const table = tableOf(nalUnits)
    const pictures: { sequence: number; poc: number; offset: number }[] = []
    let sequence = -1
    let anchor = 0
    let unitOffset: number | undefined
    for (const unit of nalUnits) {
      const offset = unit.byteOffset - byteStream.byteOffset
      const type = h265NalUnitTypeOf(unit)
      unitOffset ??= offset
      if (!isH265VclNalUnit(type)) continue
      const header = parseH265SliceSegmentHeader(unit, table)
      expect(parseH265SlicePpsId(unit)).toBe(header.ppsId)
      if (header.firstInPicture) {
        if (isH265Idr(type)) sequence++
        const log2 = table.sps(0)!.log2MaxPicOrderCntLsb
        const poc = isH265Idr(type) ? 0 : h265PicOrderCnt(header.picOrderCntLsb, log2, anchor)
        pictures.push({ sequence, poc, offset: unitOffset })
        const isLeading = isH265Rasl(type) || isH265Radl(type)
        if (header.temporalId === 0 && !isLeading && !isH265SubLayerNonReference(type)) anchor = poc
        if (!isH265Irap(type)) {
          // Every picture that it is predicted from has come, and those kept for later as well.
          const { before, after } = header.shortTermRefPics
          const seen = pictures.filter((picture) => picture.sequence === sequence).map((picture) => picture.poc)
          for (const { deltaPoc } of [...before, ...after]) expect(seen).toContain(poc + deltaPoc)
        }
      }
      unitOffset = undefined
    }
    expect(pictures).toHaveLength(80)
    pictures.sort((a, b) => a.sequence - b.sequence || a.poc - b.poc)
    const order = (offsets: readonly number[]): number[] => {
      const sorted = [...offsets].sort((a, b) => a - b)
      return offsets.map((offset) => sorted.indexOf(offset))
    }
    expect(order(pictures.map(({ offset }) => offset))).toEqual(order(shownOrder(byteStream)))
  })
})

const SPS = {
  log2MaxPicOrderCntLsb: 8,
  picSizeInCtbs: 20,
  separateColourPlane: false,
  maxDecPicBuffering: 6,
  longTermRefPicsPresent: true,
  longTermRefPics: [
    { pocLsb: 10, usedByCurrent: true },
    { pocLsb: 20, usedByCurrent: false },
    { pocLsb: 30, usedByCurrent: true },
  ],
  shortTermRefPicSets: [
    { before: [{ deltaPoc: -1, usedByCurrent: true }], after: [] },
    { before: [], after: [] },
    { before: [{ deltaPoc: -2, usedByCurrent: false }], after: [{ deltaPoc: 4, usedByCurrent: true }] },
  ],
} as unknown as H265Sps
const pps = parseH265Pps(
  writePps({
    id: 5,
    spsId: 0,
    dependentSlices: true,
    outputFlagPresent: true,
    extraBits: 2,
    cuQpDelta: true,
    tiles: false,
    wavefronts: false,
  }),
)
const lookup: H265ParameterSetLookup = {
  sps: (id) => (id === 0 ? SPS : undefined),
  pps: (id) => (id === 5 ? pps : undefined),
}

describe('parseH265SliceSegmentHeader', () => {
  const start = (type: number): BitWriter => {
    const w = new BitWriter().flag(true)
    return isH265Irap(type) ? w.flag(false).ue(5).u(0, 2) : w.ue(5).u(0, 2)
  }

  it('an IDR picture has no order count and no references', () => {
    const w = start(H265NalUnitType.idrNLp).ue(2).flag(true)
    expect(parseH265SliceSegmentHeader(nalUnit(20, w), lookup)).toEqual({
      nalUnitType: 20,
      temporalId: 0,
      firstInPicture: true,
      ppsId: 5,
      dependent: false,
      address: 0,
      sliceType: 2,
      picOrderCntLsb: 0,
      shortTermRefPics: { before: [], after: [] },
      longTermRefPics: [],
    })
  })

  it('a set of the SPS, and long-term pictures from the SPS and by themselves', () => {
    const w = start(1).ue(1).flag(true).u(77, 8).flag(true).u(2, 2)
    w.ue(2).ue(2)
    w.u(2, 2).flag(true).ue(1)
    w.u(0, 2).flag(true).ue(2)
    w.u(200, 8).flag(true).flag(true).ue(1)
    w.u(201, 8).flag(false).flag(false)
    const header = parseH265SliceSegmentHeader(nalUnit(1, w, 3), lookup)
    expect(header).toMatchObject({ temporalId: 3, sliceType: 1, picOrderCntLsb: 77 })
    expect(header.shortTermRefPics).toBe(SPS.shortTermRefPicSets[2])
    // Equation 7-52: cycles count on within each list.
    expect(header.longTermRefPics).toEqual([
      { pocLsb: 30, usedByCurrent: true, deltaPocMsbCycle: 1 },
      { pocLsb: 10, usedByCurrent: true, deltaPocMsbCycle: 3 },
      { pocLsb: 200, usedByCurrent: true, deltaPocMsbCycle: 1 },
      { pocLsb: 201, usedByCurrent: false },
    ])
  })

  it('a later slice tells where it begins; a dependent one tells no more', () => {
    const later = new BitWriter()
      .flag(false)
      .ue(5)
      .flag(false)
      .u(19, 5)
      .u(0, 2)
      .ue(0)
      .flag(true)
      .u(3, 8)
      .flag(true)
      .u(1, 2)
      .ue(0)
      .ue(0)
    expect(parseH265SliceSegmentHeader(nalUnit(0, later), lookup)).toMatchObject({
      firstInPicture: false,
      dependent: false,
      address: 19,
      picOrderCntLsb: 3,
    })
    const dependent = new BitWriter().flag(false).ue(5).flag(true).u(7, 5)
    expect(parseH265SliceSegmentHeader(nalUnit(0, dependent), lookup)).toMatchObject({ dependent: true, address: 7 })
  })

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['an SPS', Uint8Array.of(0x42, 1, 0x80)],
    ['an unknown PPS', nalUnit(1, new BitWriter().flag(true).ue(9))],
    ['slice_type 3', nalUnit(1, start(1).ue(3))],
    ['a set past the last', nalUnit(1, start(1).ue(1).flag(true).u(0, 8).flag(true).u(3, 2))],
    [
      'a long-term entry past the last',
      nalUnit(1, start(1).ue(1).flag(true).u(0, 8).flag(true).u(0, 2).ue(1).ue(0).u(3, 2)),
    ],
    ['too many long-term pictures', nalUnit(1, start(1).ue(1).flag(true).u(0, 8).flag(true).u(0, 2).ue(0).ue(7))],
    [
      'a set predicted from before the first',
      nalUnit(1, start(1).ue(1).flag(true).u(0, 8).flag(false).flag(true).ue(3).flag(false).ue(0)),
    ],
    ['seventeen pictures', nalUnit(1, start(1).ue(1).flag(true).u(0, 8).flag(false).flag(false).ue(17).ue(0))],
    ['a cut', Uint8Array.of(2, 1, 0x80)],
  ])('%s is refused', (_, bytes) => {
    expect(() => parseH265SliceSegmentHeader(bytes, lookup)).toThrow(
      expect.objectContaining({ code: 'H265_BAD_SLICE' }),
    )
  })

  it('reads back a set of its own, however long', () => {
    const list = fc.array(fc.record({ step: fc.integer({ min: 1, max: 4000 }), used: fc.boolean() }), { maxLength: 8 })
    const property = fc.property(list, list, fc.nat(255), (before, after, lsb) => {
      const place = (steps: typeof before, sign: number): RefPicSet['before'] => {
        let distance = 0
        return steps.map(({ step, used }) => {
          distance += step
          return { deltaPoc: sign * distance, used }
        })
      }
      const set: RefPicSet = { before: place(before, -1), after: place(after, 1) }
      const w = start(1).ue(0).flag(true).u(lsb, 8).flag(false)
      writeRefPicSet(w, SPS.shortTermRefPicSets.length, set)
      w.ue(0).ue(0)
      const { shortTermRefPics, picOrderCntLsb } = parseH265SliceSegmentHeader(nalUnit(1, w), lookup)
      expect(picOrderCntLsb).toBe(lsb)
      const plain = (pics: typeof shortTermRefPics.before): RefPicSet['before'] =>
        pics.map((pic) => ({ deltaPoc: pic.deltaPoc, used: pic.usedByCurrent }))
      expect({ before: plain(shortTermRefPics.before), after: plain(shortTermRefPics.after) }).toEqual(set)
    })
    fc.assert(property)
  })

  it('random bytes are a header, or refused with BitstreamError', () => {
    const property = fc.property(fc.nat(31), fc.uint8Array({ maxLength: 140 }), (type, bytes) => {
      const unit = Uint8Array.of(type << 1, 1, ...bytes)
      for (const parse of [
        () => parseH265SliceSegmentHeader(unit, lookup).picOrderCntLsb,
        () => parseH265SlicePpsId(unit),
      ]) {
        try {
          expect(parse()).toBeGreaterThanOrEqual(0)
        } catch (error) {
          expect(error).toBeInstanceOf(BitstreamError)
        }
      }
    })
    fc.assert(property)
  })
})

describe('h265PicOrderCnt (§8.3.1)', () => {
  it('finds any order count within half a round of the one before', () => {
    const property = fc.property(
      fc.integer({ min: 4, max: 16 }),
      fc.integer({ min: -100_000, max: 100_000 }),
      fc.double({ min: -1, max: 1, noNaN: true }),
      (log2, previous, part) => {
        const half = 2 ** (log2 - 1)
        // From half a round back, less one, to half a round on.
        const poc = previous + Math.min(half, Math.max(1 - half, Math.round(part * half)))
        const lsb = ((poc % 2 ** log2) + 2 ** log2) % 2 ** log2
        expect(Math.abs(h265PicOrderCnt(lsb, log2, previous) - poc) % 2 ** log2).toBe(0)
        if (Math.abs(poc - previous) < half) expect(h265PicOrderCnt(lsb, log2, previous)).toBe(poc)
      },
    )
    fc.assert(property)
  })
})

it.each([
  ['trailN', false, false, true],
  ['trailR', false, false, false],
  ['tsaN', false, false, true],
  ['radlR', false, false, false],
  ['raslN', false, false, true],
  ['blaWLp', true, false, false],
  ['blaNLp', true, false, false],
  ['idrWRadl', true, true, false],
  ['idrNLp', true, true, false],
  ['cra', true, false, false],
  ['vps', false, false, false],
] as const)('%s: IRAP %s, IDR %s, sub-layer non-reference %s', (name, irap, idr, nonReference) => {
  const type = H265NalUnitType[name]
  expect([isH265Irap(type), isH265Idr(type), isH265SubLayerNonReference(type)]).toEqual([irap, idr, nonReference])
  expect(h265NalUnitTypeOf(Uint8Array.of(type << 1, 1))).toBe(type)
  expect(h265TemporalIdOf(Uint8Array.of(type << 1, 3))).toBe(2)
  expect(isH265VclNalUnit(type)).toBe(name !== 'vps')
})
