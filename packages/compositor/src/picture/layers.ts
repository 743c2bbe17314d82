import type { Rectangle } from '../layout/rectangle.js'
import type { Tile } from '../layout/tile.js'

/** Two rectangles share a pixel. */
export function overlaps(a: Rectangle, b: Rectangle): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

/**
 * Puts what overlaps, directly or by way of others, into groups: to paint one of a group anew all of it must be, and
 * nothing else. Returns the group of each rectangle, counted from 0.
 */
export function overlapGroups(rectangles: readonly Rectangle[]): number[] {
  const groups = rectangles.map((_, index) => index)
  for (const [index, rectangle] of rectangles.entries()) {
    for (let other = 0; other < index; other++) {
      const before = rectangles[other]
      if (before === undefined || groups[other] === groups[index] || !overlaps(rectangle, before)) continue
      const [from, to] = [groups[index], groups[other]]
      for (const [at, group] of groups.entries()) if (group === from) groups[at] = to ?? 0
    }
  }
  const numbers = [...new Set(groups)]
  return groups.map((group) => numbers.indexOf(group))
}

/** Both tiles take the same place, so that what lies beneath and beside them stays. */
export function isSamePlace(a: Tile, b: Tile): boolean {
  const [one, other] = [a.rectangle, b.rectangle]
  return (
    one.x === other.x &&
    one.y === other.y &&
    one.width === other.width &&
    one.height === other.height &&
    a.z === b.z &&
    a.cornerRadius === b.cornerRadius &&
    a.opacity === b.opacity
  )
}

/** Apart from their pictures both tiles look the same. */
export function isSameLook(a: Tile, b: Tile): boolean {
  return (
    a.participantId === b.participantId &&
    a.trackId === b.trackId &&
    a.kind === b.kind &&
    a.fit === b.fit &&
    a.placeholder === b.placeholder &&
    a.background === b.background &&
    a.label === b.label &&
    a.name === b.name &&
    a.mutedMark === b.mutedMark &&
    a.border?.width === b.border?.width &&
    a.border?.color === b.border?.color &&
    a.ring?.width === b.ring?.width &&
    a.ring?.color === b.ring?.color
  )
}
