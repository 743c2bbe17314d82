import { describe, expect, it } from 'vitest'
import { CompositorError } from '../../src/errors.js'
import { LayoutError } from '../../src/layout/layout-error.js'
import { parseLayout } from '../../src/layout/parse-layout.js'

const whole = { x: 0, y: 0, width: 1, height: 1 }
const custom = (region: object) => ({ type: 'custom', regions: [whole, region] })

function errorOf(input: unknown): LayoutError {
  try {
    parseLayout(input)
  } catch (error) {
    if (error instanceof LayoutError) return error
    throw error
  }
  throw new Error('it is a layout')
}

describe('parseLayout', () => {
  it.each(['grid', 'spotlight', 'presentation', 'single', 'pip', 'side-by-side'])('knows %s by its name', (name) => {
    expect(parseLayout(name)).toEqual({ type: name })
  })

  it('returns a copy', () => {
    const input = { type: 'grid', tile: { label: false } }
    const layout = parseLayout(input)
    input.tile.label = true
    expect(layout).toEqual({ type: 'grid', tile: { label: false } })
  })

  it('takes shares that are written rounded', () => {
    const third = { y: 0, width: 0.334, height: 1 }
    const layout = { type: 'custom', regions: [0, 0.334, 0.667].map((x) => ({ x, ...third })) }
    expect(parseLayout(layout)).toEqual(layout)
  })

  it('throws an error with a code, the path and all problems', () => {
    const error = errorOf({ type: 'grid', gap: 1.4, colour: 1, tile: { opacity: 2 } })
    expect(error).toBeInstanceOf(CompositorError)
    expect(error.code).toBe('LAYOUT_INVALID')
    expect(error.path).toBe('colour')
    expect(error.problems.map(({ path }) => path)).toEqual(['colour', 'gap', 'tile.opacity'])
    expect(error.message.split('\n')).toHaveLength(3)
  })

  it('lists so many problems at most', () => {
    const error = errorOf({ type: 'custom', regions: Array.from({ length: 30 }, () => ({ ...whole, z: 0.5 })) })
    expect(error.problems).toHaveLength(30)
    expect(error.message.split('\n')).toHaveLength(21)
    expect(error.message).toMatch(/and 10 more$/)
  })

  it.each<[string, unknown, string]>([
    ['no layout', 7, 'layout: must be an object or one of grid, spotlight, presentation, single, pip, side-by-side'],
    [
      'nothing',
      undefined,
      'layout: must be an object or one of grid, spotlight, presentation, single, pip, side-by-side',
    ],
    ['a list', [], 'layout: must be an object or one of grid, spotlight, presentation, single, pip, side-by-side'],
    ['a name that is nearly one', 'sideBySide', 'layout: no layout is called "sideBySide"; did you mean side-by-side?'],
    [
      'a name of nothing',
      'mosaic',
      'layout: no layout is called "mosaic"; there are grid, spotlight, presentation, single, pip, side-by-side',
    ],
    ['a name that needs more', 'custom', 'layout: a custom layout needs regions: give an object'],
    [
      'no type',
      { gap: 0 },
      'type: is missing, must be one of grid, spotlight, presentation, single, pip, side-by-side, custom',
    ],
    [
      'a misspelt type',
      { type: 'gird', gap: 7 },
      'type: must be one of grid, spotlight, presentation, single, pip, side-by-side, custom, got "gird"; did you mean grid?',
    ],
    [
      'a type of another kind',
      { type: ['grid'] },
      'type: must be one of grid, spotlight, presentation, single, pip, side-by-side, custom, got object',
    ],
    [
      'the name of a method of objects',
      { type: 'constructor' },
      'type: must be one of grid, spotlight, presentation, single, pip, side-by-side, custom, got "constructor"',
    ],
    [
      'a misspelt option',
      { type: 'grid', backgroud: '#000000' },
      'backgroud: is not known here; did you mean background?',
    ],
    [
      'an option of another type',
      { type: 'single', strip: {} },
      'strip: is not known here; there are type, $schema, name, canvas, gap, background, tile, screenFit, showOff, ' +
        'maxTiles, margin, participant, screenFirst',
    ],
    ['a length', { type: 'grid', gap: 8 }, 'gap: must be from 0 to 1, or pixels such as "12px", got 8'],
    [
      'a length in words',
      { type: 'grid', gap: '8 px' },
      'gap: must be from 0 to 1, or pixels such as "12px", got "8 px"',
    ],
    ['a colour', { type: 'grid', background: 'black' }, 'background: must be a colour such as "#202124", got "black"'],
    [
      'a name of ours',
      { type: 'pip', corner: 'bottom-rihgt' },
      'corner: must be "top-left", "top-right", "bottom-left", "bottom-right", got "bottom-rihgt"; did you mean bottom-right?',
    ],
    ['a number', { type: 'grid', maxTiles: 50 }, 'maxTiles: must be a whole number from 1 to 49, got 50'],
    ['a truth', { type: 'grid', showOff: 'no' }, 'showOff: must be true or false, got "no"'],
    ['an object', { type: 'grid', tile: 'round' }, 'tile: must be an object, got "round"'],
    [
      'a line',
      { type: 'grid', tile: { ring: true } },
      'tile.ring: must be an object with width, color, or false, got true',
    ],
    [
      'what is in a line',
      { type: 'grid', tile: { ring: { width: 0.1 } } },
      'tile.ring.color: is missing, must be a colour such as "#202124"',
    ],
    [
      'an aspect',
      { type: 'grid', tileAspect: '16:9' },
      'tileAspect: must be from 0.1 to 10, or "sources", "fill", got "16:9"',
    ],
    ['no regions', { type: 'custom', regions: [] }, 'regions: must have at least 1 of them, got 0'],
    ['regions that are none', { type: 'custom', regions: whole }, 'regions: must be a list, got an object'],
    [
      'a region that is too wide',
      custom({ ...whole, width: 1.4 }),
      'regions[1].width: must be above 0 and at most 1, or pixels such as "12px", got 1.4',
    ],
    [
      'a region without a width',
      custom({ x: 0, y: 0, height: 1 }),
      'regions[1].width: is missing, must be above 0 and at most 1, or pixels such as "12px"',
    ],
    ['a region of no width', custom({ ...whole, width: '0px' }), 'regions[1].width: must be above 0, got "0px"'],
    [
      'a region beyond the canvas',
      custom({ ...whole, y: 0.5, height: 0.6 }),
      'regions[1].height: y and height together must be at most 1, got 0.5 and 0.6',
    ],
    [
      'a region beyond the canvas in pixels',
      { type: 'custom', canvas: { width: 640, height: 360 }, regions: [{ ...whole, x: '400px', width: '300px' }] },
      'regions[0].width: x and width together must be within the canvas (640 pixels), got "400px" and "300px"',
    ],
    [
      'a participant',
      custom({ ...whole, participants: [{ participant: 'a', kind: 'audio' }] }),
      'regions[1].participants[0].kind: must be "camera", "screen", got "audio"',
    ],
    [
      'participants who are there twice',
      { type: 'side-by-side', participants: ['a', 'b', 'a'] },
      'participants[2]: must not be there twice, got "a"',
    ],
    [
      'options that contradict each other',
      { type: 'side-by-side', participants: ['a'], max: 3 },
      'max: must not be given together with participants: their number is the number of tiles',
    ],
  ])('says what is wrong with %s', (_, input, message) => {
    expect(errorOf(input).message).toBe(message)
  })
})
