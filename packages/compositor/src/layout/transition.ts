import { nearestEven } from './canvas-length.js'
import type { Rectangle } from './rectangle.js'
import type { Tile } from './tile.js'

/**
 * The picture on the way from one arrangement to another. Who is in both moves and grows or shrinks, and already looks
 * as in `to`; who is new fades in at the place to be; who is gone fades out where they were, below the others of equal
 * `z`. Rectangles stay even, and within what `from` and `to` take up.
 *
 * @param progress 0 (`from`) to 1 (`to`); the motion starts and ends slowly.
 */
export function interpolateTiles(from: readonly Tile[], to: readonly Tile[], progress: number): Tile[] {
  if (!(progress > 0)) return [...from]
  if (progress >= 1) return [...to]
  const eased = ease(progress)
  const before = matches(from, to)
  const moved = to.map((tile, index) => {
    const source = before[index]
    return source === undefined ? { ...tile, opacity: tile.opacity * eased } : between(source, tile, eased)
  })
  const stays = new Set(before)
  const gone = from.filter((tile) => !stays.has(tile))
  return [...gone.map((tile) => ({ ...tile, opacity: tile.opacity * (1 - eased) })), ...moved]
}

/** For each tile of `to`, where it comes from: the same track, else the same person's camera or screen. */
function matches(from: readonly Tile[], to: readonly Tile[]): (Tile | undefined)[] {
  const left = new Set(from)
  const take = (found: Tile | undefined): Tile | undefined => {
    if (found !== undefined) left.delete(found)
    return found
  }
  const same = (a: Tile, b: Tile): boolean => a.participantId === b.participantId && a.kind === b.kind
  const byTrack = to.map((tile) => take([...left].find((other) => same(other, tile) && other.trackId === tile.trackId)))
  return to.map((tile, index) => byTrack[index] ?? take([...left].find((other) => same(other, tile))))
}

function between(from: Tile, to: Tile, eased: number): Tile {
  const rectangle = rectangleBetween(from.rectangle, to.rectangle, eased)
  const cornerRadius = Math.round(mix(from.cornerRadius, to.cornerRadius, eased))
  return {
    ...to,
    rectangle,
    opacity: mix(from.opacity, to.opacity, eased),
    cornerRadius: Math.min(cornerRadius, rectangle.width / 2, rectangle.height / 2),
  }
}

/** The size goes by itself and not from edge to edge: what only moves keeps its size, and needs no other scaler. */
function rectangleBetween(from: Rectangle, to: Rectangle, eased: number): Rectangle {
  const width = Math.max(2, nearestEven(mix(from.width, to.width, eased)))
  const height = Math.max(2, nearestEven(mix(from.height, to.height, eased)))
  const right = Math.max(from.x + from.width, to.x + to.width)
  const bottom = Math.max(from.y + from.height, to.y + to.height)
  return {
    x: Math.min(nearestEven(mix(from.x, to.x, eased)), right - width),
    y: Math.min(nearestEven(mix(from.y, to.y, eased)), bottom - height),
    width,
    height,
  }
}

const mix = (from: number, to: number, share: number): number => from + (to - from) * share

/** Cubic, slow at both ends. */
function ease(progress: number): number {
  return progress < 0.5 ? 4 * progress ** 3 : 1 - 4 * (1 - progress) ** 3
}
