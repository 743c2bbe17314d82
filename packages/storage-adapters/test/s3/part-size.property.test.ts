import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_PART_BYTES, MAX_PARTS, MIN_PART_BYTES, partSizeAt, partSizeFor } from '../../src/s3/part-size.js'

const TIB = 1024 ** 4

describe('parts', () => {
  it('of a known size are never more than 10,000, and no smaller than was asked for', () => {
    const sizes = fc.integer({ min: 0, max: 40 * TIB })
    fc.assert(
      fc.property(sizes, fc.integer({ min: MIN_PART_BYTES, max: MAX_PART_BYTES }), (bytes, wanted) => {
        const size = partSizeFor(bytes, wanted)
        expect(Math.ceil(bytes / size)).toBeLessThanOrEqual(MAX_PARTS)
        expect(size).toBeGreaterThanOrEqual(wanted)
        expect(size).toBeLessThanOrEqual(MAX_PART_BYTES)
      }),
    )
  })

  it('of an unknown size hold 5 TiB and more, whatever the first one is', () => {
    for (const first of [MIN_PART_BYTES, 8 * 1024 ** 2, 1024 ** 3, MAX_PART_BYTES]) {
      const sizes = Array.from({ length: MAX_PARTS }, (_, index) => partSizeAt(index + 1, first))
      expect(sizes.every((size, index) => size >= (sizes[index - 1] ?? first) && size <= MAX_PART_BYTES)).toBe(true)
      const bytes = sizes.reduce((sum, size) => sum + size, 0)
      expect(bytes).toBeGreaterThan(4.8 * TIB)
    }
    expect(partSizeAt(1000, MIN_PART_BYTES)).toBe(MIN_PART_BYTES)
    expect(partSizeAt(1001, MIN_PART_BYTES)).toBe(2 * MIN_PART_BYTES)
  })
})
