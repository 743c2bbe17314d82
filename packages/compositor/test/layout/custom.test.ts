import { describe, expect, it } from 'vitest'
import type { Region, Selector } from '../../src/layout/layout.js'
import { parseLayout } from '../../src/layout/parse-layout.js'
import { LayoutSolver } from '../../src/layout/solve-layout.js'
import { room, where, who } from './room.js'

const hd = { width: 1280, height: 720 }
type Rest = Partial<Region>

/** Regions in a row. */
function solver(...regions: readonly Rest[]): LayoutSolver {
  const width = 1 / regions.length
  const all = regions.map((region, index) => ({ x: index * width, y: 0, width, height: 1, ...region }))
  return new LayoutSolver(parseLayout({ type: 'custom', gap: 0, regions: all }), hd)
}
const one = (rest: Rest = {}): Rest => ({ maxParticipants: 1, ...rest })

/** Who is in which half of the canvas: `p1+p2 | p3`. */
function halves(layout: LayoutSolver, ...scene: Parameters<typeof room>): string {
  const tiles = layout.solve(room(...scene))
  const half = (left: boolean) => who(tiles.filter(({ rectangle }) => rectangle.x < 640 === left)).join('+')
  return `${half(true)} | ${half(false)}`
}

describe('a region', () => {
  it('shows everybody in cells that fill it', () => {
    expect(solver({}).solve(room(4)).map(where)).toEqual([
      '640x360+0+0',
      '640x360+640+0',
      '640x360+0+360',
      '640x360+640+360',
    ])
  })

  it('lies at pixels, or shares, and is cut off at the edge', () => {
    const tiles = solver(
      one({ x: '99px', y: 0.25, width: '50px', height: 0.25 }),
      one({ x: '1200px', y: '700px', width: '500px', height: '500px' }),
    ).solve(room(2))
    expect(tiles.map(where)).toEqual(['50x180+100+180', '80x20+1200+700'])
  })

  it('has no gap to the next where they touch', () => {
    const tiles = solver(one(), one(), one()).solve(room(3))
    expect(tiles.map(where)).toEqual(['426x720+0+0', '428x720+426+0', '426x720+854+0'])
  })

  it('has at most so many columns and rows, and may leave cells empty', () => {
    const cells = (rest: Rest, count: number) => solver(rest).solve(room(count)).map(where)
    expect(cells({ maxRows: 1 }, 2)).toEqual(['640x720+0+0', '640x720+640+0'])
    expect(cells({ maxColumns: 2, maxRows: 1 }, 5)).toHaveLength(2)
    expect(cells({ maxColumns: 2, maxRows: 2, skipCells: [0, 3] }, 5)).toEqual(['640x360+640+0', '640x360+0+360'])
  })

  it('leaves those for whom it has no cell to others', () => {
    expect(halves(solver({ maxColumns: 2, maxRows: 1, skipCells: [0] }, {}), 3)).toBe('p1 | p2+p3')
  })

  it('has a style and a place in the pile of its own', () => {
    const tiles = solver({}, { participants: ['screen'], z: 5, tile: { fit: 'cover', label: false } }).solve(
      room(1, { screens: ['p1'] }),
    )
    expect(tiles).toMatchObject([
      { z: 0, label: 'Name of p1' },
      { z: 5, label: undefined, fit: 'cover' },
    ])
  })
})

describe('selectors', () => {
  it.each<[string, Selector[], Rest['exclude'], string]>([
    ['everybody', ['*'], undefined, 'anna+annika+bert+screen'],
    ['a pattern', ['ann*'], undefined, 'anna+annika'],
    ['a pattern with a hole', ['a*n*a'], undefined, 'anna+annika'],
    ['the end of a name', ['*ka'], undefined, 'annika'],
    ['parts that would overlap', ['anna*a'], undefined, ''],
    ['all but some', ['*'], ['ann*', { participant: 'screen' }], 'bert'],
    ['a screen', ['screen'], undefined, 'bert/screen'],
    ['somebody who is called like that', [{ participant: 'screen' }], undefined, 'screen'],
    ['the screen of one', [{ participant: 'bert', kind: 'screen' }], undefined, 'bert/screen'],
    ['the screen of another', [{ participant: 'anna', kind: 'screen' }], undefined, ''],
    ['the active speaker', ['active-speaker'], undefined, 'annika'],
    ['some, in that order', ['bert', 'anna'], undefined, 'bert+anna'],
    ['one, then all', ['screen', 'bert', '*'], undefined, 'bert/screen+bert+anna+annika+screen'],
    ['somebody who is not there', ['nobody'], undefined, ''],
  ])('mean %s', (_, participants, exclude, expected) => {
    const scene = room(['anna', 'annika', 'bert', 'screen'], { screens: ['bert'], speaker: 'annika' })
    const tiles = solver({ participants, ...(exclude === undefined ? {} : { exclude }) }).solve(scene)
    expect(who(tiles).join('+')).toBe(expected)
  })

  it('name somebody for one region, whatever the others say', () => {
    expect(halves(solver({}, { participants: ['p1'] }), 3)).toBe('p2+p3 | p1')
    expect(halves(solver({ participants: ['p2', '*'] }, { participants: ['p1'] }), 3)).toBe('p2+p3 | p1')
  })

  it('let the active speaker change places with who spoke before', () => {
    const layout = solver({ participants: ['*'] }, one({ participants: ['active-speaker'] }))
    expect(halves(layout, 4, { speaker: 'p2' })).toBe('p1+p3+p4 | p2')
    expect(halves(layout, 4, { speaker: 'p3' })).toBe('p1+p2+p4 | p3')
    expect(halves(layout, 4)).toBe('p1+p2+p4 | p3')
    expect(halves(layout, ['p1', 'p2', 'p4'])).toBe('p2+p4 | p1')
  })
})

describe('order', () => {
  it('join: who came first stays', () => {
    const layout = solver(one({ order: 'join' }), one({ participants: ['x'] }))
    expect(halves(layout, 3)).toBe('p1 | ')
    expect(halves(layout, 4, { speaker: 'p4' })).toBe('p1 | ')
  })

  it('newest: who comes takes the place of who has been there the longest', () => {
    const layout = solver({ order: 'newest', maxParticipants: 2 }, one({ participants: ['x'] }))
    expect(halves(layout, 2)).toBe('p1+p2 | ')
    expect(halves(layout, 3)).toBe('p3+p2 | ')
    expect(halves(layout, 4)).toBe('p3+p4 | ')
    expect(halves(layout, 3)).toBe('p3+p2 | ')
  })

  it('listed: whom an earlier selector means takes the place of others, and gives it back', () => {
    const layout = solver(one({ participants: ['screen', 'active-speaker'], order: 'listed' }), {})
    expect(halves(layout, 3, { speaker: 'p2' })).toBe('p2 | p1+p3')
    expect(halves(layout, 3, { speaker: 'p2', screens: ['p1'] })).toBe('p1/screen | p1+p3+p2')
    expect(halves(layout, 3, { speaker: 'p3', screens: ['p1', 'p2'] })).toBe('p1/screen | p1+p3+p2')
    expect(halves(layout, 3, { speaker: 'p3' })).toBe('p3 | p1+p2')
  })

  it('active-speaker: who speaks takes the place of whose last word is the longest ago', () => {
    const layout = solver({ order: 'active-speaker', maxParticipants: 2 }, one({ participants: ['x'] }))
    expect(halves(layout, 4)).toBe('p1+p2 | ')
    expect(halves(layout, 4, { speaker: 'p1' })).toBe('p1+p2 | ')
    expect(halves(layout, 4, { speaker: 'p4' })).toBe('p1+p4 | ')
    expect(halves(layout, 4, { speaker: 'p3' })).toBe('p3+p4 | ')
  })
})

it('gives a free place to who loses one in a region that chooses later', () => {
  const layout = solver(one({ order: 'active-speaker' }), {
    participants: ['x', '*'],
    exclude: ['p4'],
    maxParticipants: 2,
  })
  expect(halves(layout, 3)).toBe('p3 | p1+p2')
  expect(halves(layout, ['p2', 'p3', 'p4'], { speaker: 'p4' })).toBe('p4 | p3+p2')
})

describe('reuse', () => {
  it('next: the next who waits, or the next who comes', () => {
    const layout = solver(one({ reuse: 'next' }), one({ reuse: 'next' }))
    expect(halves(layout, 3)).toBe('p1 | p2')
    expect(halves(layout, ['p2', 'p3'])).toBe('p3 | p2')
    expect(halves(layout, ['p2'])).toBe(' | p2')
    expect(halves(layout, ['p2', 'p5'])).toBe('p5 | p2')
  })

  it('keep-empty: only the one who left', () => {
    const layout = solver({ reuse: 'keep-empty', maxParticipants: 2, maxRows: 1 })
    const shown = (ids: string[]) => layout.solve(room(ids)).map((tile) => `${tile.participantId} ${where(tile)}`)
    shown(['p1', 'p2', 'p3'])
    expect(shown(['p2', 'p3'])).toEqual(['p2 640x720+640+0'])
    expect(shown(['p2', 'p3', 'p1'])).toEqual(['p1 640x720+0+0', 'p2 640x720+640+0'])
  })

  it('keep-empty does not keep the place of who speaks', () => {
    const layout = solver(one({ participants: ['active-speaker'], reuse: 'keep-empty' }), one({ participants: ['x'] }))
    expect(halves(layout, 2, { speaker: 'p1' })).toBe('p1 | ')
    expect(halves(layout, 2, { speaker: 'p2' })).toBe('p2 | ')
  })

  it('shift: all behind move up, from later regions too', () => {
    const layout = solver(one({ reuse: 'shift' }), { reuse: 'shift', maxParticipants: 3 })
    expect(halves(layout, 4)).toBe('p1 | p2+p3+p4')
    expect(halves(layout, ['p2', 'p3', 'p4'])).toBe('p2 | p3+p4')
    expect(halves(layout, ['p2', 'p4'])).toBe('p2 | p4')
    expect(halves(layout, ['p2', 'p4', 'p5'])).toBe('p2 | p4+p5')
    // Who comes at the moment at which somebody leaves saves the others from moving.
    expect(halves(layout, ['p2', 'p5', 'p6'])).toBe('p2 | p6+p5')
  })

  it('holds a place of the row while nobody has it', () => {
    const layout = solver({ reuse: 'next', maxRows: 1 })
    layout.solve(room(3))
    expect(layout.solve(room(['p1', 'p3'])).map(where)).toEqual(['426x720+0+0', '426x720+852+0'])
  })
})
