import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { layoutSchema } from '../../src/layout/layout-schema.js'
import { parseLayout } from '../../src/layout/parse-layout.js'
import { solveLayout } from '../../src/layout/solve-layout.js'
import { room } from './room.js'

const schemas = new URL('../../schemas/', import.meta.url)
const UPDATE = 'RUSHES_UPDATE_SCHEMA=1 npx vitest run --project compositor layout-schema'

describe('layout.schema.json', () => {
  it('is the schema of the code', () => {
    const file = new URL('layout.schema.json', schemas)
    const text = `${JSON.stringify(layoutSchema, null, 2)}\n`
    if (process.env['RUSHES_UPDATE_SCHEMA'] !== undefined) writeFileSync(file, text)
    expect(JSON.parse(readFileSync(file, 'utf8')), `to write it anew: ${UPDATE}`).toEqual(JSON.parse(text))
  })
})

const examples = readdirSync(new URL('examples/', schemas)).filter((name) => name.endsWith('.json'))

describe.each(examples)('the example %s', (name) => {
  const layout = parseLayout(JSON.parse(readFileSync(new URL(`examples/${name}`, schemas), 'utf8')))

  it.each([1, 2, 5, 17])('shows %i people', (count) => {
    const tiles = solveLayout(layout, room(count), { width: 1280, height: 720 })
    expect(tiles.length).toBeGreaterThan(0)
    expect(new Set(tiles.map((tile) => tile.participantId)).size).toBe(tiles.length)
  })
})

const example = (name: string) =>
  parseLayout(JSON.parse(readFileSync(new URL(`examples/${name}.json`, schemas), 'utf8')))
const hd = { width: 1280, height: 720 }
const places = (name: string, count: number, screens: readonly string[] = []) =>
  solveLayout(example(name), room(count, { screens }), hd).map(
    ({ participantId, kind, rectangle: { x, y, width, height } }) =>
      `${participantId}${kind === 'screen' ? ' screen' : ''} ${width}x${height}+${x}+${y}`,
  )

describe('examples of other products', () => {
  it('has one on the whole canvas and rows of four from the bottom left: floating', () => {
    expect(places('agora-floating', 6)).toEqual([
      'p1 1280x720+0+0',
      'p2 300x170+16+542',
      'p3 302x170+332+542',
      'p4 300x170+650+542',
      'p5 302x170+966+542',
      'p6 300x168+16+364',
    ])
    expect(places('agora-floating', 20)).toHaveLength(17)
  })

  it('fills the canvas with cells: best fit', () => {
    expect(places('agora-best-fit', 4)).toEqual([
      'p1 640x360+0+0',
      'p2 640x360+640+0',
      'p3 640x360+0+360',
      'p4 640x360+640+360',
    ])
  })

  it('keeps the large place of the one who is named, and has one or two columns beside it: vertical', () => {
    const layout = example('agora-vertical')
    const scene = room(['p1', '1001', 'p3'])
    expect(solveLayout(layout, scene, hd).map((tile) => [tile.participantId, tile.rectangle.width])).toEqual([
      ['1001', 960],
      ['p1', 320],
      ['p3', 320],
    ])
  })

  it('has the shared screen below, a row above it, and a place of the teacher', () => {
    const layout = example('twilio-main-with-row')
    const scene = room(['a', 'b', 'teacher', 'recorder-1'], { screens: ['b'] })
    expect(
      solveLayout(layout, scene, hd).map(({ participantId, kind, z, rectangle }) => [
        participantId,
        kind,
        z,
        rectangle,
      ]),
    ).toEqual([
      ['b', 'screen', 1, { x: 0, y: 0, width: 1280, height: 720 }],
      ['a', 'camera', 2, { x: 10, y: 530, width: 252, height: 160 }],
      ['b', 'camera', 2, { x: 262, y: 530, width: 252, height: 160 }],
      ['teacher', 'camera', 3, { x: 1010, y: 530, width: 260, height: 160 }],
    ])
  })

  it('gives a shared screen four fifths of the width and people the column: fishjam', () => {
    expect(places('fishjam', 2, ['p1'])).toEqual([
      'p1 screen 1024x720+0+0',
      'p1 256x144+1024+216',
      'p2 256x144+1024+360',
    ])
    expect(places('fishjam', 2)).toEqual(['p1 640x360+0+180', 'p2 640x360+640+180'])
  })
})
