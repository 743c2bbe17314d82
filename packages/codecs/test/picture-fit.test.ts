import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fitPicture } from '../src/picture-fit.js'

test.each([
  ['as it is', [640, 360], {}, [640, 360, 0, 0, 640, 360]],
  ['odd sides', [641, 361], {}, [640, 360, 0, 0, 640, 360]],
  ['narrower', [1280, 720], { maxWidth: 640 }, [640, 360, 0, 0, 640, 360]],
  ['lower', [1280, 720], { maxHeight: 540 }, [960, 540, 0, 0, 960, 540]],
  ['never larger', [320, 180], { maxWidth: 640, maxHeight: 640 }, [320, 180, 0, 0, 320, 180]],
  ['no rounding down of what fits', [1920, 1080], { maxWidth: 1366 }, [1366, 768, 0, 0, 1366, 768]],
  ['the same shape', [640, 360], { size: { width: 1280, height: 720 } }, [1280, 720, 0, 0, 1280, 720]],
  ['bars above and below', [640, 360], { size: { width: 640, height: 480 } }, [640, 480, 0, 60, 640, 360]],
  ['bars left and right', [360, 640], { size: { width: 640, height: 640 } }, [640, 640, 140, 0, 360, 640]],
  ['a line', [4000, 2], { size: { width: 100, height: 100 } }, [100, 100, 0, 48, 100, 2]],
] as const)('%s', (_, [width, height], bounds, want) => {
  const fit = fitPicture({ width, height }, bounds)
  expect([fit.canvas.width, fit.canvas.height, fit.x, fit.y, fit.width, fit.height]).toEqual(want)
})

test('always even, within the canvas, and hardly out of shape', () => {
  const side = fc.integer({ min: 16, max: 4096 })
  const even = fc.integer({ min: 16, max: 2048 }).map((half) => half * 2)
  const bounds = fc.oneof(
    fc.record({ size: fc.record({ width: even, height: even }) }),
    fc.record({ maxWidth: side, maxHeight: side }),
  )
  fc.assert(
    fc.property(side, side, bounds, (width, height, limits) => {
      const { canvas, x, y, width: w, height: h } = fitPicture({ width, height }, limits)
      for (const value of [canvas.width, canvas.height, x, y, w, h]) expect(value % 2).toBe(0)
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(0)
      expect(Math.min(w, h)).toBeGreaterThanOrEqual(2)
      expect(x + w).toBeLessThanOrEqual(canvas.width)
      expect(y + h).toBeLessThanOrEqual(canvas.height)
      // Each side is at most 2 pixels short of its share, unless it is the least that there is.
      const scale = Math.max(w / width, h / height)
      if (w > 2) expect(width * scale - w).toBeLessThan(2 + (2 * width) / height)
      if (h > 2) expect(height * scale - h).toBeLessThan(2 + (2 * height) / width)
    }),
  )
})
