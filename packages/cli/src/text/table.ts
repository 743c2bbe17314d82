import { displayWidth } from './display-width.js'
import { plainStyle, type Style } from './style.js'

/** One column of a table. */
export interface Column {
  readonly header: string
  /** @defaultValue 'left' */
  readonly align?: 'left' | 'right'
}

/** How a table stands on its page. */
export interface TableOptions {
  readonly style?: Style
  /** Spaces before each line. @defaultValue 2 */
  readonly indent?: number
}

/** A table without lines: aligned columns two spaces apart under faint headers. No line has trailing spaces. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  options: TableOptions = {},
): string {
  const style = options.style ?? plainStyle
  const indent = ' '.repeat(options.indent ?? 2)
  // A column that has nothing to say would only make the others hard to read.
  const used = columns.map((_, index) => rows.some((row) => (row[index] ?? '') !== ''))
  const widths = columns.map(({ header }, index) =>
    Math.max(displayWidth(header), ...rows.map((row) => displayWidth(row[index] ?? ''))),
  )
  const line = (cells: readonly string[]): string => {
    let text = ''
    let owed = indent.length
    for (const [index, column] of columns.entries()) {
      if (used[index] !== true) continue
      const cell = cells[index] ?? ''
      const missing = (widths[index] ?? 0) - displayWidth(cell)
      const before = column.align === 'right' ? missing : 0
      if (cell !== '') {
        text += ' '.repeat(owed + before) + cell
        owed = missing - before + 2
      } else {
        owed += missing + 2
      }
    }
    return `${text}\n`
  }
  return [line(columns.map(({ header }) => (header === '' ? '' : style.dim(header)))), ...rows.map(line)].join('')
}
