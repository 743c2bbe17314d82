import { ConfigurationError } from '@rushes/media'
import type { Fit } from '../layout/tile.js'

/** Where an overlay lies on the canvas. */
export type OverlayPosition =
  | 'top-left'
  | 'top'
  | 'top-right'
  | 'left'
  | 'center'
  | 'right'
  | 'bottom-left'
  | 'bottom'
  | 'bottom-right'

/** What all overlays have. */
export interface OverlayPlace {
  /** @defaultValue 'top-right' */
  readonly position?: OverlayPosition
  /** From the edges, as a share of the canvas's height, 0 to 0.5. @defaultValue 0.03 */
  readonly margin?: number
  /** As a share of the canvas's height, 0.01 to 1: of an image its height, of text the size of its letters. @defaultValue 0.1 for an image, 0.03 for text */
  readonly size?: number
  /** 0 to 1. @defaultValue 1 */
  readonly opacity?: number
}

/** A watermark: a PNG, JPEG, WebP, AVIF, GIF or SVG. */
export interface ImageOverlay extends OverlayPlace {
  readonly type: 'image'
  /** Path of the file. */
  readonly image: string
}

/** The time of day when what is seen happened. */
export interface ClockOverlay extends OverlayPlace {
  readonly type: 'clock'
  /** `YYYY`, `MM`, `DD`, `HH`, `mm`, `ss` are replaced, all else stays. @defaultValue 'YYYY-MM-DD HH:mm:ss' */
  readonly format?: string
  /** Of the time zone, east of Greenwich, -840 to 840. @defaultValue 0: UTC */
  readonly utcOffsetMinutes?: number
  /** `#rrggbb` @defaultValue '#ffffff' */
  readonly color?: string
}

/** Any text, in one line. */
export interface TextOverlay extends OverlayPlace {
  readonly type: 'text'
  readonly text: string
  /** `#rrggbb` @defaultValue '#ffffff' */
  readonly color?: string
}

/** Drawn over everything. */
export type Overlay = ImageOverlay | ClockOverlay | TextOverlay

/** What stands for a camera that is off: initials in a circle, or an image in its place. */
export interface PlaceholderSettings {
  /** Path of an image for everybody, cut to a circle. @defaultValue none: initials */
  readonly image?: string
  /** Paths of images for participants by id. */
  readonly images?: Readonly<Record<string, string>>
}

/** Behind all tiles: a colour, `#rrggbb`, or an image. */
export type PainterBackground = string | { readonly image: string | Uint8Array; readonly fit?: Fit }

/** Which fonts write names. */
export interface FontSettings {
  /** Paths of TrueType, OpenType or collection files, which come before those of the machine. */
  readonly files?: readonly string[]
}

const POSITIONS: readonly string[] = [
  'top-left',
  'top',
  'top-right',
  'left',
  'center',
  'right',
  'bottom-left',
  'bottom',
  'bottom-right',
]
const KEYS: Readonly<Record<Overlay['type'], readonly string[]>> = {
  image: ['image'],
  clock: ['format', 'utcOffsetMinutes', 'color'],
  text: ['text', 'color'],
}
const SHARED_KEYS: readonly string[] = ['type', 'position', 'margin', 'size', 'opacity']
/** An overlay is one line: nobody reads more. */
const MAX_TEXT_LENGTH = 200
const MAX_OVERLAYS = 16

/** @throws ConfigurationError naming the field, which begins with `field` */
export function checkOverlays(overlays: readonly Overlay[], field: string): void {
  if (!Array.isArray(overlays) || overlays.length > MAX_OVERLAYS) {
    throw new ConfigurationError(field, `must be a list of at most ${MAX_OVERLAYS} overlays`)
  }
  for (const [index, overlay] of overlays.entries()) checkOverlay(overlay as Overlay, `${field}[${index}]`)
}

function checkOverlay(overlay: Overlay, field: string): void {
  const fail = (key: string, rule: string, got: unknown): never => {
    throw new ConfigurationError(`${field}.${key}`, rule, got)
  }
  const number = (key: string, value: number | undefined, from: number, to: number): void => {
    if (value !== undefined && !(typeof value === 'number' && value >= from && value <= to)) {
      fail(key, `must be a number from ${from} to ${to}`, value)
    }
  }
  const text = (key: string, value: string | undefined): void => {
    if (typeof value !== 'string' || value === '' || value.length > MAX_TEXT_LENGTH) {
      fail(key, `must be a text of 1 to ${MAX_TEXT_LENGTH} characters`, value)
    }
  }
  const keys = KEYS[overlay?.type]
  if (keys === undefined) fail('type', `must be one of ${Object.keys(KEYS).join(', ')}`, overlay?.type)
  for (const key of Object.keys(overlay)) {
    if (!SHARED_KEYS.includes(key) && !keys.includes(key)) {
      fail(key, `is not known here: there are ${[...SHARED_KEYS, ...keys].join(', ')}`, undefined)
    }
  }
  if (overlay.position !== undefined && !POSITIONS.includes(overlay.position)) {
    fail('position', `must be one of ${POSITIONS.join(', ')}`, overlay.position)
  }
  number('margin', overlay.margin, 0, 0.5)
  number('size', overlay.size, 0.01, 1)
  number('opacity', overlay.opacity, 0, 1)
  if (overlay.type === 'image') text('image', overlay.image)
  else {
    if (overlay.color !== undefined && !/^#[0-9a-f]{6}$/i.test(overlay.color)) {
      fail('color', 'must be a colour like #ffffff', overlay.color)
    }
    if (overlay.type === 'text') text('text', overlay.text)
    else {
      if (overlay.format !== undefined) text('format', overlay.format)
      number('utcOffsetMinutes', overlay.utcOffsetMinutes, -840, 840)
    }
  }
}
