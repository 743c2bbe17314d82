import type { Rectangle } from '../layout/rectangle.js'
import type { Tile } from '../layout/tile.js'

/** In the order in which they are painted. */
export function paintingOrder(tiles: readonly Tile[]): readonly Tile[] {
  for (let index = 1; index < tiles.length; index++) {
    const [before, tile] = [tiles[index - 1], tiles[index]]
    if (before !== undefined && tile !== undefined && tile.z < before.z) return [...tiles].sort((a, b) => a.z - b.z)
  }
  return tiles
}

/** Tiles of which nothing is to be seen: transparent, or behind one opaque tile. Their tracks need not be decoded. */
export function hiddenTiles(tiles: readonly Tile[]): ReadonlySet<Tile> {
  const ordered = paintingOrder(tiles)
  const hidden = new Set<Tile>()
  for (const [index, tile] of ordered.entries()) {
    const isHidden =
      tile.opacity <= 0 ||
      ordered.slice(index + 1).some((above) => above.opacity >= 1 && isCovered(tile.rectangle, above))
    if (isHidden) hidden.add(tile)
  }
  return hidden
}

/** Outside of its round corners a tile is a cross of two rectangles. */
function isCovered(area: Rectangle, { rectangle, cornerRadius }: Tile): boolean {
  const { x, y, width, height } = rectangle
  const radius = Math.ceil(cornerRadius)
  return (
    contains({ x, y: y + radius, width, height: height - 2 * radius }, area) ||
    contains({ x: x + radius, y, width: width - 2 * radius, height }, area)
  )
}

function contains(outer: Rectangle, { x, y, width, height }: Rectangle): boolean {
  return x >= outer.x && y >= outer.y && x + width <= outer.x + outer.width && y + height <= outer.y + outer.height
}
