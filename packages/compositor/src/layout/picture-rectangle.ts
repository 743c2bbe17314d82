import { placePicture } from './fit-picture.js'
import type { Rectangle } from './rectangle.js'
import type { Tile } from './tile.js'

/**
 * Where the whole picture of a source lies when it is painted into `tile`: whoever looks for something in the source finds
 * it there. Where the tile cuts the picture, that reaches beyond the tile, and beyond the canvas. In whole pixels;
 * undefined for a placeholder. `size`: of the picture as shown, upright, with square pixels.
 */
export function pictureRectangle(
  tile: Tile,
  size: { readonly width: number; readonly height: number },
): Rectangle | undefined {
  if (tile.placeholder || !(size.width > 0 && size.height > 0)) return undefined
  const { source, target } = placePicture(size, tile.rectangle, tile.fit)
  const scaleX = target.width / source.width
  const scaleY = target.height / source.height
  return {
    x: Math.round(target.x - source.x * scaleX),
    y: Math.round(target.y - source.y * scaleY),
    width: Math.round(size.width * scaleX),
    height: Math.round(size.height * scaleY),
  }
}
