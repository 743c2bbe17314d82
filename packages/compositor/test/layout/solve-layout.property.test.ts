import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Layout } from '../../src/layout/layout.js'
import type { Scene } from '../../src/layout/scene.js'
import { LayoutSolver, solveLayout } from '../../src/layout/solve-layout.js'
import type { Tile } from '../../src/layout/tile.js'
import { interpolateTiles } from '../../src/layout/transition.js'
import { anyCanvas, anyLayout, anyScene } from './layout-arbitrary.js'

/** Whole stories: each run is several scenes. */
const HALF = { numRuns: Math.ceil((fc.readConfigureGlobal().numRuns ?? 1000) / 2) }

type Size = { readonly width: number; readonly height: number }

/** One expectation for all: there are hundreds of thousands of tiles here. */
function checkTiles(tiles: readonly Tile[], canvas: Size): void {
  expect(tiles.filter((tile) => !isPossible(tile, canvas))).toEqual([])
}

function isPossible({ rectangle, opacity, z, cornerRadius, border, ring }: Tile, canvas: Size): boolean {
  const { x, y, width, height } = rectangle
  return (
    [x, y, width, height].every((side) => side % 2 === 0) &&
    x >= 0 &&
    y >= 0 &&
    width >= 2 &&
    height >= 2 &&
    x + width <= canvas.width &&
    y + height <= canvas.height &&
    opacity >= 0 &&
    opacity <= 1 &&
    Number.isInteger(z) &&
    Number.isInteger(cornerRadius) &&
    cornerRadius >= 0 &&
    cornerRadius <= Math.min(width, height) / 2 &&
    [border, ring].every((line) => line === undefined || (Number.isInteger(line.width) && line.width >= 1))
  )
}

function checkApart(tiles: readonly Tile[]): void {
  const both = tiles.flatMap(({ rectangle: a }, index) =>
    tiles
      .slice(0, index)
      .map(({ rectangle: b }) => [a, b] as const)
      .filter(([a, b]) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height),
  )
  expect(both).toEqual([])
}

/** Nobody twice: a source of the scene has at most one tile. */
function checkOnce(tiles: readonly Tile[], scene: Scene): void {
  const nameOf = ({ participantId, kind, trackId }: Pick<Tile, 'participantId' | 'kind' | 'trackId'>): string =>
    JSON.stringify([participantId, kind, trackId])
  const there = new Set(scene.sources.map(nameOf))
  const shown = tiles.map(nameOf)
  expect(shown.filter((name) => !there.has(name))).toEqual([])
  expect(new Set(shown).size).toBe(shown.length)
}

const overlaps = (layout: Layout): boolean => layout.type === 'pip' || layout.type === 'custom'

function showable(scene: Scene, layout: Layout): number {
  const seen = new Set(scene.sources.filter((s) => s.kind === 'camera' || s.hasPicture).map((s) => s.participantId))
  return scene.sources.filter((source) => {
    if (source.hasPicture) return true
    if (layout.showOff === false) return false
    if (source.kind === 'camera') return true
    const first = !seen.has(source.participantId)
    seen.add(source.participantId)
    return first
  }).length
}

describe('solveLayout', () => {
  it('places even tiles within the canvas, apart from each other, each source once', () => {
    fc.assert(
      fc.property(anyLayout, anyScene, anyCanvas, (layout, scene, canvas) => {
        const tiles = solveLayout(layout, scene, canvas)
        checkTiles(tiles, canvas)
        checkOnce(tiles, scene)
        if (!overlaps(layout)) checkApart(tiles)
        expect(tiles.length).toBeLessThanOrEqual(layout.maxTiles ?? 49)
      }),
    )
  })

  it('shows as many as there are and may be', () => {
    fc.assert(
      fc.property(anyLayout, anyScene, anyCanvas, (layout, scene, canvas) => {
        const count = solveLayout(layout, scene, canvas).length
        const there = Math.min(showable(scene, layout), layout.maxTiles ?? 49)
        if (layout.type === 'grid') expect(count).toBe(there)
        if (layout.type === 'spotlight')
          expect(count).toBeLessThanOrEqual(Math.min(there, 1 + (layout.strip?.max ?? 5)))
        if (layout.type === 'spotlight') expect(count).toBeGreaterThanOrEqual(Math.min(there, 2))
        if (layout.type === 'single' && layout.participant === undefined) expect(count).toBe(Math.min(there, 1))
        if (layout.type === 'pip') expect(count).toBe(Math.min(there, 1 + (layout.maxSmall ?? 1)))
        if (layout.type === 'side-by-side' && layout.participants === undefined) {
          expect(count).toBe(Math.min(there, layout.max ?? 2))
        }
      }),
    )
  })
})

describe('custom', () => {
  const region = fc.record(
    {
      maxParticipants: fc.integer({ min: 1, max: 10 }),
      maxColumns: fc.integer({ min: 1, max: 5 }),
      reuse: fc.constantFrom('next' as const, 'shift' as const),
      order: fc.constantFrom('join' as const, 'newest' as const, 'listed' as const, 'active-speaker' as const),
      participants: fc.constantFrom(
        ['*'],
        ['*', 'active-speaker'],
        ['p5', '*'],
        ['screen', '*'],
        ['active-speaker', '*'],
      ),
    },
    { requiredKeys: ['maxParticipants'] },
  )

  it('leaves nobody out while there is a place for them, however people come and go', () => {
    const regions = fc.array(region, { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(regions, fc.array(anyScene, { minLength: 1, maxLength: 4 }), (regions, scenes) => {
        const layout: Layout = {
          type: 'custom',
          regions: regions.map((region) => ({ x: 0, y: 0, width: 1, height: 1, ...region })),
        }
        const places = regions.reduce((sum, { maxParticipants }) => sum + maxParticipants, 0)
        const solver = new LayoutSolver(layout, { width: 1280, height: 720 })
        for (const scene of scenes) {
          const cameras = scene.sources.filter(({ kind }) => kind === 'camera')
          const people = { sources: cameras, activeSpeaker: scene.activeSpeaker }
          expect(solver.solve(people)).toHaveLength(Math.min(cameras.length, places))
        }
      }),
      HALF,
    )
  })
})

describe('LayoutSolver', () => {
  const story = fc.array(anyScene, { minLength: 2, maxLength: 5 })

  it('gives the same tiles for the same scenes, keeps to all rules over time, and repeats itself', () => {
    fc.assert(
      fc.property(anyLayout, story, anyCanvas, (layout, scenes, canvas) => {
        const solver = new LayoutSolver(layout, canvas)
        const other = new LayoutSolver(layout, canvas)
        for (const scene of scenes) {
          const tiles = solver.solve(scene)
          checkTiles(tiles, canvas)
          checkOnce(tiles, scene)
          if (!overlaps(layout)) checkApart(tiles)
          expect(other.solve(scene)).toEqual(tiles)
          expect(solver.solve(scene)).toEqual(tiles)
        }
      }),
      HALF,
    )
  })

  it('does not move a grid when somebody speaks, mutes, or turns the camera off', () => {
    fc.assert(
      fc.property(anyScene, anyScene, anyCanvas, (scene, other, canvas) => {
        const few = scene.sources.filter(({ kind }) => kind === 'camera').slice(0, 49)
        const solver = new LayoutSolver({ type: 'grid' }, canvas)
        const before = solver.solve({ sources: few, activeSpeaker: scene.activeSpeaker })
        const changed = few.map((source, index) => ({
          ...source,
          muted: !source.muted,
          speaking: !source.speaking,
          hasPicture: index % 2 === 0,
          trackId: index % 3 === 0 ? undefined : `new ${source.participantId}`,
        }))
        const after = solver.solve({ sources: changed, activeSpeaker: other.activeSpeaker })
        expect(after.map(({ rectangle, participantId }) => [participantId, rectangle])).toEqual(
          before.map(({ rectangle, participantId }) => [participantId, rectangle]),
        )
      }),
    )
  })
})

describe('interpolateTiles', () => {
  it('stays even and within the canvas, starts at one end and comes to the other', () => {
    fc.assert(
      fc.property(
        fc.tuple(anyLayout, anyScene),
        fc.tuple(anyLayout, anyScene),
        anyCanvas,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (one, another, canvas, progress) => {
          const from = solveLayout(...one, canvas)
          const to = solveLayout(...another, canvas)
          expect(interpolateTiles(from, to, 0)).toEqual(from)
          expect(interpolateTiles(from, to, 1)).toEqual(to)
          const between = interpolateTiles(from, to, progress)
          checkTiles(between, canvas)
          const stay = from.length + to.length - between.length
          if (progress > 0 && progress < 1) expect(stay).toBeGreaterThanOrEqual(0)
        },
      ),
    )
  })
})
