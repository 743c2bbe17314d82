import { type Picture, type PictureCanvas, PictureScaler, type ScalingAlgorithm } from '@rushes/codecs'
import { type PicturePlacement, placePicture } from '../layout/fit-picture.js'
import type { Rectangle } from '../layout/rectangle.js'
import type { Tile } from '../layout/tile.js'
import { visitRows } from './canvas-area.js'
import { RoundedCorners } from './rounded-rectangle.js'
import type { PlacedSprite, TileSprites } from './tile-sprites.js'
import { yuvColor } from './yuv-color.js'

/** Paints one tile at a time onto what lies on the canvas. */
export class TilePainter {
  readonly #canvas: PictureCanvas
  readonly #scaler: PictureScaler
  readonly #sprites: TileSprites
  readonly #corners = new RoundedCorners()
  /** What lay under a tile that is not opaque; made when there is one. */
  #under: Uint8Array = new Uint8Array(0)

  private constructor(canvas: PictureCanvas, scaler: PictureScaler, sprites: TileSprites) {
    this.#canvas = canvas
    this.#scaler = scaler
    this.#sprites = sprites
  }

  static async create(
    canvas: PictureCanvas,
    sprites: TileSprites,
    scaling: ScalingAlgorithm | undefined,
  ): Promise<TilePainter> {
    return new TilePainter(canvas, await PictureScaler.create(scaling), sprites)
  }

  /** Everything within the tile's rectangle, and nothing outside. Without a picture it is a placeholder. */
  paint(tile: Tile, picture: Picture | undefined): void {
    const { rectangle, opacity } = tile
    const isOpaque = opacity >= 1
    if (!isOpaque) this.#keep(rectangle)
    const radius = Math.min(tile.cornerRadius, rectangle.width / 2, rectangle.height / 2)
    if (radius > 0) this.#corners.keep(this.#canvas, rectangle, radius)
    const bottom =
      picture === undefined || picture.serial === 0 ? this.#paintPlaceholder(tile) : this.#paintPicture(tile, picture)
    this.#draw(this.#sprites.label(tile, bottom))
    if (radius > 0) this.#corners.restore(this.#canvas, rectangle, radius)
    this.#draw(this.#sprites.stroke(tile, 'border'))
    this.#draw(this.#sprites.stroke(tile, 'ring'))
    if (!isOpaque) this.#mix(rectangle, opacity)
  }

  close(): void {
    this.#scaler.close()
  }

  /** Returns where the picture ends at the bottom. */
  #paintPicture(tile: Tile, picture: Picture): number {
    const placement = placePicture(picture, tile.rectangle, tile.fit)
    this.#fillAround(tile, placement)
    this.#scaler.draw(picture, placement.source, this.#canvas, placement.target)
    return placement.target.y + placement.target.height
  }

  #fillAround({ rectangle, background }: Tile, { target }: PicturePlacement): void {
    const { x, y, width, height } = rectangle
    if (target.width === width && target.height === height) return
    const color = yuvColor(background)
    const left = target.x - x
    const top = target.y - y
    const right = width - left - target.width
    const bottom = height - top - target.height
    this.#canvas.fillArea({ x, y, width, height: top }, color)
    this.#canvas.fillArea({ x, y: target.y + target.height, width, height: bottom }, color)
    this.#canvas.fillArea({ x, y: target.y, width: left, height: target.height }, color)
    this.#canvas.fillArea({ x: target.x + target.width, y: target.y, width: right, height: target.height }, color)
  }

  /** As `#paintPicture`. */
  #paintPlaceholder(tile: Tile): number {
    this.#canvas.fillArea(tile.rectangle, yuvColor(tile.background))
    this.#draw(this.#sprites.placeholder(tile))
    return tile.rectangle.y + tile.rectangle.height
  }

  #draw(placed: PlacedSprite | undefined): void {
    placed?.sprite.draw(this.#canvas, placed.x, placed.y)
  }

  #keep(area: Rectangle): void {
    const size = area.width * area.height * 1.5
    if (this.#under.length < size) this.#under = new Uint8Array(size)
    visitRows(this.#canvas, area, (row, offset) => this.#under.set(row, offset))
  }

  /** So much of the tile, and of what was there before the rest. */
  #mix(area: Rectangle, opacity: number): void {
    const weight = Math.round(opacity * 256)
    const under = this.#under
    visitRows(this.#canvas, area, (row, offset) => {
      for (let index = 0; index < row.length; index++) {
        row[index] = (row[index]! * weight + under[offset + index]! * (256 - weight) + 128) >> 8
      }
    })
  }
}
