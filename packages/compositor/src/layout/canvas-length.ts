import type { Length } from './layout.js'

/** Of the composite picture, in pixels; both even. */
export interface CanvasSize {
  readonly width: number
  readonly height: number
}

/** What shares are taken of: the width, the height, or the shorter of both. */
type Side = 'width' | 'height' | 'shorter'

/** Turns a layout's lengths into pixels of a canvas. */
export class CanvasLength {
  readonly #canvas: CanvasSize
  readonly #counted: CanvasSize

  /** @param counted the canvas that pixels are counted on; default: the canvas itself. */
  constructor(canvas: CanvasSize, counted: CanvasSize = canvas) {
    this.#canvas = canvas
    this.#counted = counted
  }

  /** Pixels, not rounded. */
  of(length: Length, side: Side): number {
    const whole = extent(this.#canvas, side)
    if (typeof length === 'number') return length * whole
    return (Number.parseFloat(length) * whole) / extent(this.#counted, side)
  }

  /** The nearest even number of pixels. */
  even(length: Length, side: Side): number {
    return nearestEven(this.of(length, side))
  }
}

const extent = (size: CanvasSize, side: Side): number =>
  side === 'shorter' ? Math.min(size.width, size.height) : size[side]

/** Chroma has half the size: everything that is placed lies on even pixels. */
export function nearestEven(pixels: number): number {
  return 2 * Math.round(pixels / 2)
}

/** The even number below, or the number itself. */
export function evenBelow(pixels: number): number {
  return 2 * Math.floor(pixels / 2)
}
