import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BodyPart } from '../../src/oss/body-part.js'

describe('a part of a body', () => {
  it('gives what it was given, each time, in few chunks, and large pieces as they are', async () => {
    const size = fc.oneof(
      fc.nat(300),
      fc.integer({ min: 16_000, max: 17_000 }),
      fc.integer({ min: 60_000, max: 70_000 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(size, { maxLength: 20 }), async (sizes) => {
        const pieces = sizes.map((bytes, index) => Buffer.alloc(bytes, index + 1))
        const part = new BodyPart()
        for (const piece of pieces) part.push(piece)
        const whole = Buffer.concat(pieces)
        for (let attempt = 0; attempt < 2; attempt += 1) {
          const chunks: Buffer[] = []
          for await (const chunk of part.stream()) chunks.push(chunk as Buffer)
          expect(Buffer.concat(chunks).equals(whole)).toBe(true)
          const large = pieces.filter((piece) => piece.byteLength >= 16_384)
          for (const piece of large) expect(chunks).toContain(piece)
          // One block between two large pieces, and one for each 48 KiB that small ones fill at least.
          expect(chunks.length).toBeLessThanOrEqual(2 * large.length + 1 + whole.byteLength / 49_152)
        }
        expect(part.bytes).toBe(whole.byteLength)
        expect(part.md5()).toBe(createHash('md5').update(whole).digest('base64'))
      }),
      { numRuns: 200 },
    )
  })
})
