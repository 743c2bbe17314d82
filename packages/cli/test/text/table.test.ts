import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { displayWidth } from '../../src/text/display-width.js'
import { styleFor } from '../../src/text/style.js'
import { formatTable } from '../../src/text/table.js'

describe('formatTable', () => {
  it('aligns columns, leaves empty ones out and no space at the ends of lines', () => {
    const columns = [
      { header: 'who' },
      { header: 'bytes', align: 'right' },
      { header: 'note' },
      { header: 'what' },
    ] as const
    const rows = [
      ['alice', '12', '', 'a'],
      ['bob', '12345', '', ''],
    ]
    expect(formatTable(columns, rows)).toBe('  who    bytes  what\n  alice     12  a\n  bob    12345\n')
  })

  it('counts cells and not characters: wide letters, joined emoji, colours', () => {
    const { green } = styleFor(true, {})
    const rows = [
      ['李雷', 'x'],
      ['👩‍👩‍👧', 'x'],
      ['e\u0301', 'x'],
      [green('ok'), 'x'],
    ]
    const lines = formatTable([{ header: 'name' }, { header: 'v' }], rows).split('\n')
    expect(lines.slice(1, 5).map((line) => displayWidth(line))).toEqual([9, 9, 9, 9])
  })

  it('gives every line of any table the same columns', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', 'ö', '李', ' b'), minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 6 }), (rows) => {
        const marked = rows.map(([first, second]) => [first, `|${second}`])
        const lines = formatTable([{ header: 'h' }, { header: '|' }], marked)
          .trimEnd()
          .split('\n')
        const positions = new Set(lines.map((line) => displayWidth(line.slice(0, line.indexOf('|')))))
        expect(positions.size).toBe(1)
        for (const line of lines) expect(line).toBe(line.trimEnd())
      }),
    )
  })
})

describe('styleFor', () => {
  it('colours terminals only, and none that asks for none', () => {
    expect(styleFor(true, {}).red('x')).toBe('\u001b[31mx\u001b[39m')
    expect(styleFor(false, {}).red('x')).toBe('x')
    expect(styleFor(true, { NO_COLOR: '1' }).red('x')).toBe('x')
    expect(styleFor(true, { NO_COLOR: '' }).red('x')).not.toBe('x')
    expect(styleFor(true, { TERM: 'dumb' }).red('x')).toBe('x')
  })
})
