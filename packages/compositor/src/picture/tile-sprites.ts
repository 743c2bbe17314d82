import type { Tile } from '../layout/tile.js'
import type { DrawingImage, DrawingLayer, DrawingLibrary } from './drawing-library.js'
import { colorOf, graphemesOf, initialsOf } from './initials.js'
import { strokeSprite } from './rounded-rectangle.js'
import { Sprite } from './sprite.js'
import { yuvColor } from './yuv-color.js'

/** Sprites kept: those of 49 tiles, and of as many that moved or changed lately. */
const MAX_SPRITES = 256
const MUTED_COLOR = '#ff7a70'
const PILL_COLOR = 'rgba(18, 19, 22, 0.62)'
const TEXT_COLOR = '#ffffff'

/** A sprite and where it goes on the canvas. */
export interface PlacedSprite {
  readonly sprite: Sprite
  readonly x: number
  readonly y: number
}

/** What is drawn over a tile and into an empty one: each is made once for its text and size. */
export class TileSprites {
  readonly #library: DrawingLibrary | undefined
  readonly #hasText: boolean
  readonly #images: ReadonlyMap<string, DrawingImage>
  readonly #image: DrawingImage | undefined
  readonly #canvasHeight: number
  readonly #sprites = new Map<string, Sprite>()

  /** `images`: placeholders by participant; `image`: that of all others. */
  constructor(
    library: DrawingLibrary | undefined,
    hasText: boolean,
    canvasHeight: number,
    images: ReadonlyMap<string, DrawingImage>,
    image: DrawingImage | undefined,
  ) {
    this.#library = library
    this.#hasText = hasText
    this.#canvasHeight = canvasHeight
    this.#images = images
    this.#image = image
  }

  /**
   * The name in the left lower corner, with the mark of a microphone that is off before it. `bottom`: where the picture
   * ends, so that the name does not lie half on it and half beneath.
   */
  label(tile: Tile, bottom: number): PlacedSprite | undefined {
    const { label, mutedMark, rectangle, ring, border } = tile
    const library = this.#library
    if (library === undefined || !this.#hasText || (label === undefined && !mutedMark)) return undefined
    const size = this.#textSize(rectangle.height)
    const inset = Math.max(ring?.width ?? 0, border?.width ?? 0, tile.cornerRadius * 0.3)
    const margin = Math.round(Math.max(size * 0.4, inset + size * 0.25))
    const space = rectangle.width - 2 * margin
    const height = Math.ceil((size * 1.7) / 2) * 2
    if (space < height || rectangle.height < height + 2 * margin) return undefined
    const sprite = this.#made(`label ${size} ${space} ${mutedMark} ${label ?? ''}`, () =>
      labelSprite(library, label ?? '', mutedMark, size, space, height),
    )
    return {
      sprite,
      x: evenBelow(rectangle.x + margin),
      y: evenBelow(Math.max(rectangle.y + margin, bottom - margin - sprite.height)),
    }
  }

  /** Initials, or an image, in a circle in the middle. */
  placeholder(tile: Tile): PlacedSprite | undefined {
    const library = this.#library
    if (library === undefined) return undefined
    const { rectangle, participantId, name } = tile
    const size = evenBelow(Math.min(rectangle.width, rectangle.height) * 0.44)
    if (size < 8) return undefined
    const image = this.#images.get(participantId) ?? this.#image
    if (image === undefined && !this.#hasText) return undefined
    const key = image === undefined ? `initials ${size} ${participantId} ${name}` : `image ${size} ${participantId}`
    const sprite = this.#made(key, () =>
      image === undefined ? initialsSprite(library, participantId, name, size) : imageSprite(library, image, size),
    )
    return {
      sprite,
      x: evenBelow(rectangle.x + (rectangle.width - size) / 2),
      y: evenBelow(rectangle.y + (rectangle.height - size) / 2),
    }
  }

  stroke(tile: Tile, kind: 'border' | 'ring'): PlacedSprite | undefined {
    const line = tile[kind]
    if (line === undefined || line.width <= 0) return undefined
    const { width, height, x, y } = tile.rectangle
    const thickness = Math.min(line.width, width / 2, height / 2)
    const key = `stroke ${width}x${height} ${tile.cornerRadius} ${thickness} ${line.color}`
    const radius = Math.min(tile.cornerRadius, width / 2, height / 2)
    const sprite = this.#made(key, () => strokeSprite(width, height, radius, thickness, yuvColor(line.color)))
    return { sprite, x, y }
  }

  #textSize(tileHeight: number): number {
    const [least, most] = [this.#canvasHeight * 0.019, this.#canvasHeight * 0.03]
    return Math.max(8, Math.round(Math.min(most, Math.max(least, tileHeight * 0.07))))
  }

  #made(key: string, make: () => Sprite): Sprite {
    const known = this.#sprites.get(key)
    if (known !== undefined) return known
    // The oldest goes: the order of a map is that of its entries' making.
    if (this.#sprites.size >= MAX_SPRITES) {
      for (const oldest of this.#sprites.keys()) {
        this.#sprites.delete(oldest)
        break
      }
    }
    const sprite = make()
    this.#sprites.set(key, sprite)
    return sprite
  }
}

function labelSprite(
  library: DrawingLibrary,
  label: string,
  isMuted: boolean,
  size: number,
  space: number,
  height: number,
): Sprite {
  const font = `${size}px ${library.families}`
  const padding = Math.round(size * 0.55)
  const icon = isMuted ? Math.round(size * 1.05) : 0
  const gap = isMuted && label !== '' ? Math.round(size * 0.3) : 0
  const text = shortened(library, oneLine(label), font, space - 2 * padding - icon - gap)
  const width = evenBelow(Math.min(space, 2 * padding + icon + gap + Math.ceil(library.measure(text, font)) + 1))
  return Sprite.fromRgba(
    library.draw(width, height, (context) => {
      context.fillStyle = PILL_COLOR
      context.beginPath()
      context.roundRect(0, 0, width, height, size * 0.45)
      context.fill()
      if (isMuted) context.drawImage(mutedMicrophone(library, icon), padding, Math.round((height - icon) / 2))
      context.fillStyle = TEXT_COLOR
      context.font = font
      context.textBaseline = 'alphabetic'
      // Letters with accents and those that reach below the line must find room: by the size, not by the text.
      context.fillText(text, padding + icon + gap, Math.round(height / 2 + size * 0.35))
    }),
  )
}

/** A microphone with a line through it, in a square of `size`. */
function mutedMicrophone(library: DrawingLibrary, size: number): DrawingLayer {
  return library.layer(size, size, (context) => {
    context.scale(size / 24, size / 24)
    context.fillStyle = MUTED_COLOR
    context.strokeStyle = MUTED_COLOR
    context.lineCap = 'round'
    context.lineWidth = 2.2
    context.beginPath()
    context.roundRect(8.5, 2, 7, 12.5, 3.5)
    context.fill()
    context.beginPath()
    context.arc(12, 11, 6.6, 0.15, Math.PI - 0.15)
    context.moveTo(12, 17.8)
    context.lineTo(12, 21.5)
    context.stroke()
    // A gap beside the line, so that it is seen.
    for (const [operation, width] of [
      ['destination-out', 6],
      ['source-over', 2.4],
    ] as const) {
      context.globalCompositeOperation = operation
      context.lineWidth = width
      context.beginPath()
      context.moveTo(3.5, 3.5)
      context.lineTo(20.5, 20.5)
      context.stroke()
    }
  })
}

function initialsSprite(library: DrawingLibrary, participantId: string, name: string, size: number): Sprite {
  const initials = initialsOf(name)
  const letters = graphemesOf(initials).length
  const fontSize = Math.round(size * (letters > 1 ? 0.38 : 0.46))
  return Sprite.fromRgba(
    library.draw(size, size, (context) => {
      context.fillStyle = colorOf(participantId)
      context.beginPath()
      context.arc(size / 2, size / 2, size / 2, 0, 2 * Math.PI)
      context.fill()
      context.fillStyle = TEXT_COLOR
      context.font = `${fontSize}px ${library.families}`
      context.textAlign = 'center'
      // Capitals reach up to about 0.72 of the size.
      context.fillText(initials, size / 2, size / 2 + fontSize * 0.36)
    }),
  )
}

function imageSprite(library: DrawingLibrary, image: DrawingImage, size: number): Sprite {
  const scale = Math.max(size / image.width, size / image.height)
  const [width, height] = [image.width * scale, image.height * scale]
  return Sprite.fromRgba(
    library.draw(size, size, (context) => {
      context.beginPath()
      context.arc(size / 2, size / 2, size / 2, 0, 2 * Math.PI)
      context.clip()
      context.drawImage(image, (size - width) / 2, (size - height) / 2, width, height)
    }),
  )
}

/** As much of a text as fits, with an ellipsis where something is missing. */
function shortened(library: DrawingLibrary, text: string, font: string, space: number): string {
  if (text === '' || library.measure(text, font) <= space) return text
  const letters = graphemesOf(text)
  let [fits, tooMany] = [0, letters.length]
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >> 1
    if (library.measure(`${letters.slice(0, middle).join('')}…`, font) <= space) fits = middle
    else tooMany = middle
  }
  return fits === 0 ? '' : `${letters.slice(0, fits).join('').trimEnd()}…`
}

/** Names come from outside: a line break or a control character is a space. */
function oneLine(text: string): string {
  return text
    .slice(0, 200)
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
}

function evenBelow(value: number): number {
  return Math.floor(value / 2) * 2
}
