import { expect, it } from 'vitest'
import { isVclNalUnit, NalUnitType, nalRefIdcOf, nalUnitTypeOf } from '../../src/index.js'

it.each([
  [[0x67, 1], NalUnitType.sps, 3],
  [[0x41], NalUnitType.nonIdrSlice, 2],
  [[0x09, 0xf0], NalUnitType.accessUnitDelimiter, 0],
  [[], 0, 0],
])('header of %j', (bytes, type, refIdc) => {
  expect(nalUnitTypeOf(Uint8Array.from(bytes))).toBe(type)
  expect(nalRefIdcOf(Uint8Array.from(bytes))).toBe(refIdc)
})

it('VCL NAL units are types 1 to 5', () => {
  expect(Array.from({ length: 32 }, (_, type) => type).filter(isVclNalUnit)).toEqual([1, 2, 3, 4, 5])
})
