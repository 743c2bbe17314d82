import { type Picture, PictureCanvas, type PictureSize, type ScalingAlgorithm } from '@rushes/codecs'
import type { Tile } from '../layout/tile.js'
import { type DrawingImage, DrawingLibrary } from './drawing-library.js'
import { hiddenTiles, paintingOrder } from './hidden-tiles.js'
import { isSameLook, isSamePlace, overlapGroups } from './layers.js'
import { OverlaySprite } from './overlay-sprites.js'
import { Background } from './painter-background.js'
import type { FontSettings, Overlay, PainterBackground, PlaceholderSettings } from './painter-settings.js'
import { RoundedCorners } from './rounded-rectangle.js'
import { TilePainter } from './tile-painter.js'
import { type PlacedSprite, TileSprites } from './tile-sprites.js'

/** What a painter paints with. */
export interface PainterOptions {
  /** Even sides. */
  readonly canvas: PictureSize
  /** In place of the layout's background. */
  readonly background?: PainterBackground
  /** Drawn over everything, in this order. */
  readonly overlays?: readonly Overlay[]
  readonly placeholder?: PlaceholderSettings
  readonly fonts?: FontSettings
  /**
   * Names, initials and marks are drawn, which needs @napi-rs/canvas; without them placeholders are plain.
   * @defaultValue true
   */
  readonly text?: boolean
  /** Wall-clock time of recording time zero, in microseconds since 1970: what a clock shows. @defaultValue 0 */
  readonly startedAtUs?: number
  /** @defaultValue 'area' */
  readonly scaling?: ScalingAlgorithm
}

/** Counters since the start. */
export interface PainterStats {
  readonly paints: number
  /** Paints for which all of the canvas was painted, since tiles moved. */
  readonly wholePaints: number
  readonly tilesPainted: number
  /** Tiles that were left as they were, since nothing had changed. */
  readonly tilesKept: number
  /** Tiles of which nothing was to be seen. */
  readonly tilesHidden: number
}

interface Layer {
  tile: Tile
  picture: Picture | undefined
  /** Of the picture that was painted. */
  serial: number
  readonly group: number
  /** Nothing overlaps it. */
  readonly alone: boolean
  readonly hidden: boolean
}

/**
 * Paints tiles onto one canvas, again and again. What did not change since the last time is not touched: a tile is painted
 * anew when its picture or its looks change, and with it what overlaps it.
 */
export class Painter {
  readonly canvas: PictureCanvas
  readonly #background: Background
  readonly #tilePainter: TilePainter
  readonly #overlays: readonly OverlaySprite[]
  #layers: Layer[] = []
  #placed: PlacedSprite[] = []
  #overlayGroups: number[] = []
  #color: string | undefined
  /** By group: whether something in it changed. */
  #dirty: boolean[] = []
  readonly #stats = { paints: 0, wholePaints: 0, tilesPainted: 0, tilesKept: 0, tilesHidden: 0 }

  private constructor(
    canvas: PictureCanvas,
    background: Background,
    tilePainter: TilePainter,
    overlays: readonly OverlaySprite[],
  ) {
    this.canvas = canvas
    this.#background = background
    this.#tilePainter = tilePainter
    this.#overlays = overlays
  }

  /**
   * Rejects with `COMPOSITOR_CANVAS_MISSING` where something is to be drawn that needs @napi-rs/canvas and it is not
   * installed (names are drawn by default), `COMPOSITOR_IMAGE_UNREADABLE`, or `CODECS_NODE_AV_MISSING`.
   */
  static async create(options: PainterOptions): Promise<Painter> {
    const { background, overlays = [], placeholder = {}, text = true, startedAtUs = 0 } = options
    const hasImage = typeof background === 'object'
    const need = text ? 'names, initials and marks (text, on by default)' : 'overlays and images'
    const isNeeded =
      text || overlays.length > 0 || hasImage || placeholder.image !== undefined || placeholder.images !== undefined
    const library = isNeeded ? await DrawingLibrary.load(need, options.fonts) : undefined
    const canvas = await PictureCanvas.create(options.canvas)
    const images = new Map<string, DrawingImage>()
    let image: DrawingImage | undefined
    const overlaySprites: OverlaySprite[] = []
    if (library !== undefined) {
      for (const [participantId, path] of Object.entries(placeholder.images ?? {})) {
        images.set(participantId, await library.loadImage(path))
      }
      if (placeholder.image !== undefined) image = await library.loadImage(placeholder.image)
      for (const overlay of overlays) {
        const drawn = overlay.type === 'image' ? await library.loadImage(overlay.image) : undefined
        overlaySprites.push(new OverlaySprite(overlay, library, drawn, options.canvas, startedAtUs))
      }
    }
    const sprites = new TileSprites(library, text, options.canvas.height, images, image)
    return new Painter(
      canvas,
      await Background.create(canvas, background, library),
      await TilePainter.create(canvas, sprites, options.scaling),
      overlaySprites,
    )
  }

  get stats(): PainterStats {
    return this.#stats
  }

  /**
   * The picture at `frameTimeUs` of recording time. `background`: of the layout, `#rrggbb`. `pictureOf` is asked once for
   * each tile that shows a picture and can be seen; where it has none, the tile is painted as a placeholder. The canvas is
   * always the same one.
   */
  paint(
    tiles: readonly Tile[],
    background: string,
    pictureOf: (tile: Tile) => Picture | undefined,
    frameTimeUs: number,
  ): PictureCanvas {
    this.#stats.paints++
    const isWhole = this.#arrange(paintingOrder(tiles), background, frameTimeUs)
    if (isWhole) {
      this.#stats.wholePaints++
      this.#background.paint(background)
    }
    for (const layer of this.#layers) {
      if (layer.hidden) {
        this.#stats.tilesHidden++
        continue
      }
      layer.picture = layer.tile.placeholder ? undefined : pictureOf(layer.tile)
      const serial = layer.picture?.serial ?? 0
      if (serial !== layer.serial) this.#dirty[layer.group] = true
      layer.serial = serial
      // At once: a picture that was just decoded is still in the processor's cache.
      if (layer.alone) this.#paintLayer(layer, !isWhole)
    }
    if (!isWhole) this.#uncoverGroups()
    for (const layer of this.#layers) if (!layer.hidden && !layer.alone) this.#paintLayer(layer, false)
    for (const [index, placed] of this.#placed.entries()) {
      if (this.#dirty[this.#overlayGroups[index] ?? 0] === true) placed.sprite.draw(this.canvas, placed.x, placed.y)
    }
    this.#dirty.fill(false)
    return this.canvas
  }

  /** Gives native memory back. Idempotent. */
  close(): void {
    this.#layers = []
    this.#tilePainter.close()
    this.canvas.close()
  }

  /** Takes over the tiles. Returns whether something is in another place than before, so that all must be painted. */
  #arrange(tiles: readonly Tile[], background: string, frameTimeUs: number): boolean {
    let isWhole = background !== this.#color || tiles.length !== this.#layers.length
    this.#color = background
    for (const [index, overlay] of this.#overlays.entries()) {
      const placed = overlay.at(frameTimeUs)
      const before = this.#placed[index]
      if (placed === before) continue
      this.#placed[index] = placed
      if (before === undefined || !isSameArea(placed, before)) isWhole = true
      else this.#dirty[this.#overlayGroups[index] ?? 0] = true
    }
    for (let index = 0; index < tiles.length && !isWhole; index++) {
      const tile = tiles[index] as Tile
      const layer = this.#layers[index] as Layer
      if (layer.tile === tile) continue
      if (!isSamePlace(layer.tile, tile)) isWhole = true
      else if (!isSameLook(layer.tile, tile)) this.#dirty[layer.group] = true
      layer.tile = tile
    }
    if (isWhole) this.#rearrange(tiles)
    return isWhole
  }

  #rearrange(tiles: readonly Tile[]): void {
    const hidden = hiddenTiles(tiles)
    const overlayAreas = this.#placed.map(({ sprite, x, y }) => ({ x, y, width: sprite.width, height: sprite.height }))
    const groups = overlapGroups([...tiles.map(({ rectangle }) => rectangle), ...overlayAreas])
    this.#layers = tiles.map((tile, index) => ({
      tile,
      picture: undefined,
      serial: 0,
      group: groups[index] ?? 0,
      alone: groups.every((group, other) => other === index || group !== groups[index]),
      hidden: hidden.has(tile),
    }))
    this.#overlayGroups = groups.slice(tiles.length)
    this.#dirty = groups.map(() => true)
  }

  #paintLayer({ tile, picture, group }: Layer, uncover: boolean): void {
    if (this.#dirty[group] !== true) {
      this.#stats.tilesKept++
      return
    }
    if (uncover) this.#uncover(tile)
    this.#tilePainter.paint(tile, picture)
    this.#stats.tilesPainted++
  }

  /** The background beneath what overlaps, and is about to be painted anew. */
  #uncoverGroups(): void {
    for (const [index, { sprite, x, y }] of this.#placed.entries()) {
      if (this.#dirty[this.#overlayGroups[index] ?? 0] !== true) continue
      this.#background.restore({ x, y, width: sprite.width, height: sprite.height })
    }
    for (const { tile, group, alone, hidden } of this.#layers) {
      if (!hidden && !alone && this.#dirty[group] === true) this.#uncover(tile)
    }
  }

  /** The background where it shows through a tile. */
  #uncover({ rectangle, opacity, cornerRadius }: Tile): void {
    const { x, y, width, height } = rectangle
    if (opacity < 1) this.#background.restore(rectangle)
    else if (cornerRadius > 0) {
      const side = RoundedCorners.side(Math.min(cornerRadius, width / 2, height / 2))
      for (const left of [x, x + width - side]) {
        for (const top of [y, y + height - side]) {
          this.#background.restore({ x: left, y: top, width: side, height: side })
        }
      }
    }
  }
}

function isSameArea(a: PlacedSprite, b: PlacedSprite): boolean {
  return a.x === b.x && a.y === b.y && a.sprite.width === b.sprite.width && a.sprite.height === b.sprite.height
}
