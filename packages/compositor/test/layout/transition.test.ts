import { describe, expect, it } from 'vitest'
import { solveLayout } from '../../src/layout/solve-layout.js'
import type { Tile } from '../../src/layout/tile.js'
import { interpolateTiles } from '../../src/layout/transition.js'
import { room, where, who } from './room.js'

const hd = { width: 1280, height: 720 }
const grid = (...scene: Parameters<typeof room>) => solveLayout({ type: 'grid', gap: 0, margin: 0 }, room(...scene), hd)
const steps = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]

describe('interpolateTiles', () => {
  it('moves and resizes who is in both, slowly at both ends', () => {
    const [from, to] = [grid(1), grid(2)]
    const widths = steps.map((step) => interpolateTiles(from, to, step)[0]?.rectangle.width)
    expect(widths).toEqual([1280, 1278, 1260, 1210, 1116, 960, 804, 710, 660, 642, 640])
    expect(interpolateTiles(from, to, 0.5).map(where)).toEqual(['960x540+0+90', '640x360+640+180'])
  })

  it('keeps the size of what only moves', () => {
    const from = grid(3).slice(2)
    const to = grid(4).slice(2, 3)
    expect([where(from[0]), where(to[0])]).toEqual(['640x360+320+360', '640x360+0+360'])
    for (const step of steps) {
      expect(interpolateTiles(from, to, step)).toMatchObject([{ rectangle: { y: 360, width: 640, height: 360 } }])
    }
  })

  it('stays within both where position and size are rounded up', () => {
    const [tile] = grid(1)
    if (tile === undefined) throw new Error('no tile')
    const at = (x: number, width: number): Tile => ({ ...tile, rectangle: { x, y: x, width, height: width } })
    expect(interpolateTiles([at(0, 8)], [at(6, 2)], 0.5).map(where)).toEqual(['6x6+2+2'])
  })

  it('fades who comes in, and who goes out, below the others', () => {
    const tiles = interpolateTiles(grid(['a', 'b']), grid(['b', 'c']), 0.5)
    expect(who(tiles)).toEqual(['a', 'b', 'c'])
    expect(tiles.map(({ opacity }) => opacity)).toEqual([0.5, 1, 0.5])
  })

  it('takes a placeholder and a picture, or two tracks of one camera, for the same', () => {
    const from = grid(1, { off: ['p1'] }).map((tile): Tile => ({ ...tile, trackId: undefined }))
    expect(interpolateTiles(from, grid(2), 0.5)).toMatchObject([
      { participantId: 'p1', trackId: 'p1-camera', placeholder: false, opacity: 1 },
      { participantId: 'p2', opacity: 0.5 },
    ])
  })

  it('does not take a screen for a camera, or one screen for another that stays', () => {
    const [camera, screen] = grid(1, { screens: ['p1'] })
    if (camera === undefined || screen === undefined) throw new Error('no tiles')
    const second: Tile = { ...screen, trackId: 'second' }
    expect(who(interpolateTiles([camera], [screen], 0.5))).toEqual(['p1', 'p1/screen'])
    const tiles = interpolateTiles([screen, second], [second], 0.5)
    expect(tiles.map(({ trackId, opacity }) => [trackId, opacity])).toEqual([
      ['p1-screen', 0.5],
      ['second', 1],
    ])
  })

  it.each([-1, Number.NaN, 0])('is where it began at %d', (progress) => {
    expect(interpolateTiles(grid(1), grid(2), progress)).toEqual(grid(1))
  })

  it('is where it ends beyond 1', () => {
    expect(interpolateTiles(grid(1), grid(2), 1.5)).toEqual(grid(2))
  })
})
