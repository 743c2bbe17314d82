import type { Placed, Space } from './arrangement.js'
import { resolveFit } from './fit-picture.js'
import type { LayoutBase, LayoutBorder, TileStyle } from './layout.js'
import type { Rectangle } from './rectangle.js'
import type { Border, Tile } from './tile.js'

/** Behind tiles. */
export const USUAL_BACKGROUND = '#202124'
const USUAL_TILE_BACKGROUND = '#3c4043'
const USUAL_CORNER_RADIUS = 0.011
const USUAL_RING: LayoutBorder = { width: 0.005, color: '#669df6' }

/** Somebody at a place becomes a tile: the region's style before the layout's before the defaults. */
export function tileOf(placed: Placed, layout: LayoutBase, space: Space): Tile {
  const { source } = placed.shown
  const { rectangle } = placed
  const style: TileStyle = { ...layout.tile, ...placed.style }
  const isScreen = source.kind === 'screen' && source.hasPicture
  const fit = placed.style?.fit ?? (isScreen ? (layout.screenFit ?? 'contain') : (layout.tile?.fit ?? 'auto'))
  const ring = style.ring ?? (fills(rectangle, space.canvas) ? false : USUAL_RING)
  return {
    participantId: source.participantId,
    trackId: source.trackId,
    kind: source.kind,
    rectangle,
    z: placed.z,
    fit: resolveFit(fit, source.picture, rectangle),
    placeholder: !source.hasPicture,
    opacity: style.opacity ?? 1,
    cornerRadius: cornerRadius(style, rectangle, space),
    border: line(style.border, rectangle, space),
    ring: source.speaking && !isScreen ? line(ring, rectangle, space) : undefined,
    background: style.background ?? (isScreen ? (layout.background ?? USUAL_BACKGROUND) : USUAL_TILE_BACKGROUND),
    label: (style.label ?? true) ? source.name : undefined,
    name: source.name,
    mutedMark: (style.mutedMark ?? true) && source.muted && !isScreen,
  }
}

function cornerRadius(style: TileStyle, rectangle: Rectangle, { canvas, lengths }: Space): number {
  const length = style.cornerRadius ?? (fills(rectangle, canvas) ? 0 : USUAL_CORNER_RADIUS)
  return Math.min(Math.round(lengths.of(length, 'shorter')), Math.min(rectangle.width, rectangle.height) / 2)
}

/** At least a pixel, at most a quarter of the tile. */
function line(border: LayoutBorder | false | undefined, rectangle: Rectangle, { lengths }: Space): Border | undefined {
  if (border === undefined || border === false) return undefined
  const pixels = lengths.of(border.width, 'shorter')
  if (pixels === 0) return undefined
  const widest = Math.floor(Math.min(rectangle.width, rectangle.height) / 4)
  return { width: Math.max(1, Math.min(widest, Math.round(pixels))), color: border.color }
}

const fills = (rectangle: Rectangle, canvas: Rectangle): boolean =>
  rectangle.width === canvas.width && rectangle.height === canvas.height
