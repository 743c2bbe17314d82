import type { VideoConfiguration } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import {
  h264CodecString,
  h264Configuration,
  isSameVideoConfiguration,
  NalUnitType,
  nalUnitTypeOf,
} from '../../src/index.js'
import { capturedAccessUnits } from '../captured-access-units.js'

const ofType = (take: string, type: number): Uint8Array[] =>
  capturedAccessUnits(take)
    .flat()
    .filter((unit) => nalUnitTypeOf(unit) === type)

describe('h264Configuration', () => {
  const [first, ...rest] = ofType('ramp', NalUnitType.sps)
  const pps = ofType('ramp', NalUnitType.pps).slice(0, 1)

  it('of a Chromium SPS', () => {
    expect(h264Configuration([first!], pps)).toEqual({
      kind: 'video',
      codec: 'h264',
      codecString: 'avc1.42c01f',
      width: 640,
      height: 360,
      rotation: 0,
      reorderDepth: 0,
      parameterSets: { sps: [first], pps },
    })
  })

  it('takes the SPS with the id that is asked for', () => {
    const hd = rest.at(-1)!
    // The same with seq_parameter_set_id 1: ue(1) is 010 where ue(0) is 1, so rebuild the first bits after the level.
    const bits = [...hd.subarray(4)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
    const moved = `010${bits.slice(1)}`.match(/.{1,8}/g)!.map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2))
    const second = Uint8Array.of(...hd.subarray(0, 4), ...moved)
    expect(h264Configuration([first!, second], pps, 1)).toMatchObject({ width: 1280, height: 720 })
    expect(h264Configuration([first!, second], pps)).toMatchObject({ width: 640, height: 360 })
  })

  it('refuses where there is no such SPS', () => {
    const refusal = expect.objectContaining({ code: 'H264_BAD_SPS' })
    expect(() => h264Configuration([], pps)).toThrow(refusal)
    expect(() => h264Configuration([first!], pps, 7)).toThrow(refusal)
    expect(() => h264Configuration(pps, pps)).toThrow(refusal)
  })
})

describe('isSameVideoConfiguration', () => {
  it('is not fooled by an SPS whose VUI alone changed', () => {
    const pps = ofType('mutes', NalUnitType.pps).slice(0, 1)
    const all = ofType('mutes', NalUnitType.sps)
    const small = all.filter((sps) => h264Configuration([sps], pps).width === h264Configuration([all[0]!], pps).width)
    expect(new Set(small.map((sps) => Buffer.from(sps).toString('hex'))).size).toBeGreaterThan(1)
    for (const sps of small) {
      expect(isSameVideoConfiguration(h264Configuration([sps], pps), h264Configuration([all[0]!], pps))).toBe(true)
    }
  })

  const base: VideoConfiguration = {
    kind: 'video',
    codec: 'h264',
    codecString: 'avc1.42c01f',
    width: 640,
    height: 360,
    rotation: 0,
    reorderDepth: 0,
  }
  it.each<[string, Partial<VideoConfiguration>, boolean]>([
    ['the same', {}, true],
    ['other parameter sets', { parameterSets: { sps: [], pps: [] } }, true],
    ['codec', { codec: 'vp8' }, false],
    ['profile', { codecString: 'avc1.64001f' }, false],
    ['width', { width: 641 }, false],
    ['height', { height: 361 }, false],
    ['rotation', { rotation: 90 }, false],
    ['reorder depth', { reorderDepth: 2 }, false],
  ])('%s', (_, change, expected) => {
    expect(isSameVideoConfiguration(base, { ...base, ...change })).toBe(expected)
  })
})

it.each([
  [66, 0xe0, 31, 'avc1.42e01f'],
  [100, 0, 9, 'avc1.640009'],
  [77, 0x40, 62, 'avc1.4d403e'],
])('h264CodecString of profile %i, flags %i, level %i', (profileIdc, constraintFlags, levelIdc, expected) => {
  expect(h264CodecString({ profileIdc, constraintFlags, levelIdc })).toBe(expected)
})
