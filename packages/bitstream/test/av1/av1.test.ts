import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  av1CodecString,
  BitstreamError,
  leb128Bytes,
  ObuType,
  parseAv1FrameHeader,
  parseAv1SequenceHeader,
  parseObuHeader,
  readLeb128,
  writeLeb128,
} from '../../src/index.js'

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

/** From Chromium 156: without layers, with three temporal layers, with three spatial and three temporal ones. */
const PLAIN = bytes('0800000004477e1a00d004')
const L1T3 = bytes('08002107008180404111df86803401')
const L3T3 = bytes('08008707238191c04860e430321809041c8206410124cf7f0d803401')

describe('sequence headers', () => {
  test.each([
    [
      'plain',
      PLAIN,
      { width: 480, height: 270, operatingPoints: [{ idc: 0, hasDecoderModel: false }] },
      'av01.0.00M.08',
    ],
    ['three temporal layers', L1T3, { width: 480, height: 270 }, 'av01.0.00M.08'],
    ['three spatial and three temporal layers', L3T3, { width: 960, height: 540 }, 'av01.0.04M.08'],
  ])('%s', (_, obu, expected, codecString) => {
    const header = parseAv1SequenceHeader(obu)
    expect(header).toMatchObject({ profile: 0, bitDepth: 8, ...expected })
    expect(av1CodecString(header)).toBe(codecString)
  })

  test('operating points of layers', () => {
    const idcs = (obu: Uint8Array): string[] =>
      parseAv1SequenceHeader(obu).operatingPoints.map(({ idc }) => idc.toString(16))
    expect(idcs(L1T3)).toEqual(['107', '103', '101'])
    expect(idcs(L3T3)).toEqual(['707', '703', '701', '307', '303', '301', '107', '103', '101'])
  })

  test('with size field', () => {
    const sized = Uint8Array.of(0x0a, PLAIN.byteLength - 1, ...PLAIN.subarray(1))
    expect(parseAv1SequenceHeader(sized)).toEqual(parseAv1SequenceHeader(PLAIN))
  })

  test('a high tier, more bits', () => {
    expect(av1CodecString({ profile: 2, levelIdx: 13, tier: 1, bitDepth: 12 })).toBe('av01.2.13H.12')
  })

  test.each([
    ['another OBU', bytes('3010')],
    ['cut short', PLAIN.subarray(0, 8)],
    ['a reserved profile', bytes('08e0000004477e1a00d004')],
    ['nothing', bytes('')],
  ])('%s is refused', (_, obu) => {
    expect(() => parseAv1SequenceHeader(obu)).toThrow(expect.objectContaining({ code: 'AV1_BAD_SEQUENCE_HEADER' }))
  })
})

describe('frame headers', () => {
  const plain = parseAv1SequenceHeader(PLAIN)
  const layers = parseAv1SequenceHeader(L3T3)
  test.each([
    ['a keyframe', bytes('30104a701659'), plain, { keyframe: true, showFrame: true, refreshFrameFlags: 255 }],
    ['a predicted frame', bytes('30300040fdfb'), plain, { keyframe: false, showFrame: true, refreshFrameFlags: 2 }],
    ['one that no other needs', bytes('344035'.padEnd(48, '0')), layers, { keyframe: false, refreshFrameFlags: 0 }],
    ['one shown again', bytes('309000'), plain, { showExistingFrame: true, keyframe: false, refreshFrameFlags: 0 }],
  ])('%s', (_, obu, sequence, expected) => {
    expect(parseAv1FrameHeader(obu, sequence)).toMatchObject(expected)
  })

  test('a size of its own: the lowest of three spatial layers', () => {
    expect(parseAv1FrameHeader(bytes('3400127790f0ffffff'), layers)).toMatchObject({ keyframe: true })
    expect(parseAv1FrameHeader(bytes('3400127790f0ffffff'), layers).size).toEqual({ width: 240, height: 136 })
  })

  test('anything else is refused', () => {
    expect(() => parseAv1FrameHeader(PLAIN, plain)).toThrow(expect.objectContaining({ code: 'AV1_BAD_OBU' }))
    expect(() => parseAv1FrameHeader(bytes('3030'), plain)).toThrow(expect.objectContaining({ code: 'AV1_BAD_OBU' }))
  })
})

describe('OBUs', () => {
  test.each([
    ['0a', { type: ObuType.sequenceHeader, headerBytes: 1, hasSize: true, temporalId: 0, spatialId: 0 }],
    ['3448', { type: ObuType.frame, headerBytes: 2, hasSize: false, temporalId: 2, spatialId: 1 }],
    ['1200', { type: ObuType.temporalDelimiter, headerBytes: 1, hasSize: true }],
  ])('%s', (hex, expected) => {
    expect(parseObuHeader(bytes(hex))).toMatchObject(expected)
  })

  test.each(['', '80', '34'])('"%s" is none', (hex) => {
    expect(() => parseObuHeader(bytes(hex))).toThrow(expect.objectContaining({ code: 'AV1_BAD_OBU' }))
  })

  test.each(['', '80', '8080808080808080', 'ffffffff7f'])('"%s" is no leb128', (hex) => {
    expect(() => readLeb128(bytes(hex))).toThrow(expect.objectContaining({ code: 'AV1_BAD_OBU' }))
  })

  test('leb128 round trip', () => {
    const property = fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
      const target = new Uint8Array(8)
      const end = writeLeb128(target, 1, value)
      expect(end - 1).toBe(leb128Bytes(value))
      expect(readLeb128(target, 1)).toEqual({ value, bytes: end - 1 })
    })
    fc.assert(property)
  })
})

test('random bytes throw nothing but BitstreamError', () => {
  const property = fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (obu, isFrame) => {
    if (obu.length > 0) obu[0] = isFrame ? 0x30 : 0x08
    try {
      if (isFrame) parseAv1FrameHeader(obu, parseAv1SequenceHeader(L3T3))
      else parseAv1SequenceHeader(obu)
    } catch (error) {
      expect(error).toBeInstanceOf(BitstreamError)
    }
  })
  fc.assert(property)
})
