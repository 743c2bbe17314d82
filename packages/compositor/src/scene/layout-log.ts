import { pictureRectangle } from '../layout/picture-rectangle.js'
import type { Rectangle } from '../layout/rectangle.js'
import type { Tile } from '../layout/tile.js'
import type { PictureOf } from './scene-builder.js'
import type { Arrangement } from './scene-timeline.js'

/** Where somebody was in the composite picture. Pixels of the canvas. */
export interface LoggedTile extends Rectangle {
  readonly participantId: string
  readonly trackId?: string
  /**
   * Where the source's whole picture lies after fitting, to the nearest pixel. Where the tile shows only a part of it,
   * it reaches beyond the tile, and may reach beyond the canvas. Absent with a placeholder.
   */
  readonly picture?: Rectangle
  /** Initials or an image stand in place of a picture. */
  readonly placeholder: boolean
}

/** A stretch of the recording in which every tile stood still, or in which they moved. */
export interface LoggedLayout {
  /** Of the first frame that looked so, in microseconds of recording time. */
  readonly startUs: number
  /** Of the first frame that did not. */
  readonly endUs: number
  /** Of the layout. */
  readonly name: string
  readonly canvas: { readonly width: number; readonly height: number }
  /** In drawing order but for `z`. In a transition those that everything moves to. */
  readonly tiles: readonly LoggedTile[]
  /** Tiles are on their way; those that go are still to be seen. */
  readonly transition?: true
}

/** What a log says, and how much. */
export interface LayoutLogOptions {
  /** Pixels. */
  readonly canvas: { readonly width: number; readonly height: number }
  /** Entries at most; later ones are counted. A manifest of so many is some 10 MB. @defaultValue 20,000 */
  readonly maxEntries?: number
}

type OpenEntry = Omit<LoggedLayout, 'endUs'>

/** Gathers for the manifest who was where, and when. A change of looks alone (ring, label, opacity) is no entry. */
export class LayoutLog {
  readonly #canvas: LoggedLayout['canvas']
  readonly #maxEntries: number
  readonly #entries: LoggedLayout[] = []
  #open: OpenEntry | undefined
  #target: readonly Tile[] = []
  /** Of the picture of each tile. */
  readonly #pictures: (Rectangle | undefined)[] = []
  #omitted = 0

  constructor({ canvas, maxEntries = 20_000 }: LayoutLogOptions) {
    this.#canvas = { width: canvas.width, height: canvas.height }
    this.#maxEntries = maxEntries
  }

  /** Stretches beyond `maxEntries`. */
  get omitted(): number {
    return this.#omitted
  }

  /**
   * The frame that begins at `frameUs` looks so. Frames come in order of time.
   *
   * @param pictureOf as it was given to the timeline for this frame
   */
  push(frameUs: number, arrangement: Arrangement, pictureOf: PictureOf): void {
    const { name, target, isMoving } = arrangement
    const open = this.#open
    const arePicturesMoved = this.#look(target, pictureOf)
    const isSameKind = open !== undefined && open.name === name && (open.transition ?? false) === isMoving
    if (isSameKind && target === this.#target && !arePicturesMoved) return
    this.#target = target
    const tiles = target.map((tile, index) => loggedTile(tile, this.#pictures[index]))
    if (isSameKind && tiles.length === open.tiles.length && tiles.every((tile, at) => isSame(tile, open.tiles[at])))
      return
    this.#close(frameUs)
    const transition = isMoving ? ({ transition: true } as const) : undefined
    this.#open = { startUs: frameUs, name, canvas: this.#canvas, tiles, ...transition }
  }

  /** All so far, in order of time, each where the one before ends; the last one ends at `endUs`, with the last frame. */
  entries(endUs: number): readonly LoggedLayout[] {
    const open = this.#open
    if (open === undefined || endUs <= open.startUs || this.#isFull) return [...this.#entries]
    return [...this.#entries, closed(open, endUs)]
  }

  get #isFull(): boolean {
    return this.#entries.length >= this.#maxEntries
  }

  #close(endUs: number): void {
    const open = this.#open
    if (open === undefined || endUs <= open.startUs) return
    if (this.#isFull) this.#omitted++
    else this.#entries.push(closed(open, endUs))
  }

  /** Notes where each picture lies; returns whether that has changed, without making anything where it has not. */
  #look(target: readonly Tile[], pictureOf: PictureOf): boolean {
    let isChanged = false
    for (let index = 0; index < target.length; index++) {
      const tile = target[index] as Tile
      const size = tile.placeholder || tile.trackId === undefined ? undefined : pictureOf(tile.trackId)
      const picture = size === undefined ? undefined : pictureRectangle(tile, size)
      if (isSameRectangle(picture, this.#pictures[index])) continue
      this.#pictures[index] = picture
      isChanged = true
    }
    return isChanged
  }
}

function closed({ startUs, ...rest }: OpenEntry, endUs: number): LoggedLayout {
  return { startUs, endUs, ...rest }
}

function loggedTile(
  { participantId, trackId, rectangle, placeholder }: Tile,
  picture: Rectangle | undefined,
): LoggedTile {
  const { x, y, width, height } = rectangle
  return {
    participantId,
    ...(trackId === undefined ? undefined : { trackId }),
    x,
    y,
    width,
    height,
    ...(picture === undefined ? undefined : { picture }),
    placeholder,
  }
}

function isSame(one: LoggedTile, other: LoggedTile | undefined): boolean {
  return (
    other !== undefined &&
    one.participantId === other.participantId &&
    one.trackId === other.trackId &&
    one.placeholder === other.placeholder &&
    isSameRectangle(one, other) &&
    isSameRectangle(one.picture, other.picture)
  )
}

function isSameRectangle(one: Rectangle | undefined, other: Rectangle | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return one.x === other.x && one.y === other.y && one.width === other.width && one.height === other.height
}
