import { evenBelow, nearestEven } from './canvas-length.js'
import type { Rectangle } from './rectangle.js'

/** What cells of a grid may be. */
export interface CellRules {
  /** Even pixels between cells; less where there is little space. */
  readonly gap: number
  /** Width by height; `fill` takes the whole cell. */
  readonly aspect: number | 'fill'
  readonly maxColumns?: number
  readonly maxRows?: number
}

/** The shape that is aimed at where cells may have any. */
const USUAL_ASPECT = 16 / 9

/** Where that makes no more difference, cells stand beside each other in a wide area, and below each other in a high one. */
const TIE = 0.01

/** How many cells of at least 2 x 2 pixels an area can have. */
export function cellCapacity(area: Rectangle, rules: CellRules): number {
  return mostColumns(area, rules) * mostRows(area, rules)
}

/**
 * Even rectangles of equal size that do not overlap, by rows: the number of columns is the one that makes them largest.
 * The last row is centred, and so is the whole. There are as many as asked for, or as many as the area can have.
 */
export function bestFit(area: Rectangle, wanted: number, rules: CellRules): Rectangle[] {
  const count = Math.min(wanted, cellCapacity(area, rules))
  if (count <= 0) return []
  const shape = rules.aspect === 'fill' ? USUAL_ASPECT : rules.aspect
  const rowsAllowed = mostRows(area, rules)
  const better = area.width >= area.height ? 1 - TIE : 1 + TIE
  let columns = 1
  let largest = 0
  for (let tried = 1; tried <= Math.min(count, mostColumns(area, rules)); tried++) {
    const rows = Math.ceil(count / tried)
    if (rows > rowsAllowed) continue
    const gap = gapFor(area, tried, rows, rules.gap)
    const height = (area.height - (rows - 1) * gap) / rows
    const width = Math.min((area.width - (tried - 1) * gap) / tried, height * shape)
    if (largest > 0 && width < largest * better) continue
    largest = Math.max(largest, width)
    columns = tried
  }
  return cells(area, count, columns, rules)
}

function cells(area: Rectangle, count: number, columns: number, rules: CellRules): Rectangle[] {
  const rows = Math.ceil(count / columns)
  const gap = gapFor(area, columns, rows, rules.gap)
  const cell = cellSize(area, columns, rows, gap)
  const { width, height } = rules.aspect === 'fill' ? cell : shaped(cell, rules.aspect)
  const top = area.y + evenBelow((area.height - span(rows, height, gap)) / 2)
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns)
    const inRow = row === rows - 1 ? count - row * columns : columns
    const left = area.x + evenBelow((area.width - span(inRow, width, gap)) / 2)
    return { x: left + (index - row * columns) * (width + gap), y: top + row * (height + gap), width, height }
  })
}

function cellSize(area: Rectangle, columns: number, rows: number, gap: number): { width: number; height: number } {
  return {
    width: evenBelow((area.width - (columns - 1) * gap) / columns),
    height: evenBelow((area.height - (rows - 1) * gap) / rows),
  }
}

function shaped(cell: { width: number; height: number }, aspect: number): { width: number; height: number } {
  return cell.width > cell.height * aspect
    ? { width: Math.min(cell.width, Math.max(2, nearestEven(cell.height * aspect))), height: cell.height }
    : { width: cell.width, height: Math.min(cell.height, Math.max(2, nearestEven(cell.width / aspect))) }
}

/** Never more than half of what a cell has: at least two thirds of a full canvas are pictures in either direction. */
function gapFor(area: Rectangle, columns: number, rows: number, gap: number): number {
  return Math.min(gap, evenBelow(area.width / (3 * columns)), evenBelow(area.height / (3 * rows)))
}

const span = (count: number, size: number, gap: number): number => count * size + (count - 1) * gap
const mostColumns = (area: Rectangle, rules: CellRules): number =>
  Math.min(rules.maxColumns ?? Number.POSITIVE_INFINITY, Math.floor(area.width / 2))
const mostRows = (area: Rectangle, rules: CellRules): number =>
  Math.min(rules.maxRows ?? Number.POSITIVE_INFINITY, Math.floor(area.height / 2))
