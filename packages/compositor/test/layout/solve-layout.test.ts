import { ConfigurationError } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import type { Layout } from '../../src/layout/layout.js'
import { LayoutSolver, layoutBackground, solveLayout } from '../../src/layout/solve-layout.js'
import { room, where, who } from './room.js'

const hd = { width: 1280, height: 720 }
const solve = (layout: Layout, ...scene: Parameters<typeof room>) => solveLayout(layout, room(...scene), hd)
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `p${index + 1}`)

describe('LayoutSolver', () => {
  it.each([
    [{ width: 1281, height: 720 }, 'canvas.width'],
    [{ width: 14, height: 720 }, 'canvas.width'],
    [{ width: 1280, height: 20_000 }, 'canvas.height'],
    [{ width: 1280, height: Number.NaN }, 'canvas.height'],
  ])('refuses a canvas of %j', (canvas, field) => {
    expect(() => new LayoutSolver({ type: 'grid' }, canvas)).toThrow(ConfigurationError)
    expect(() => new LayoutSolver({ type: 'grid' }, canvas)).toThrow(field)
  })

  it.each<Layout>([
    { type: 'grid' },
    { type: 'spotlight', participant: 'nobody' },
    { type: 'presentation' },
    { type: 'single', participant: 'nobody' },
    { type: 'pip', participant: 'nobody' },
    { type: 'side-by-side', participants: ['nobody'] },
    { type: 'custom', regions: [{ x: 0, y: 0, width: 1, height: 1, participants: ['nobody'] }] },
  ])('has nothing to show in an empty room: $type', (layout) => {
    expect(solve(layout, 0)).toEqual([])
  })
})

describe('how a tile looks', () => {
  it('says everything of a camera', () => {
    expect(solve({ type: 'grid' }, 1, { speaker: 'p1', muted: ['p1'] })).toEqual([
      {
        participantId: 'p1',
        trackId: 'p1-camera',
        kind: 'camera',
        rectangle: { x: 14, y: 8, width: 1252, height: 704 },
        z: 0,
        fit: 'cover',
        placeholder: false,
        opacity: 1,
        cornerRadius: 8,
        border: undefined,
        ring: { width: 4, color: '#669df6' },
        background: '#3c4043',
        label: 'Name of p1',
        name: 'Name of p1',
        mutedMark: true,
      },
    ])
  })

  it('says no ring, no mark and no grey of a screen, and shows it whole', () => {
    const [, screen] = solve({ type: 'grid' }, 1, { speaker: 'p1', muted: ['p1'], screens: ['p1'] })
    expect(screen).toMatchObject({ kind: 'screen', fit: 'contain', background: '#202124', mutedMark: false })
    expect(screen?.ring).toBeUndefined()
  })

  it('has no corners and no ring where a tile is the whole picture, unless they are asked for', () => {
    const scene = [1, { speaker: 'p1' }] as const
    expect(solve({ type: 'single' }, ...scene)).toMatchObject([{ cornerRadius: 0, ring: undefined }])
    const style = { cornerRadius: 0.1, ring: { width: '3px', color: '#00ff00' } }
    expect(solve({ type: 'single', tile: style }, ...scene)).toMatchObject([
      { cornerRadius: 72, ring: { width: 3, color: '#00ff00' } },
    ])
  })

  it('has lines of a quarter of a tile at most, and corners of a half', () => {
    const tile = { border: { width: 1, color: '#ffffff' }, cornerRadius: 1 }
    expect(solve({ type: 'pip', size: '64px', tile }, 2)).toMatchObject([
      { border: { width: 180 }, cornerRadius: 360 },
      { rectangle: { width: 64, height: 36 }, border: { width: 9 }, cornerRadius: 18 },
    ])
  })

  it('puts a placeholder where the camera is off, or nobody', () => {
    const off = { off: ['p1'] }
    expect(solve({ type: 'grid' }, 2, off).map((tile) => tile.placeholder)).toEqual([true, false])
    expect(who(solve({ type: 'grid', showOff: false }, 2, off))).toEqual(['p2'])
  })

  it('shows an upright picture whole', () => {
    expect(solve({ type: 'grid' }, 1, { picture: { width: 720, height: 1280 } })[0]?.fit).toBe('contain')
    const cover: Layout = { type: 'grid', tile: { fit: 'cover' } }
    expect(solve(cover, 1, { picture: { width: 720, height: 1280 } })[0]?.fit).toBe('cover')
  })

  it('takes everything from the layout', () => {
    const layout: Layout = {
      type: 'grid',
      background: '#ffffff',
      margin: 0,
      gap: '10px',
      screenFit: 'stretch',
      tile: {
        fit: 'stretch',
        cornerRadius: '4px',
        border: { width: '0.2px', color: '#111111' },
        opacity: 0.5,
        background: '#222222',
        label: false,
        mutedMark: false,
        ring: false,
      },
    }
    const tiles = solve(layout, 1, { speaker: 'p1', muted: ['p1'], screens: ['p1'] })
    expect(tiles.map(where)).toEqual(['634x356+0+182', '634x356+644+182'])
    for (const tile of tiles) {
      expect(tile).toMatchObject({ fit: 'stretch', cornerRadius: 4, border: { width: 1, color: '#111111' } })
      expect(tile).toMatchObject({ opacity: 0.5, background: '#222222', label: undefined, mutedMark: false })
      expect(tile.ring).toBeUndefined()
    }
    expect(layoutBackground(layout)).toBe('#ffffff')
    expect(layoutBackground({ type: 'grid' })).toBe('#202124')
  })

  it('grows with the canvas, pixels only where they are counted on another one', () => {
    const uhd = { width: 3840, height: 2160 }
    const gap = (layout: Layout) => {
      const [a, b] = solveLayout(layout, room(2), uhd)
      return (b?.rectangle.x ?? 0) - (a?.rectangle.x ?? 0) - (a?.rectangle.width ?? 0)
    }
    expect(gap({ type: 'grid', gap: 0.01 })).toBe(22)
    expect(gap({ type: 'grid', gap: '10px' })).toBe(10)
    expect(gap({ type: 'grid', gap: '10px', canvas: hd })).toBe(30)
  })
})

describe('grid', () => {
  it('shows people in the order of joining, and screens behind them', () => {
    expect(who(solve({ type: 'grid' }, 3, { screens: ['p1'] }))).toEqual(['p1', 'p2', 'p3', 'p1/screen'])
  })

  it('moves nobody to another place when somebody joins, shares or speaks', () => {
    const solver = new LayoutSolver({ type: 'grid' }, hd)
    expect(who(solver.solve(room(2)))).toEqual(['p1', 'p2'])
    expect(who(solver.solve(room(2, { screens: ['p1'] })))).toEqual(['p1', 'p2', 'p1/screen'])
    expect(who(solver.solve(room(3, { screens: ['p1'], speaker: 'p3' })))).toEqual(['p1', 'p2', 'p1/screen', 'p3'])
  })

  it('gives the place of who leaves to those behind', () => {
    const solver = new LayoutSolver({ type: 'grid' }, hd)
    solver.solve(room(4))
    expect(who(solver.solve(room(['p1', 'p3', 'p4'])))).toEqual(['p1', 'p3', 'p4'])
    expect(who(solver.solve(room(['p1', 'p3', 'p4', 'p2'])))).toEqual(['p1', 'p3', 'p4', 'p2'])
  })

  it('shows who came first, screens and the active speaker when there are too many', () => {
    const layout: Layout = { type: 'grid', maxTiles: 4 }
    expect(who(solve(layout, 9))).toEqual(['p1', 'p2', 'p3', 'p4'])
    expect(who(solve(layout, 9, { speaker: 'p7', screens: ['p9'] }))).toEqual(['p1', 'p2', 'p7', 'p9/screen'])
  })

  it('lets the speaker in at one place, and leaves all others alone', () => {
    const solver = new LayoutSolver({ type: 'grid', maxTiles: 4 }, hd)
    solver.solve(room(9))
    expect(who(solver.solve(room(9, { speaker: 'p7' })))).toEqual(['p1', 'p2', 'p3', 'p7'])
    expect(who(solver.solve(room(9, { speaker: 'p2' })))).toEqual(['p1', 'p2', 'p3', 'p7'])
    expect(who(solver.solve(room(9, { speaker: 'p8' })))).toEqual(['p1', 'p2', 'p3', 'p8'])
  })

  it('shows 49', () => {
    expect(solve({ type: 'grid' }, 60)).toHaveLength(49)
  })

  it('takes the shape of the sources, or any', () => {
    const phones = { picture: { width: 720, height: 1280 } }
    expect(solve({ type: 'grid', tileAspect: 'sources', margin: 0, gap: 0 }, 3, phones).map(where)).toEqual([
      '406x720+30+0',
      '406x720+436+0',
      '406x720+842+0',
    ])
    expect(solve({ type: 'grid', tileAspect: 'fill', margin: 0, gap: 0 }, 2).map(where)).toEqual([
      '640x720+0+0',
      '640x720+640+0',
    ])
  })
})

describe('spotlight', () => {
  const plain: Layout = { type: 'spotlight', margin: 0, gap: 0 }

  it('has one large, and the others in a strip at the right', () => {
    expect(solve(plain, 1).map(where)).toEqual(['1280x720+0+0'])
    expect(solve(plain, 3, { speaker: 'p2' }).map(where)).toEqual([
      '1024x720+0+0',
      '256x144+1024+216',
      '256x144+1024+360',
    ])
    expect(who(solve(plain, 3, { speaker: 'p2' }))).toEqual(['p2', 'p1', 'p3'])
  })

  it.each([
    ['left', '1024x720+256+0', '256x144+0+288'],
    ['top', '1280x576+0+144', '256x144+512+0'],
    ['bottom', '1280x576+0+0', '256x144+512+576'],
  ] as const)('has the strip %s', (side, large, small) => {
    expect(solve({ ...plain, strip: { side } }, 2).map(where)).toEqual([large, small])
  })

  it('has it below on an upright canvas', () => {
    const tiles = solveLayout(plain, room(2), { width: 720, height: 1280 })
    expect(tiles.map(where)).toEqual(['720x1024+0+0', '456x256+132+1024'])
  })

  it('lets who becomes large change places with who was', () => {
    const solver = new LayoutSolver(plain, hd)
    expect(who(solver.solve(room(4)))).toEqual(['p1', 'p2', 'p3', 'p4'])
    expect(who(solver.solve(room(4, { speaker: 'p3' })))).toEqual(['p3', 'p2', 'p1', 'p4'])
    expect(who(solver.solve(room(4)))).toEqual(['p3', 'p2', 'p1', 'p4'])
    expect(who(solver.solve(room(['p1', 'p2', 'p4'])))).toEqual(['p1', 'p2', 'p4'])
  })

  it('keeps the named one large while there', () => {
    const layout: Layout = { ...plain, participant: 'p2' }
    expect(who(solve(layout, 3, { speaker: 'p3' }))).toEqual(['p2', 'p1', 'p3'])
    expect(who(solve(layout, ['p1', 'p3'], { speaker: 'p3' }))).toEqual(['p3', 'p1'])
  })

  it('shows in a full strip who spoke last, and moves nobody else', () => {
    const solver = new LayoutSolver({ ...plain, participant: 'p1', strip: { max: 2 } }, hd)
    expect(who(solver.solve(room(6)))).toEqual(['p1', 'p2', 'p3'])
    expect(who(solver.solve(room(6, { speaker: 'p2' })))).toEqual(['p1', 'p2', 'p3'])
    expect(who(solver.solve(room(6, { speaker: 'p5' })))).toEqual(['p1', 'p2', 'p5'])
    expect(who(solver.solve(room(6, { speaker: 'p1' })))).toEqual(['p1', 'p2', 'p5'])
    expect(who(solver.solve(room(6, { speaker: 'p6' })))).toEqual(['p1', 'p6', 'p5'])
    expect(who(solver.solve(room(6, { speaker: 'p5' })))).toEqual(['p1', 'p6', 'p5'])
  })
})

describe('presentation', () => {
  const plain: Layout = { type: 'presentation', margin: 0, gap: 0 }

  it('has the screen large, and people in a strip', () => {
    const tiles = solve(plain, 2, { screens: ['p2'] })
    expect(who(tiles)).toEqual(['p2/screen', 'p1', 'p2'])
    expect(tiles.map(where)).toEqual(['1024x720+0+0', '256x144+1024+216', '256x144+1024+360'])
  })

  it('gives the whole canvas to a screen when there is nobody else', () => {
    expect(solve({ ...plain, showOff: false }, 1, { screens: ['p1'], off: ['p1'] }).map(where)).toEqual([
      '1280x720+0+0',
    ])
  })

  it('is a grid, or a spotlight, while nobody shares', () => {
    expect(solve(plain, 2).map(where)).toEqual(['640x360+0+180', '640x360+640+180'])
    expect(solve({ ...plain, withoutScreen: 'spotlight' }, 2).map(where)).toEqual(['1024x720+0+0', '256x144+1024+288'])
  })

  it('splits the space between several screens, in the order in which they began', () => {
    const solver = new LayoutSolver(plain, hd)
    solver.solve(room(3, { screens: ['p3'] }))
    const tiles = solver.solve(room(3, { screens: ['p1', 'p3'] }))
    expect(who(tiles)).toEqual(['p3/screen', 'p1/screen', 'p1', 'p2', 'p3'])
    expect(tiles.slice(0, 2).map(where)).toEqual(['1024x360+0+0', '1024x360+0+360'])
  })

  it('shows the newest alone on demand, and the older in the strip', () => {
    const solver = new LayoutSolver({ ...plain, screens: 'newest' }, hd)
    solver.solve(room(2, { screens: ['p2'] }))
    expect(who(solver.solve(room(2, { screens: ['p1', 'p2'] })))).toEqual(['p1/screen', 'p1', 'p2', 'p2/screen'])
    expect(who(solver.solve(room(2, { screens: ['p2'] })))).toEqual(['p2/screen', 'p1', 'p2'])
  })

  it('splits between the newest few', () => {
    const scene = room(6, { screens: numbered(6) })
    expect(who(solveLayout({ ...plain, maxScreens: 2 }, scene, hd)).slice(0, 2)).toEqual(['p5/screen', 'p6/screen'])
  })
})

describe('single', () => {
  it('shows the active speaker, stays there, and else shows who came first', () => {
    const solver = new LayoutSolver({ type: 'single' }, hd)
    expect(who(solver.solve(room(3)))).toEqual(['p1'])
    expect(who(solver.solve(room(3, { speaker: 'p2' })))).toEqual(['p2'])
    expect(who(solver.solve(room(3)))).toEqual(['p2'])
    expect(who(solver.solve(room(['p1', 'p3'])))).toEqual(['p1'])
  })

  it('shows nobody but the one who is named', () => {
    const layout: Layout = { type: 'single', participant: 'p2' }
    expect(who(solve(layout, 3, { speaker: 'p1' }))).toEqual(['p2'])
    expect(who(solve(layout, 1))).toEqual([])
  })

  it('shows a screen first on demand', () => {
    expect(who(solve({ type: 'single' }, 2, { screens: ['p2'] }))).toEqual(['p1'])
    expect(who(solve({ type: 'single', screenFirst: true }, 2, { screens: ['p2'] }))).toEqual(['p2/screen'])
    const layout: Layout = { type: 'single', screenFirst: true, participant: 'p1' }
    expect(who(solve(layout, 2, { screens: ['p2'] }))).toEqual(['p1'])
  })
})

describe('pip', () => {
  it('has one on the whole canvas and a small one above', () => {
    const tiles = solve({ type: 'pip' }, 3, { speaker: 'p2' })
    expect(who(tiles)).toEqual(['p2', 'p1'])
    expect(tiles.map(where)).toEqual(['1280x720+0+0', '320x180+938+518'])
    expect(tiles.map(({ z }) => z)).toEqual([0, 1])
  })

  it.each([
    ['top-left', '320x180+22+22', '320x180+22+210'],
    ['bottom-right', '320x180+938+518', '320x180+938+330'],
  ] as const)('places several from the %s', (corner, first, second) => {
    expect(solve({ type: 'pip', corner, maxSmall: 2 }, 3).map(where)).toEqual(['1280x720+0+0', first, second])
  })

  it('has a screen large, and who speaks small', () => {
    expect(who(solve({ type: 'pip' }, 3, { screens: ['p1'], speaker: 'p3' }))).toEqual(['p1/screen', 'p3'])
  })

  it('stays with the first on demand', () => {
    expect(who(solve({ type: 'pip', big: 'first' }, 3, { screens: ['p1'], speaker: 'p3' }))).toEqual(['p1', 'p3'])
  })

  it('lets the two change places', () => {
    const solver = new LayoutSolver({ type: 'pip' }, hd)
    expect(who(solver.solve(room(3)))).toEqual(['p1', 'p2'])
    expect(who(solver.solve(room(3, { speaker: 'p2' })))).toEqual(['p2', 'p1'])
    expect(who(solver.solve(room(3, { speaker: 'p3' })))).toEqual(['p3', 'p1'])
  })
})

describe('side-by-side', () => {
  const plain: Layout = { type: 'side-by-side', margin: 0, gap: 0 }

  it('has two of the same size, or one alone', () => {
    expect(solve(plain, 5).map(where)).toEqual(['640x720+0+0', '640x720+640+0'])
    expect(solve(plain, 1).map(where)).toEqual(['1280x720+0+0'])
    expect(solve({ ...plain, direction: 'column' }, 2).map(where)).toEqual(['1280x360+0+0', '1280x360+0+360'])
    expect(solve({ ...plain, max: 4 }, 5)).toHaveLength(4)
  })

  it('shows a screen', () => {
    expect(who(solve(plain, 3, { screens: ['p3'] }))).toEqual(['p1', 'p3/screen'])
  })

  it('keeps the places of those who are named', () => {
    const layout: Layout = { ...plain, participants: ['p2', 'p1'] }
    expect(who(solve(layout, 3))).toEqual(['p2', 'p1'])
    expect(solve(layout, ['p1']).map(where)).toEqual(['640x720+640+0'])
  })
})
