import { describe, expect, test } from 'vitest'
import { hideVp9Frame, parseVp9UncompressedHeader, vp9CodecString, vp9SuperframeIndex } from '../../src/index.js'

describe('parseVp9UncompressedHeader', () => {
  test('show_existing_frame', () => {
    const slots = Array.from({ length: 8 }, (_, i) => ({ width: i, height: 2 }))
    const header = parseVp9UncompressedHeader(Uint8Array.of(0b1000_1101), slots)
    expect(header).toMatchObject({ showExistingFrame: 5, keyframe: false, refreshFrameFlags: 0 })
    expect(header.size).toEqual({ width: 5, height: 2 })
    expect(hideVp9Frame(Uint8Array.of(0b1000_1101), header)).toBeUndefined()
  })

  test('a size from a reference that is not known', () => {
    const bits = [0b1000_0111, 0x01, 0, 0b0000_1000, 0]
    const frame = Uint8Array.of(...bits, ...new Uint8Array(8))
    expect(parseVp9UncompressedHeader(frame)).toEqual({
      ...{ profile: 0, keyframe: false, showFrame: true, errorResilient: true, intraOnly: false, refreshFrameFlags: 1 },
      ...{ size: undefined, endBits: undefined },
    })
    const sizes = Array.from({ length: 8 }, () => ({ width: 480, height: 270 }))
    expect(parseVp9UncompressedHeader(frame, sizes)).toMatchObject({ size: { width: 480, height: 270 } })
  })

  test.each([
    ['nothing', ''],
    ['another frame marker', '4349834200'],
    ['another sync code', '8349834300ffffffffffffffffffffff'],
    ['RGB in profile 0', '834983427000ffffffffffffffffffff'],
    ['a keyframe cut short', '8349834200'],
  ])('%s is refused', (_, hex) => {
    const frame = Uint8Array.from(Buffer.from(hex, 'hex'))
    expect(() => parseVp9UncompressedHeader(frame)).toThrow(expect.objectContaining({ code: 'VP9_BAD_FRAME' }))
  })
})

describe('vp9SuperframeIndex', () => {
  test.each([
    ['one byte a length', [5, 200], 'c105c8c1'],
    ['two bytes', [300, 1, 65_535], 'ca2c010100ffffca'],
    ['three bytes', [65_536], 'd0000001d0'],
    ['four bytes', [2 ** 24, 2], 'd90000000102000000d9'],
  ])('%s', (_, lengths, hex) => {
    expect(Buffer.from(vp9SuperframeIndex(lengths)).toString('hex')).toBe(hex)
  })
})

test.each([
  [0, 320, 180, 8, 'vp09.00.11.08'],
  [0, 640, 360, 8, 'vp09.00.21.08'],
  [0, 1280, 720, 8, 'vp09.00.31.08'],
  [0, 1920, 1080, 8, 'vp09.00.40.08'],
  [2, 3840, 2160, 10, 'vp09.02.50.10'],
  [0, 65_536, 65_536, 8, 'vp09.00.62.08'],
])('profile %i, %ix%i, %i bits: %s', (profile, width, height, bitDepth, expected) => {
  expect(vp9CodecString(profile, width, height, bitDepth)).toBe(expected)
})
