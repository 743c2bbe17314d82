import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BitstreamError, hideVp9Frame, parseVp9UncompressedHeader } from '../../src/index.js'
import { type WrittenHeader, writeVp9Header } from './vp9-writer.js'

const side = fc.oneof(fc.integer({ min: 1, max: 65_536 }), fc.constantFrom(1, 255, 256, 4096, 4097, 65_536))

const header: fc.Arbitrary<WrittenHeader> = fc.record({
  keyframe: fc.boolean(),
  showFrame: fc.boolean(),
  errorResilient: fc.boolean(),
  profile: fc.constantFrom(0 as const, 2 as const),
  twelveBit: fc.boolean(),
  width: side,
  height: side,
  refresh: fc.integer({ min: 0, max: 255 }),
  sizeFrom: fc.constantFrom('self' as const, 0 as const, 1 as const, 2 as const),
  renderSize: fc.boolean(),
  deltas: fc.array(fc.boolean(), { maxLength: 20 }),
  segmentation: fc.boolean(),
  segments: fc.array(fc.boolean(), { maxLength: 50 }),
  tileSteps: fc.nat({ max: 6 }),
})

/** References 0, 1 and 2 of a written header are the slots 2, 3 and 4. */
function slotsOf({ sizeFrom, width, height }: WrittenHeader): ({ width: number; height: number } | undefined)[] {
  return [0, 1, 2, 3, 4].map((slot) => (sizeFrom !== 'self' && slot === sizeFrom + 2 ? { width, height } : undefined))
}

test('what was written is read, to the last bit', () => {
  const property = fc.property(header, (fields) => {
    const { bytes, endBits } = writeVp9Header(fields)
    const { keyframe, showFrame, errorResilient, profile, width, height } = fields
    expect(parseVp9UncompressedHeader(bytes, slotsOf(fields))).toEqual({
      ...{ keyframe, showFrame, errorResilient, profile, endBits, size: { width, height }, intraOnly: false },
      refreshFrameFlags: keyframe ? 255 : fields.refresh,
      ...(keyframe ? { bitDepth: profile === 0 ? 8 : fields.twelveBit ? 12 : 10 } : {}),
    })
  })
  fc.assert(property)
})

test('a hidden frame is the frame that would have been written hidden', () => {
  const property = fc.property(header, fc.uint8Array({ minLength: 1, maxLength: 9 }), (fields, data) => {
    const shown = { ...fields, showFrame: true }
    const { bytes } = writeVp9Header(shown)
    const frame = Uint8Array.of(...bytes, ...data)
    const rewrite = hideVp9Frame(frame, parseVp9UncompressedHeader(frame, slotsOf(fields)))!
    expect(rewrite.head).toEqual(writeVp9Header({ ...fields, showFrame: false }).bytes)
    expect(frame.subarray(rewrite.replacedBytes)).toEqual(data)
  })
  fc.assert(property)
})

test('random bytes throw nothing but BitstreamError', () => {
  const property = fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (frame, begins) => {
    if (begins && frame.length > 0) frame[0] = 0x80 | (frame[0]! & 7)
    try {
      hideVp9Frame(frame, parseVp9UncompressedHeader(frame))
    } catch (error) {
      expect(error).toBeInstanceOf(BitstreamError)
    }
  })
  fc.assert(property)
})
