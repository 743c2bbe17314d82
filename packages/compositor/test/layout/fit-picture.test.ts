import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { placePicture, resolveFit } from '../../src/layout/fit-picture.js'

const tile = { x: 100, y: 50, width: 640, height: 360 }
const size = (width: number, height: number) => ({ width, height })
const whole = (width: number, height: number) => ({ x: 0, y: 0, width, height })

describe('placePicture', () => {
  it.each([
    ['the same shape', size(1280, 720), tile],
    ['a high one', size(720, 1280), { x: 318, y: 50, width: 202, height: 360 }],
    ['a wide one', size(2560, 720), { x: 100, y: 140, width: 640, height: 180 }],
    ['nearly the same shape', size(854, 480), tile],
    ['a line', size(4000, 1), { x: 100, y: 228, width: 640, height: 2 }],
  ])('contains %s', (_, picture, target) => {
    expect(placePicture(picture, tile, 'contain')).toEqual({ source: whole(picture.width, picture.height), target })
  })

  it.each([
    ['the same shape', size(1280, 720), whole(1280, 720)],
    ['a high one', size(720, 1280), { x: 0, y: 436, width: 720, height: 406 }],
    ['a wide one', size(2560, 720), { x: 640, y: 0, width: 1280, height: 720 }],
    ['4:3', size(640, 480), { x: 0, y: 60, width: 640, height: 360 }],
    ['odd sides, nothing cut off in one direction', size(641, 481), { x: 0, y: 60, width: 641, height: 360 }],
    ['odd sides of the same shape', size(641, 361), whole(641, 361)],
    ['a single pixel', size(1, 1), whole(1, 1)],
  ])('covers with %s', (_, picture, source) => {
    expect(placePicture(picture, tile, 'cover')).toEqual({ source, target: tile })
  })

  it('stretches', () => {
    expect(placePicture(size(10, 900), tile, 'stretch')).toEqual({ source: whole(10, 900), target: tile })
  })

  it('stays within both, on even pixels, and keeps the shape as well as these allow', () => {
    const side = fc.integer({ min: 1, max: 4000 })
    const even = fc.integer({ min: 1, max: 1920 }).map((half) => 2 * half)
    const picture = fc.record({ width: side, height: side })
    const rectangle = fc.record({ x: even, y: even, width: even, height: even })
    fc.assert(
      fc.property(picture, rectangle, fc.constantFrom('contain' as const, 'cover' as const), (picture, tile, fit) => {
        const { source, target } = placePicture(picture, tile, fit)
        for (const side of [target.x, target.y, target.width, target.height, source.x, source.y])
          expect(side % 2).toBe(0)
        expect(Math.min(source.x, source.y)).toBeGreaterThanOrEqual(0)
        expect(Math.min(source.width, source.height)).toBeGreaterThanOrEqual(1)
        expect(source.x + source.width).toBeLessThanOrEqual(picture.width)
        expect(source.y + source.height).toBeLessThanOrEqual(picture.height)
        expect(Math.min(target.width, target.height)).toBeGreaterThanOrEqual(2)
        expect(target.x).toBeGreaterThanOrEqual(tile.x)
        expect(target.y).toBeGreaterThanOrEqual(tile.y)
        expect(target.x + target.width).toBeLessThanOrEqual(tile.x + tile.width)
        expect(target.y + target.height).toBeLessThanOrEqual(tile.y + tile.height)
        // Nothing is cut that need not be, and no side is off by more than rounding.
        const [inner, outer] = fit === 'contain' ? [target, tile] : [source, picture]
        const shape = fit === 'contain' ? picture : tile
        expect(inner.width === outer.width || inner.height === outer.height).toBe(true)
        const width = Math.min(outer.width, (outer.height * shape.width) / shape.height)
        expect(Math.abs(inner.width - width)).toBeLessThanOrEqual(2)
      }),
    )
  })
})

describe('resolveFit', () => {
  it.each([
    ['the same shape', size(1280, 720), 'cover'],
    ['4:3', size(640, 480), 'cover'],
    ['half as wide', size(640, 720), 'cover'],
    ['less than half as wide', size(638, 720), 'contain'],
    ['a telephone held upright', size(720, 1280), 'contain'],
    ['a strip', size(3600, 900), 'contain'],
    ['nothing known', undefined, 'cover'],
  ])('shows %s by %s', (_, picture, fit) => {
    expect(resolveFit('auto', picture, tile)).toBe(fit)
  })

  it('leaves what is said', () => {
    expect(resolveFit('stretch', size(1, 1000), tile)).toBe('stretch')
  })
})
