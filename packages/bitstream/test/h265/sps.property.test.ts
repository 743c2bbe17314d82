import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BitstreamError, parseH265Pps, parseH265Sps, parseH265Vps } from '../../src/index.js'
import { BitWriter } from '../bit-writer.js'
import {
  type Kept,
  nalUnit,
  predictRefPicSet,
  type RefPicSet,
  writePps,
  writePredictedRefPicSet,
  writeRefPicSet,
} from './syntax.js'

const SUB_WIDTH = [1, 2, 2, 1]
const SUB_HEIGHT = [1, 2, 1, 1]

const distances = fc.array(fc.record({ step: fc.integer({ min: 1, max: 300 }), used: fc.boolean() }), { maxLength: 8 })
const explicitSet = fc.record({ before: distances, after: distances }).map(({ before, after }): RefPicSet => {
  const place = (list: typeof before, sign: number): RefPicSet['before'] => {
    let distance = 0
    return list.map(({ step, used }) => {
      distance += step
      return { deltaPoc: sign * distance, used }
    })
  }
  return { before: place(before, -1), after: place(after, 1) }
})
const predictedSet = fc.record({
  deltaRps: fc.integer({ min: -40, max: 40 }).map((delta) => delta || 1),
  kept: fc.array(fc.constantFrom<Kept>('used', 'kept', 'out'), { minLength: 33, maxLength: 33 }),
})
/** Sets as an SPS has them: each by itself, or predicted from the one before. */
const sets = fc.array(fc.oneof(explicitSet, predictedSet), { maxLength: 12 })

const hrd = fc.record({
  nal: fc.boolean(),
  vcl: fc.boolean(),
  subPicture: fc.boolean(),
  layers: fc.array(fc.record({ fixed: fc.nat(2), cpbs: fc.integer({ min: 1, max: 32 }) }), {
    minLength: 7,
    maxLength: 7,
  }),
})

const fields = fc.record({
  vpsId: fc.nat(15),
  id: fc.nat(15),
  maxSubLayersMinus1: fc.nat(6),
  nesting: fc.boolean(),
  profile: fc.record({
    profileSpace: fc.nat(3),
    highTier: fc.boolean(),
    profileIdc: fc.nat(31),
    profileCompatibility: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    constraintBytes: fc.uint8Array({ minLength: 6, maxLength: 6 }),
    levelIdc: fc.nat(255),
  }),
  subLayers: fc.array(fc.record({ profile: fc.boolean(), level: fc.boolean() }), { minLength: 6, maxLength: 6 }),
  chroma: fc.nat(3),
  separate: fc.boolean(),
  width: fc.integer({ min: 32, max: 4096 }).map((half) => half * 2),
  height: fc.integer({ min: 32, max: 4096 }).map((half) => half * 2),
  window: fc.option(fc.record({ left: fc.nat(3), right: fc.nat(7), top: fc.nat(2), bottom: fc.nat(7) }), {
    nil: undefined,
  }),
  depthLuma: fc.integer({ min: 8, max: 16 }),
  depthChroma: fc.integer({ min: 8, max: 16 }),
  log2MaxLsb: fc.integer({ min: 4, max: 16 }),
  orderingOfAll: fc.boolean(),
  buffering: fc.integer({ min: 1, max: 16 }),
  reorder: fc.nat(15),
  log2MinCb: fc.integer({ min: 3, max: 4 }),
  log2CtbMore: fc.integer({ min: 1, max: 2 }),
  scaling: fc.option(
    fc.array(
      fc.option(fc.array(fc.integer({ min: -128, max: 127 }), { minLength: 65, maxLength: 65 }), { nil: undefined }),
      { minLength: 20, maxLength: 20 },
    ),
    { nil: undefined },
  ),
  scalingEnabled: fc.boolean(),
  pcm: fc.boolean(),
  sets,
  longTerm: fc.option(fc.array(fc.record({ lsb: fc.nat(15), used: fc.boolean() }), { maxLength: 32 }), {
    nil: undefined,
  }),
  vui: fc.option(
    fc.record({
      sar: fc.option(fc.constantFrom(1, 16, 255), { nil: undefined }),
      fullRange: fc.option(fc.boolean(), { nil: undefined }),
      colour: fc.boolean(),
      chromaLocation: fc.boolean(),
      fieldSeq: fc.boolean(),
      displayWindow: fc.boolean(),
      timing: fc.boolean(),
      pocProportional: fc.boolean(),
      hrd: fc.option(hrd, { nil: undefined }),
      segmentation: fc.option(fc.nat(4095), { nil: undefined }),
    }),
    { nil: undefined },
  ),
})
type Fields = typeof fields extends fc.Arbitrary<infer T> ? T : never

function writeSps(f: Fields): { bytes: Uint8Array; sets: RefPicSet[] } {
  const w = new BitWriter().u(f.vpsId, 4).u(f.maxSubLayersMinus1, 3).flag(f.nesting)
  writeProfile(w, f)
  w.ue(f.id).ue(f.chroma)
  if (f.chroma === 3) w.flag(f.separate)
  w.ue(f.width)
    .ue(f.height)
    .flag(f.window !== undefined)
  if (f.window !== undefined) w.ue(f.window.left).ue(f.window.right).ue(f.window.top).ue(f.window.bottom)
  w.ue(f.depthLuma - 8)
    .ue(f.depthChroma - 8)
    .ue(f.log2MaxLsb - 4)
    .flag(f.orderingOfAll)
  for (let i = f.orderingOfAll ? 0 : f.maxSubLayersMinus1; i <= f.maxSubLayersMinus1; i++) {
    const isLast = i === f.maxSubLayersMinus1
    w.ue(isLast ? f.buffering - 1 : 0)
      .ue(isLast ? Math.min(f.reorder, f.buffering - 1) : 0)
      .ue(1)
  }
  w.ue(f.log2MinCb - 3)
    .ue(f.log2CtbMore)
    .ue(0)
    .ue(3)
    .ue(1)
    .ue(2)
    .flag(f.scalingEnabled)
  if (f.scalingEnabled) {
    w.flag(f.scaling !== undefined)
    if (f.scaling !== undefined) writeScaling(w, f.scaling)
  }
  w.flag(true).flag(false).flag(f.pcm)
  if (f.pcm) w.u(7, 4).u(7, 4).ue(0).ue(2).flag(true)
  w.ue(f.sets.length)
  const known: RefPicSet[] = []
  for (const [index, set] of f.sets.entries()) {
    const reference = known[index - 1]
    const predicted =
      'kept' in set && reference !== undefined ? predictRefPicSet(reference, set.deltaRps, set.kept) : undefined
    if (
      'kept' in set &&
      reference !== undefined &&
      predicted !== undefined &&
      predicted.before.length <= 16 &&
      predicted.after.length <= 16
    ) {
      const count = reference.before.length + reference.after.length + 1
      writePredictedRefPicSet(w, set.deltaRps, set.kept.slice(0, count), undefined)
      known.push(predicted)
    } else {
      const explicit = 'kept' in set ? { before: [], after: [] } : set
      writeRefPicSet(w, index, explicit)
      known.push(explicit)
    }
  }
  w.flag(f.longTerm !== undefined)
  if (f.longTerm !== undefined) {
    w.ue(f.longTerm.length)
    for (const { lsb, used } of f.longTerm) w.u(lsb, f.log2MaxLsb).flag(used)
  }
  w.flag(true)
    .flag(false)
    .flag(f.vui !== undefined)
  if (f.vui !== undefined) writeVui(w, f.vui, f.maxSubLayersMinus1)
  w.flag(false)
  return { bytes: nalUnit(33, w), sets: known }
}

function writeProfile(w: BitWriter, { profile, subLayers, maxSubLayersMinus1 }: Fields): void {
  w.u(profile.profileSpace, 2).flag(profile.highTier).u(profile.profileIdc, 5).u(profile.profileCompatibility, 32)
  for (const byte of profile.constraintBytes) w.u(byte, 8)
  w.u(profile.levelIdc, 8)
  for (let i = 0; i < maxSubLayersMinus1; i++) w.flag(subLayers[i]!.profile).flag(subLayers[i]!.level)
  if (maxSubLayersMinus1 > 0) for (let i = maxSubLayersMinus1; i < 8; i++) w.u(0, 2)
  for (let i = 0; i < maxSubLayersMinus1; i++) {
    if (subLayers[i]!.profile) for (let byte = 0; byte < 11; byte++) w.u(0xa5, 8)
    if (subLayers[i]!.level) w.u(0x5a, 8)
  }
}

function writeScaling(w: BitWriter, lists: NonNullable<Fields['scaling']>): void {
  for (let sizeId = 0, i = 0; sizeId < 4; sizeId++) {
    for (let matrix = 0; matrix < 6; matrix += sizeId === 3 ? 3 : 1) {
      const list = lists[i++]
      w.flag(list !== undefined)
      if (list === undefined) w.ue(matrix === 0 ? 0 : 1)
      else {
        if (sizeId > 1) w.se(list[64]!)
        for (const delta of list.slice(0, sizeId === 0 ? 16 : 64)) w.se(delta)
      }
    }
  }
}

function writeVui(w: BitWriter, vui: NonNullable<Fields['vui']>, maxSubLayersMinus1: number): void {
  w.flag(vui.sar !== undefined)
  if (vui.sar !== undefined) w.u(vui.sar, 8)
  if (vui.sar === 255) w.u(4, 16).u(3, 16)
  w.flag(true)
    .flag(true)
    .flag(vui.fullRange !== undefined)
  if (vui.fullRange !== undefined) {
    w.u(5, 3).flag(vui.fullRange).flag(vui.colour)
    if (vui.colour) w.u(9, 8).u(16, 8).u(9, 8)
  }
  w.flag(vui.chromaLocation)
  if (vui.chromaLocation) w.ue(2).ue(2)
  w.flag(false).flag(vui.fieldSeq).flag(true).flag(vui.displayWindow)
  if (vui.displayWindow) w.ue(1).ue(2).ue(3).ue(4)
  w.flag(vui.timing)
  if (vui.timing) {
    w.u(1001, 32).u(60_000, 32).flag(vui.pocProportional)
    if (vui.pocProportional) w.ue(0)
    w.flag(vui.hrd !== undefined)
    if (vui.hrd !== undefined) writeHrd(w, vui.hrd, maxSubLayersMinus1)
  }
  w.flag(vui.segmentation !== undefined)
  if (vui.segmentation !== undefined) w.u(3, 3).ue(vui.segmentation).ue(2).ue(1).ue(15).ue(15)
}

function writeHrd(w: BitWriter, f: NonNullable<NonNullable<Fields['vui']>['hrd']>, maxSubLayersMinus1: number): void {
  const subPicture = (f.nal || f.vcl) && f.subPicture
  w.flag(f.nal).flag(f.vcl)
  if (f.nal || f.vcl) {
    w.flag(subPicture)
    if (subPicture) w.u(98, 8).u(7, 5).flag(true).u(9, 5)
    w.u(1, 4).u(2, 4)
    if (subPicture) w.u(3, 4)
    w.u(23, 5).u(15, 5).u(5, 5)
  }
  for (const { fixed, cpbs } of f.layers.slice(0, maxSubLayersMinus1 + 1)) {
    // 0: a fixed rate in general; 1: within the sequence; 2: low delay, which has one buffer, or not.
    w.flag(fixed === 0)
    if (fixed !== 0) w.flag(fixed === 1)
    if (fixed !== 2) w.ue(1000)
    else w.flag(cpbs === 1)
    if (fixed !== 2 || cpbs !== 1) w.ue(cpbs - 1)
    for (const count of [f.nal ? cpbs : 0, f.vcl ? cpbs : 0]) {
      for (let i = 0; i < count; i++) {
        w.ue(12_345).ue(54_321)
        if (subPicture) w.ue(77).ue(88)
        w.flag(true)
      }
    }
  }
}

describe('parseH265Sps', () => {
  it('reads back every field of any SPS', () => {
    fc.assert(
      fc.property(fields, (f) => {
        const { bytes, sets: known } = writeSps(f)
        const sps = parseH265Sps(bytes)
        const unitX = SUB_WIDTH[f.chroma]!
        const unitY = SUB_HEIGHT[f.chroma]!
        const ctb = 2 ** (f.log2MinCb + f.log2CtbMore)
        expect(sps).toMatchObject({
          id: f.id,
          vpsId: f.vpsId,
          maxSubLayers: f.maxSubLayersMinus1 + 1,
          temporalIdNesting: f.nesting,
          profileTierLevel: f.profile,
          chromaFormatIdc: f.chroma,
          separateColourPlane: f.chroma === 3 && f.separate,
          codedWidth: f.width,
          codedHeight: f.height,
          width: f.width - unitX * ((f.window?.left ?? 0) + (f.window?.right ?? 0)),
          height: f.height - unitY * ((f.window?.top ?? 0) + (f.window?.bottom ?? 0)),
          bitDepthLuma: f.depthLuma,
          bitDepthChroma: f.depthChroma,
          log2MaxPicOrderCntLsb: f.log2MaxLsb,
          maxDecPicBuffering: f.buffering,
          maxNumReorderPics: Math.min(f.reorder, f.buffering - 1),
          picSizeInCtbs: Math.ceil(f.width / ctb) * Math.ceil(f.height / ctb),
          longTermRefPicsPresent: f.longTerm !== undefined,
        })
        const plain = sps.shortTermRefPicSets.map(({ before, after }) => {
          const [b, a] = [before, after].map((list) =>
            list.map((pic) => ({ deltaPoc: pic.deltaPoc, used: pic.usedByCurrent })),
          )
          return { before: b, after: a }
        })
        expect(plain).toEqual(known)
        expect(sps.longTermRefPics).toEqual(
          (f.longTerm ?? []).map(({ lsb, used }) => ({ pocLsb: lsb, usedByCurrent: used })),
        )
        expect(sps.vui === undefined).toBe(f.vui === undefined)
        if (f.vui !== undefined) {
          expect(sps.vui?.fullRange).toBe(f.vui.fullRange)
          expect(sps.vui?.timing).toEqual(f.vui.timing ? { numUnitsInTick: 1001, timeScale: 60_000 } : undefined)
          expect(sps.vui?.fieldSeq).toBe(f.vui.fieldSeq)
          expect(sps.vui?.minSpatialSegmentationIdc).toBe(f.vui.segmentation ?? 0)
        }
      }),
    )
  })

  it('throws BitstreamError or nothing on a damaged SPS', () => {
    fc.assert(
      fc.property(fields, fc.nat(), fc.nat(255), fc.nat(), (f, at, byte, cut) => {
        const bytes = writeSps(f).bytes.slice()
        bytes[2 + (at % (bytes.length - 2))] = byte
        try {
          const sps = parseH265Sps(bytes.subarray(0, 2 + (cut % bytes.length)))
          expect(sps.width).toBeGreaterThan(0)
          expect(sps.height).toBeGreaterThan(0)
          expect(sps.maxNumReorderPics).toBeLessThan(sps.maxDecPicBuffering)
        } catch (error) {
          expect(error).toBeInstanceOf(BitstreamError)
          expect(error).toMatchObject({ code: 'H265_BAD_SPS' })
        }
      }),
    )
  })
})

const ppsFields = fc.record({
  id: fc.nat(63),
  spsId: fc.nat(15),
  dependentSlices: fc.boolean(),
  outputFlagPresent: fc.boolean(),
  extraBits: fc.nat(7),
  cuQpDelta: fc.boolean(),
  tiles: fc.boolean(),
  wavefronts: fc.boolean(),
})

it('parseH265Pps reads back every field of any PPS', () => {
  fc.assert(
    fc.property(ppsFields, (f) => {
      expect(parseH265Pps(writePps(f))).toEqual({
        id: f.id,
        spsId: f.spsId,
        dependentSliceSegmentsEnabled: f.dependentSlices,
        outputFlagPresent: f.outputFlagPresent,
        numExtraSliceHeaderBits: f.extraBits,
        tilesEnabled: f.tiles,
        entropyCodingSyncEnabled: f.wavefronts,
      })
    }),
  )
})

it('random bytes are a parameter set, or refused with BitstreamError', () => {
  const parsers = [parseH265Vps, parseH265Sps, parseH265Pps]
  fc.assert(
    fc.property(fc.nat(2), fc.uint8Array({ maxLength: 120 }), (kind, bytes) => {
      try {
        expect(parsers[kind]!(Uint8Array.of((32 + kind) << 1, 1, ...bytes)).id).toBeLessThan(64)
      } catch (error) {
        expect(error).toBeInstanceOf(BitstreamError)
      }
    }),
  )
})
