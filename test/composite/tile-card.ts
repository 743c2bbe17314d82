import type { Card } from '@rushes/testkit/card'
import type { Place } from './composite-manifest.js'

/** What is read of a card within a composite. */
export interface TileCard extends Card {
  /** Too little of the card is to be seen to read its counter: cut off by the tile or the canvas. */
  readonly cutOff: boolean
}

/** Difference of brightness that must lie between black and white cells. */
const MIN_CONTRAST = 64
/** The box of a card of which nothing else can be read. */
const WHITE = 170

/**
 * Reads the test card of a picture that lies at `picture` on a canvas. Unlike that of a whole picture, one in a tile may
 * have a label over the left half of its id, which the right half has once more as its complement, and may be cut off.
 */
export function readTileCard(luma: Uint8Array, canvasWidth: number, tile: Place, picture: Place): TileCard {
  const mean = (x0: number, y0: number, x1: number, y1: number): number => {
    const left = Math.floor(picture.x + x0 * picture.width)
    const top = Math.floor(picture.y + y0 * picture.height)
    const right = Math.max(picture.x + x1 * picture.width, left + 1)
    const bottom = Math.max(picture.y + y1 * picture.height, top + 1)
    if (left < tile.x || top < tile.y || right > tile.x + tile.width || bottom > tile.y + tile.height) return Number.NaN
    let sum = 0
    let count = 0
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        sum += luma[y * canvasWidth + x] as number
        count++
      }
    }
    return sum / count
  }
  // The middle of each cell: its edges are blurred by scaling and coding.
  const counterCells = Array.from({ length: 16 }, (_, i) => mean((i + 0.3) / 16, 0.04, (i + 0.7) / 16, 0.1))
  const idCells = Array.from({ length: 8 }, (_, i) => mean((i + 0.3) / 8, 0.9, (i + 0.7) / 8, 0.96))
  const flash = mean(0.42, 0.42, 0.58, 0.58)
  const unreadable: TileCard = { counter: undefined, cardId: undefined, flash: false, cutOff: false }
  if (counterCells.some(Number.isNaN)) return { ...unreadable, flash: flash > WHITE, cutOff: true }
  // A label may look like cells; the counter and the right half of the id must be a card by themselves.
  const trusted = [...counterCells, ...idCells.slice(4).filter((cell) => !Number.isNaN(cell))]
  const black = Math.min(...trusted)
  const white = Math.max(...trusted)
  if (white - black < MIN_CONTRAST) return unreadable
  const middle = (white + black) / 2
  const margin = (white - black) * 0.15
  const isClear = (cell: number): boolean => Math.abs(cell - middle) >= margin
  if (!counterCells.every(isClear)) return unreadable
  const bits = (cells: readonly number[]): number =>
    cells.reduce((value, cell) => value * 2 + (cell > middle ? 1 : 0), 0)
  const left = idCells.slice(0, 4).every(isClear) ? bits(idCells.slice(0, 4)) : undefined
  const right = idCells.slice(4).every(isClear) ? bits(idCells.slice(4)) ^ 15 : undefined
  const cardId = right ?? left
  if (cardId === undefined) return unreadable
  return { counter: bits(counterCells), cardId, flash: flash > middle, cutOff: false }
}

/** Whether no picture can be seen there but a flat one: how far the brightness of its columns and rows goes apart. */
export function spreadOutside(luma: Uint8Array, width: number, height: number, tiles: readonly Place[]): number {
  let low = 255
  let high = 0
  // Each fourth pixel, and two pixels off the tiles, whose edges coding blurs.
  for (let y = 0; y < height; y += 4) {
    for (let x = 0; x < width; x += 4) {
      const inside = tiles.find(
        (tile) => x >= tile.x - 8 && x < tile.x + tile.width + 8 && y >= tile.y - 8 && y < tile.y + tile.height + 8,
      )
      if (inside !== undefined) {
        // On to the tile's end; the step must stay on the raster.
        x += Math.max(0, Math.floor((inside.x + inside.width + 8 - x) / 4) * 4 - 4)
        continue
      }
      const value = luma[y * width + x] as number
      if (value < low) low = value
      if (value > high) high = value
    }
  }
  return Math.max(0, high - low)
}
