import { CanvasLength, type CanvasSize, evenBelow } from './canvas-length.js'
import type { AutomaticLayoutBase, LayoutBase, Length, TileAspect, TileStyle } from './layout.js'
import type { PlaceRules, Places } from './places.js'
import type { Rectangle } from './rectangle.js'
import type { Shown, View } from './view.js'

/** Somebody, and where. */
export interface Placed {
  readonly shown: Shown
  readonly rectangle: Rectangle
  readonly z: number
  /** Of the region. */
  readonly style?: TileStyle | undefined
}

/** A layout at work on one canvas. It remembers who was where. */
export interface Arrangement {
  arrange(view: View): Placed[]
}

/** What there is to place things in, in even pixels. */
export interface Space {
  readonly canvas: Rectangle
  /** Within the margin. */
  readonly area: Rectangle
  readonly margin: number
  readonly gap: number
  readonly maxTiles: number
  /** Higher than wide. */
  readonly upright: boolean
  readonly lengths: CanvasLength
}

/** The most tiles there are in one picture. */
const MOST_TILES = 49
export const USUAL_GAP = 0.011

export function spaceOf(layout: LayoutBase & AutomaticLayoutBase, canvas: CanvasSize, usualMargin: Length): Space {
  const lengths = new CanvasLength(canvas, layout.canvas)
  const whole: Rectangle = { x: 0, y: 0, width: canvas.width, height: canvas.height }
  // At least half of the canvas is left, whatever is asked for.
  const widest = evenBelow(Math.min(canvas.width, canvas.height) / 4)
  const margin = Math.min(widest, lengths.even(layout.margin ?? usualMargin, 'shorter'))
  return {
    canvas: whole,
    area: { x: margin, y: margin, width: canvas.width - 2 * margin, height: canvas.height - 2 * margin },
    margin,
    gap: lengths.even(layout.gap ?? USUAL_GAP, 'shorter'),
    maxTiles: layout.maxTiles ?? MOST_TILES,
    upright: canvas.height > canvas.width,
    lengths,
  }
}

/** How {@link assignShown} gives places away, in terms of who is shown. */
export interface ShownRules extends Pick<PlaceRules, 'capacity' | 'reuse'> {
  readonly preference: (shown: Shown, order: number) => number
  readonly wanted: (shown: Shown) => boolean
}

/** {@link Places.assign} for sources. */
export function assignShown(places: Places, candidates: readonly Shown[], rules: ShownRules): (Shown | undefined)[] {
  const byKey = new Map(candidates.map((shown, order) => [shown.key, { shown, order }]))
  const occupants = places.assign([...byKey.keys()], {
    capacity: rules.capacity,
    reuse: rules.reuse,
    preference: (key) => {
      const found = byKey.get(key)
      return found === undefined ? 0 : rules.preference(found.shown, found.order)
    },
    wanted: (key) => {
      const found = byKey.get(key)
      return found !== undefined && rules.wanted(found.shown)
    },
  })
  return occupants.map((key) => (key === undefined ? undefined : byKey.get(key)?.shown))
}

/** Puts each into its rectangle; empty places take theirs, too. */
export function placeAll(
  shown: readonly (Shown | undefined)[],
  rectangles: readonly Rectangle[],
  z = 0,
  style?: TileStyle,
): Placed[] {
  return shown.flatMap((one, index) => {
    const rectangle = rectangles[index]
    return one === undefined || rectangle === undefined ? [] : [{ shown: one, rectangle, z, style }]
  })
}

/** Of the tiles that these are to be shown in. */
export function resolveAspect(aspect: TileAspect, shown: readonly (Shown | undefined)[]): number | 'fill' {
  if (aspect !== 'sources') return aspect
  let sum = 0
  let count = 0
  for (const one of shown) {
    const picture = one?.source.picture
    if (picture === undefined) continue
    // A mean in which upright and flat ones weigh the same.
    sum += picture.width / (picture.width + picture.height)
    count++
  }
  return count === 0 ? USUAL_ASPECT : Math.min(10, Math.max(0.1, sum / (count - sum)))
}

export const USUAL_ASPECT: number = 16 / 9
