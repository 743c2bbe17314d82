import type { PictureArea, PictureCanvas, YuvColor } from '@rushes/codecs'
import { Sprite } from './sprite.js'

/** How much of a pixel lies within a rectangle from 0, 0 with round corners, 0 to 1. */
function coverageAt(x: number, y: number, width: number, height: number, radius: number): number {
  const dx = Math.abs(x + 0.5 - width / 2) - (width / 2 - radius)
  const dy = Math.abs(y + 0.5 - height / 2) - (height / 2 - radius)
  const outside = Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - radius
  return Math.min(1, Math.max(0, 0.5 - outside))
}

/** A line along the inner edge of a rectangle with round corners. Sides are even. */
export function strokeSprite(width: number, height: number, radius: number, line: number, color: YuvColor): Sprite {
  const coverage = new Float32Array(width * height)
  const inner = Math.max(0, radius - line)
  // Within that, there is nothing.
  const band = Math.ceil(Math.max(radius, line)) + 1
  for (let y = 0; y < height; y++) {
    const isEdge = y < band || y >= height - band
    for (let x = 0; x < width; x++) {
      if (!isEdge && x >= band && x < width - band) {
        x = width - band - 1
        continue
      }
      const isOuter = coverageAt(x, y, width, height, radius)
      const isInner = coverageAt(x - line, y - line, width - 2 * line, height - 2 * line, inner)
      coverage[y * width + x] = Math.max(0, isOuter - isInner)
    }
  }
  return Sprite.fromCoverage(width, height, coverage, color)
}

/** Shape of a corner in luma and in chroma: how much belongs to the tile, 0 to 256, for the left upper one. */
interface CornerShape {
  /** Side in luma, even. */
  readonly side: number
  readonly luma: Uint16Array
  readonly chroma: Uint16Array
}

/** Radii come from a layout: a few, and while tiles move a few more. */
const MAX_SHAPES = 64

/**
 * Round corners for what is painted as a rectangle: keeps what lay beneath the four corners, and puts it back outside of
 * the curve.
 */
export class RoundedCorners {
  readonly #shapes = new Map<number, CornerShape>()
  #kept: Uint8Array = new Uint8Array(0)

  /** Side of the square that a corner takes, even. */
  static side(radius: number): number {
    return Math.ceil(radius / 2) * 2
  }

  keep(canvas: PictureCanvas, area: PictureArea, radius: number): void {
    const side = RoundedCorners.side(radius)
    if (this.#kept.length < side * side * 6) this.#kept = new Uint8Array(side * side * 6)
    this.#each(canvas, area, side, (plane, from, kept, count) => {
      for (let at = 0; at < count; at++) this.#kept[kept + at] = plane[from + at]!
    })
  }

  /** With the same area and radius as `keep` before. */
  restore(canvas: PictureCanvas, area: PictureArea, radius: number): void {
    const { side, luma, chroma } = this.#shapeOf(radius)
    this.#each(canvas, area, side, (plane, from, kept, count, row, mirrored, isChroma) => {
      const shape = isChroma ? chroma : luma
      for (let at = 0; at < count; at++) {
        const weight = shape[row * count + (mirrored ? count - 1 - at : at)]!
        if (weight === 256) continue
        plane[from + at] = (plane[from + at]! * weight + this.#kept[kept + at]! * (256 - weight) + 128) >> 8
      }
    })
  }

  #each(
    canvas: PictureCanvas,
    { x, y, width, height }: PictureArea,
    side: number,
    row: (
      plane: Uint8Array,
      from: number,
      kept: number,
      count: number,
      shapeRow: number,
      mirrored: boolean,
      isChroma: boolean,
    ) => void,
  ): void {
    let kept = 0
    for (let index = 0; index < 3; index++) {
      const shift = index === 0 ? 0 : 1
      const plane = canvas.planes[index]!
      const stride = canvas.width >> shift
      const count = side >> shift
      for (let corner = 0; corner < 4; corner++) {
        const isRight = (corner & 1) === 1
        const isBottom = corner >= 2
        const left = ((isRight ? x + width : x) >> shift) - (isRight ? count : 0)
        const top = ((isBottom ? y + height : y) >> shift) - (isBottom ? count : 0)
        for (let at = 0; at < count; at++, kept += count) {
          row(plane, (top + at) * stride + left, kept, count, isBottom ? count - 1 - at : at, isRight, index > 0)
        }
      }
    }
  }

  #shapeOf(radius: number): CornerShape {
    const known = this.#shapes.get(radius)
    if (known !== undefined) return known
    if (this.#shapes.size >= MAX_SHAPES) this.#shapes.clear()
    const side = RoundedCorners.side(radius)
    const luma = new Uint16Array(side * side)
    const chroma = new Uint16Array((side * side) / 4)
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const weight = 256 * coverageAt(x, y, 4 * side, 4 * side, radius)
        luma[y * side + x] = Math.round(weight)
        chroma[(y >> 1) * (side / 2) + (x >> 1)]! += weight / 4
      }
    }
    const shape = { side, luma, chroma }
    this.#shapes.set(radius, shape)
    return shape
  }
}
