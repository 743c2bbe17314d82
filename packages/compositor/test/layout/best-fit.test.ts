import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bestFit, cellCapacity } from '../../src/layout/best-fit.js'

const hd = { x: 0, y: 0, width: 1280, height: 720 }
const rules = { gap: 0, aspect: 16 / 9 }

/** How many there are in each row. */
function rows(count: number, area = hd): number[] {
  const tops = bestFit(area, count, { ...rules, gap: 8 }).map(({ y }) => y)
  return [...new Set(tops)].map((top) => tops.filter((y) => y === top).length)
}

describe('bestFit', () => {
  it.each<[number, number[]]>([
    [1, [1]],
    [2, [2]],
    [3, [2, 1]],
    [4, [2, 2]],
    [5, [3, 2]],
    [6, [3, 3]],
    [7, [3, 3, 1]],
    [9, [3, 3, 3]],
    [10, [4, 4, 2]],
    [16, [4, 4, 4, 4]],
    [25, [5, 5, 5, 5, 5]],
    [49, [7, 7, 7, 7, 7, 7, 7]],
  ])('puts %i into rows of %j', (count, expected) => {
    expect(rows(count)).toEqual(expected)
  })

  it('stands them below each other on an upright canvas', () => {
    expect(rows(3, { ...hd, width: 720, height: 1280 })).toEqual([1, 1, 1])
    expect(rows(8, { ...hd, width: 720, height: 1280 })).toEqual([2, 2, 2, 2])
  })

  it('centres the last row and the whole', () => {
    expect(bestFit(hd, 3, { gap: 8, aspect: 16 / 9 })).toEqual([
      { x: 4, y: 0, width: 632, height: 356 },
      { x: 644, y: 0, width: 632, height: 356 },
      { x: 324, y: 364, width: 632, height: 356 },
    ])
  })

  it('fills the cells where any shape will do', () => {
    expect(bestFit(hd, 2, { gap: 0, aspect: 'fill' })).toEqual([
      { x: 0, y: 0, width: 640, height: 720 },
      { x: 640, y: 0, width: 640, height: 720 },
    ])
  })

  it('keeps to a number of columns and rows', () => {
    expect(bestFit(hd, 4, { ...rules, maxRows: 1 }).map(({ y }) => y)).toEqual([270, 270, 270, 270])
    expect(bestFit(hd, 9, { ...rules, maxColumns: 2, maxRows: 2 })).toHaveLength(4)
  })

  it('finds no smaller tiles than trying every number of columns does', () => {
    const even = (min: number, max: number) => fc.integer({ min, max }).map((half) => 2 * half)
    const area = fc.record({ x: even(0, 50), y: even(0, 50), width: even(100, 1920), height: even(100, 1920) })
    fc.assert(
      fc.property(area, fc.integer({ min: 1, max: 49 }), even(0, 5), (area, count, gap) => {
        const aspect = 16 / 9
        const found = bestFit(area, count, { gap, aspect })
        expect(found).toHaveLength(count)
        const widths = Array.from({ length: count }, (_, index) => {
          const rows = Math.ceil(count / (index + 1))
          const width = (area.width - index * gap) / (index + 1)
          return Math.min(width, ((area.height - (rows - 1) * gap) / rows) * aspect)
        })
        // A hundredth is given for a usual arrangement, and rounding to even sizes takes up to two rows of pixels.
        expect(found[0]?.width).toBeGreaterThanOrEqual(0.99 * Math.max(...widths) - 2 * aspect - 2)
      }),
    )
  })

  it('has at least 2 x 2 pixels for each, and no more of them', () => {
    expect(cellCapacity({ x: 0, y: 0, width: 6, height: 4 }, rules)).toBe(6)
    const found = bestFit({ x: 0, y: 0, width: 6, height: 4 }, 9, { ...rules, gap: 20 })
    expect(found).toHaveLength(6)
    expect(found.at(-1)).toEqual({ x: 4, y: 2, width: 2, height: 2 })
  })
})
