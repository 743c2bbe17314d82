import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BitstreamError, parseVp8FrameHeader } from '../../src/index.js'

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
}

describe('parseVp8FrameHeader', () => {
  test.each([
    ['keyframe of 480x270', '10 0200 9d012a e001 0e01', { keyframe: true, showFrame: true, width: 480, height: 270 }],
    ['the scale bits are no part of the size', '10 0000 9d012a e041 0e81', { width: 480, height: 270 }],
    ['predicted frame', '31 0a00', { keyframe: false, showFrame: true, firstPartitionBytes: 0x51, version: 0 }],
    ['frame that is not shown, version 3', '07 0000', { keyframe: false, showFrame: false, version: 3 }],
  ])('%s', (_, hex, expected) => {
    expect(parseVp8FrameHeader(bytes(hex))).toMatchObject(expected)
  })

  test('a predicted frame has no size', () => {
    expect(parseVp8FrameHeader(bytes('31 0000')).width).toBeUndefined()
  })

  test.each([
    ['nothing', ''],
    ['two bytes', '3100'],
    ['a keyframe cut short', '10 0000 9d012a e001 0e'],
    ['a wrong start code', '10 0000 9d012b e001 0e01'],
    ['no width', '10 0000 9d012a 0000 0e01'],
  ])('%s is refused', (_, hex) => {
    expect(() => parseVp8FrameHeader(bytes(hex))).toThrow(expect.objectContaining({ code: 'VP8_BAD_FRAME' }))
  })

  test('throws nothing but BitstreamError', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 20 }), (frame) => {
      try {
        parseVp8FrameHeader(frame)
      } catch (error) {
        expect(error).toBeInstanceOf(BitstreamError)
      }
    })
    fc.assert(property)
  })
})
