import { type CanvasSize, evenBelow, nearestEven } from './canvas-length.js'
import type { LayoutFit } from './layout.js'
import type { Rectangle } from './rectangle.js'
import type { Fit } from './tile.js'

/** What part of a picture is shown, and where. */
export interface PicturePlacement {
  /**
   * In pixels of the source. `x` and `y` are even; so are `width` and `height` where the picture is cut in that
   * direction, else they are the picture's own, which may be odd.
   */
  readonly source: Rectangle
  /** In pixels of the canvas; even, within the tile. */
  readonly target: Rectangle
}

/** `auto` may cut off so much of a picture that this share of it is left. */
const LEAST_SEEN = 0.5

/**
 * Fits a picture (upright, square pixels, at least 1 x 1) into an even rectangle: `cover` cuts the picture, `contain`
 * leaves space around it, `stretch` does neither. Both are centred.
 */
export function placePicture(source: CanvasSize, rectangle: Rectangle, fit: Fit): PicturePlacement {
  const whole: Rectangle = { x: 0, y: 0, width: source.width, height: source.height }
  switch (fit) {
    case 'contain':
      return { source: whole, target: contained(source, rectangle) }
    case 'cover':
      return { source: covering(source, rectangle), target: rectangle }
    default:
      return { source: whole, target: rectangle }
  }
}

/** What `auto` comes to for a picture and its tile. */
export function resolveFit(fit: LayoutFit, picture: CanvasSize | undefined, tile: CanvasSize): Fit {
  if (fit !== 'auto') return fit
  if (picture === undefined) return 'cover'
  const shape = (picture.width * tile.height) / (picture.height * tile.width)
  return Math.min(shape, 1 / shape) >= LEAST_SEEN ? 'cover' : 'contain'
}

/** The largest even rectangle of about this shape, centred. */
function contained(shape: CanvasSize, within: Rectangle): Rectangle {
  const { width, height } = within
  const narrower = shape.width * height <= shape.height * width
  const fitted = narrower
    ? { width: atMost(width, (height * shape.width) / shape.height), height }
    : { width, height: atMost(height, (width * shape.height) / shape.width) }
  return centred(fitted, within)
}

/** Puts a size into the middle of a rectangle, on even pixels. */
function centred(size: CanvasSize, within: Rectangle): Rectangle {
  return {
    x: within.x + evenBelow((within.width - size.width) / 2),
    y: within.y + evenBelow((within.height - size.height) / 2),
    width: size.width,
    height: size.height,
  }
}

/** The largest part of a picture that has about the shape of a tile. */
function covering(source: CanvasSize, tile: CanvasSize): Rectangle {
  const wider = source.width * tile.height >= source.height * tile.width
  const width = wider ? atMost(source.width, (source.height * tile.width) / tile.height) : source.width
  const height = wider ? source.height : atMost(source.height, (source.width * tile.height) / tile.width)
  return {
    x: evenBelow((source.width - width) / 2),
    y: evenBelow((source.height - height) / 2),
    width,
    height,
  }
}

/** The nearest even number from 2 to `limit`; `limit` itself, which may be odd, where that is nearer. */
function atMost(limit: number, wanted: number): number {
  const even = Math.max(2, nearestEven(wanted))
  return even >= limit || limit - wanted < 1 ? limit : even
}
