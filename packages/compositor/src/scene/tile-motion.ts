import type { Border, Tile } from '../layout/tile.js'
import { interpolateTiles } from '../layout/transition.js'

/** With none at all tiles would still look as before: in the first frame they stand where they were, and look as they do now. */
const LEAST_PROGRESS = 1e-6

/** Tiles on their way from where they were to where they belong. */
export class TileMotion {
  #from: readonly Tile[] = []
  #target: readonly Tile[] = []
  #startUs = 0
  #endUs = Number.NEGATIVE_INFINITY

  /** Where tiles belong. */
  get target(): readonly Tile[] {
    return this.#target
  }

  isMoving(timeUs: number): boolean {
    return timeUs < this.#endUs
  }

  /**
   * Tiles belong there from `timeUs` on, and have got there `durationUs` later. A change of looks alone is done at
   * once, also while tiles are on their way.
   */
  setTarget(target: readonly Tile[], timeUs: number, durationUs: number): void {
    if (!isSamePlace(this.#target, target)) {
      // What comes first has nowhere to come from.
      const isAnimated = durationUs > 0 && this.#target.length > 0
      this.#from = isAnimated ? this.tilesAt(timeUs) : []
      this.#startUs = timeUs
      this.#endUs = isAnimated ? timeUs + durationUs : Number.NEGATIVE_INFINITY
    }
    this.#target = target
  }

  tilesAt(timeUs: number): readonly Tile[] {
    if (timeUs >= this.#endUs) return this.#target
    const progress = (timeUs - this.#startUs) / (this.#endUs - this.#startUs)
    return interpolateTiles(this.#from, this.#target, Math.max(LEAST_PROGRESS, progress))
  }
}

/** The same people in the same places. */
function isSamePlace(one: readonly Tile[], other: readonly Tile[]): boolean {
  return one.length === other.length && one.every((tile, index) => isSameTilePlace(tile, other[index] as Tile))
}

function isSameTilePlace(one: Tile, other: Tile): boolean {
  return (
    one.participantId === other.participantId &&
    one.kind === other.kind &&
    one.rectangle.x === other.rectangle.x &&
    one.rectangle.y === other.rectangle.y &&
    one.rectangle.width === other.rectangle.width &&
    one.rectangle.height === other.rectangle.height
  )
}

/** Nothing differs that could be seen. */
export function areSameTiles(one: readonly Tile[], other: readonly Tile[]): boolean {
  return (
    one === other || (one.length === other.length && one.every((tile, index) => isSameTile(tile, other[index] as Tile)))
  )
}

function isSameTile(one: Tile, other: Tile): boolean {
  return (
    one === other ||
    (isSameTilePlace(one, other) &&
      one.trackId === other.trackId &&
      one.z === other.z &&
      one.fit === other.fit &&
      one.placeholder === other.placeholder &&
      one.opacity === other.opacity &&
      one.cornerRadius === other.cornerRadius &&
      isSameBorder(one.border, other.border) &&
      isSameBorder(one.ring, other.ring) &&
      one.background === other.background &&
      one.label === other.label &&
      one.name === other.name &&
      one.mutedMark === other.mutedMark)
  )
}

function isSameBorder(one: Border | undefined, other: Border | undefined): boolean {
  return one === other || (one?.width === other?.width && one?.color === other?.color)
}
