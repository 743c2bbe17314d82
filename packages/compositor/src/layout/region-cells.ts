import { resolveAspect, type Space } from './arrangement.js'
import { bestFit, cellCapacity } from './best-fit.js'
import { nearestEven } from './canvas-length.js'
import type { Region } from './layout.js'
import type { Rectangle } from './rectangle.js'
import type { Shown } from './view.js'

/** Where the places of a region lie on a canvas. */
export class RegionCells {
  /** How many places there are. */
  readonly capacity: number
  readonly #region: Region
  readonly #gap: number
  readonly #area: Rectangle
  readonly #grid: number | undefined
  readonly #skipped: ReadonlySet<number>

  constructor(region: Region, space: Space) {
    this.#region = region
    this.#gap = space.gap
    this.#area = regionArea(region, space)
    this.#skipped = new Set(region.skipCells)
    const cells = cellCapacity(this.#area, this.#rules('fill'))
    const skipped = [...this.#skipped].filter((cell) => cell < cells).length
    // What is skipped must be somewhere: such a grid does not grow with who is there.
    this.#grid = skipped > 0 && region.maxColumns !== undefined && region.maxRows !== undefined ? cells : undefined
    this.capacity = Math.min(region.maxParticipants ?? space.maxTiles, space.maxTiles, cells - skipped)
  }

  /** One rectangle for each place; the places' number decides how they are arranged. */
  rectangles(shown: readonly (Shown | undefined)[]): Rectangle[] {
    const cells: number[] = []
    for (let cell = 0; cells.length < shown.length; cell++) if (!this.#skipped.has(cell)) cells.push(cell)
    const aspect = resolveAspect(this.#region.tileAspect ?? 'fill', shown)
    const all = bestFit(this.#area, this.#grid ?? (cells.at(-1) ?? -1) + 1, this.#rules(aspect))
    return cells.flatMap((cell) => all[cell] ?? [])
  }

  #rules(aspect: number | 'fill'): Parameters<typeof cellCapacity>[1] {
    const { maxColumns = Number.POSITIVE_INFINITY, maxRows = Number.POSITIVE_INFINITY } = this.#region
    return { gap: this.#gap, aspect, maxColumns, maxRows }
  }
}

/** Each edge is rounded by itself, so that regions that touch each other still do. What lies outside is cut off. */
function regionArea(region: Region, { canvas, lengths }: Space): Rectangle {
  const [x, width] = edge(lengths.of(region.x, 'width'), lengths.of(region.width, 'width'), canvas.width)
  const [y, height] = edge(lengths.of(region.y, 'height'), lengths.of(region.height, 'height'), canvas.height)
  return { x, y, width, height }
}

function edge(start: number, length: number, limit: number): [number, number] {
  const from = Math.min(limit - 2, nearestEven(start))
  const to = Math.min(limit, Math.max(from + 2, nearestEven(start + length)))
  return [from, to - from]
}
