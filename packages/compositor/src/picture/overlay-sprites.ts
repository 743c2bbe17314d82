import type { PictureSize } from '@rushes/codecs'
import type { DrawingImage, DrawingLibrary } from './drawing-library.js'
import type { ClockOverlay, Overlay, OverlayPosition } from './painter-settings.js'
import { Sprite } from './sprite.js'
import type { PlacedSprite } from './tile-sprites.js'

/** One overlay, made for one canvas. */
export class OverlaySprite {
  readonly #overlay: Overlay
  readonly #library: DrawingLibrary
  readonly #image: DrawingImage | undefined
  readonly #canvas: PictureSize
  readonly #startedAtUs: number
  #shown: string | undefined
  #placed: PlacedSprite | undefined

  /** `image`: that of an overlay of this type. */
  constructor(
    overlay: Overlay,
    library: DrawingLibrary,
    image: DrawingImage | undefined,
    canvas: PictureSize,
    startedAtUs: number,
  ) {
    this.#overlay = overlay
    this.#library = library
    this.#image = image
    this.#canvas = canvas
    this.#startedAtUs = startedAtUs
  }

  /** The same object as before, as long as nothing changes. */
  at(frameTimeUs: number): PlacedSprite {
    const overlay = this.#overlay
    const shown =
      overlay.type === 'image'
        ? ''
        : overlay.type === 'text'
          ? overlay.text
          : clockText(overlay, this.#startedAtUs + frameTimeUs)
    if (this.#placed === undefined || shown !== this.#shown) this.#placed = this.#make(shown)
    this.#shown = shown
    return this.#placed
  }

  #make(text: string): PlacedSprite {
    const overlay = this.#overlay
    const { width, height } = this.#canvas
    const { position = 'top-right', margin = 0.03, opacity = 1 } = overlay
    const sprite =
      overlay.type === 'image'
        ? this.#imageSprite(overlay.size ?? 0.1, opacity)
        : this.#textSprite(text, overlay.size ?? 0.03, overlay.color ?? '#ffffff', opacity)
    const space = margin * height
    const [alongX, alongY] = shares(position)
    const place = (whole: number, part: number, share: number): number =>
      evenWithin(space + share * (whole - part - 2 * space), whole - part)
    return { sprite, x: place(width, sprite.width, alongX), y: place(height, sprite.height, alongY) }
  }

  #imageSprite(size: number, opacity: number): Sprite {
    const image = this.#image
    const { width: maxWidth, height: maxHeight } = this.#canvas
    if (image === undefined || image.width === 0 || image.height === 0) {
      return Sprite.fromRgba({ width: 2, height: 2, data: new Uint8Array(16) })
    }
    const scale = Math.min((maxHeight * size) / image.height, maxWidth / image.width)
    const width = Math.max(1, Math.floor(image.width * scale))
    const height = Math.max(1, Math.floor(image.height * scale))
    return Sprite.fromRgba(
      this.#library.draw(width, height, (context) => {
        context.imageSmoothingEnabled = true
        context.imageSmoothingQuality = 'high'
        context.drawImage(image, 0, 0, width, height)
      }),
      opacity,
    )
  }

  #textSprite(text: string, size: number, color: string, opacity: number): Sprite {
    const library = this.#library
    const fontSize = Math.max(8, Math.round(size * this.#canvas.height))
    const font = `${fontSize}px ${library.families}`
    const padding = Math.ceil(fontSize * 0.2)
    const width = Math.min(this.#canvas.width, Math.ceil(library.measure(text, font)) + 2 * padding)
    const height = Math.min(this.#canvas.height, Math.ceil(fontSize * 1.5))
    return Sprite.fromRgba(
      library.draw(width, height, (context) => {
        context.font = font
        context.fillStyle = color
        // Readable on any picture.
        context.shadowColor = 'rgba(0, 0, 0, 0.8)'
        context.shadowBlur = fontSize * 0.15
        context.shadowOffsetY = fontSize * 0.05
        context.fillText(text, padding, Math.round(height / 2 + fontSize * 0.35))
      }),
      opacity,
    )
  }
}

/** The time of day, as `format` says. `atUs`: microseconds since 1970. */
export function clockText(overlay: ClockOverlay, atUs: number): string {
  const { format = 'YYYY-MM-DD HH:mm:ss', utcOffsetMinutes = 0 } = overlay
  const time = new Date(Math.floor(atUs / 1000) + utcOffsetMinutes * 60_000)
  const two = (value: number): string => String(value).padStart(2, '0')
  return format.replaceAll(/YYYY|MM|DD|HH|mm|ss/g, (part) => {
    switch (part) {
      case 'YYYY':
        return String(time.getUTCFullYear()).padStart(4, '0')
      case 'MM':
        return two(time.getUTCMonth() + 1)
      case 'DD':
        return two(time.getUTCDate())
      case 'HH':
        return two(time.getUTCHours())
      case 'mm':
        return two(time.getUTCMinutes())
      default:
        return two(time.getUTCSeconds())
    }
  })
}

/** Of the free space, how much lies before. */
function shares(position: OverlayPosition): readonly [x: number, y: number] {
  const x = position.endsWith('left') ? 0 : position.endsWith('right') ? 1 : 0.5
  const y = position.startsWith('top') ? 0 : position.startsWith('bottom') ? 1 : 0.5
  return [x, y]
}

function evenWithin(value: number, limit: number): number {
  return Math.max(0, Math.floor(Math.min(value, limit) / 2) * 2)
}
