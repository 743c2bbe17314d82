import type { Layout, Region } from './layout.js'
import { LayoutError, type LayoutProblem } from './layout-error.js'
import { layoutSchemas } from './layout-schema.js'
import { nearest } from './nearest-name.js'
import { isObject, schemaProblems } from './schema-problems.js'

/** Types that need nothing said, and so are layouts by their name alone. */
const NAMED = ['grid', 'spotlight', 'presentation', 'single', 'pip', 'side-by-side'] as const
const TYPES = Object.keys(layoutSchemas)
/** Shares are written rounded: three times 0.3334 is a row. */
const ROUNDING = 0.002

/**
 * A layout of a name (`grid`, with every option at its default) or of parsed JSON. What comes back is a copy.
 *
 * @throws {LayoutError} Code `LAYOUT_INVALID`. The message names each problem by its path within the JSON, with the
 * reason and what is allowed: `regions[2].width: must be above 0 and at most 1, or pixels such as "12px", got 1.4`.
 */
export function parseLayout(input: unknown): Layout {
  if (typeof input === 'string') return namedLayout(input)
  if (!isObject(input)) throw new LayoutError([{ path: '', reason: `must be an object or one of ${NAMED.join(', ')}` }])
  const schema = Object.hasOwn(layoutSchemas, String(input['type']))
    ? layoutSchemas[String(input['type']) as Layout['type']]
    : undefined
  if (schema === undefined || typeof input['type'] !== 'string') throw new LayoutError([typeProblem(input)])
  const problems = schemaProblems(schema, input)
  if (problems.length > 0) throw new LayoutError(problems)
  const layout = structuredClone(input) as unknown as Layout
  const contradictions = contradictionsOf(layout)
  if (contradictions.length > 0) throw new LayoutError(contradictions)
  return layout
}

function namedLayout(name: string): Layout {
  const type = NAMED.find((known) => known === name)
  if (type !== undefined) return { type }
  if (name === 'custom') throw new LayoutError([{ path: '', reason: 'a custom layout needs regions: give an object' }])
  const guess = nearest(name, NAMED)
  const hint = guess === undefined ? `there are ${NAMED.join(', ')}` : `did you mean ${guess}?`
  throw new LayoutError([{ path: '', reason: `no layout is called ${JSON.stringify(name.slice(0, 60))}; ${hint}` }])
}

function typeProblem(input: Readonly<Record<string, unknown>>): LayoutProblem {
  const type = input['type']
  if (type === undefined) return { path: 'type', reason: `is missing, must be one of ${TYPES.join(', ')}` }
  const guess = typeof type === 'string' ? nearest(type, TYPES) : undefined
  const hint = guess === undefined ? '' : `; did you mean ${guess}?`
  const got = typeof type === 'string' ? JSON.stringify(type.slice(0, 60)) : typeof type
  return { path: 'type', reason: `must be one of ${TYPES.join(', ')}, got ${got}${hint}` }
}

/** What a schema cannot say. */
function contradictionsOf(layout: Layout): LayoutProblem[] {
  if (layout.type === 'side-by-side' && layout.participants !== undefined && layout.max !== undefined) {
    return [
      { path: 'max', reason: 'must not be given together with participants: their number is the number of tiles' },
    ]
  }
  if (layout.type !== 'custom') return []
  return layout.regions.flatMap((region, index) => [
    ...outside(region, 'x', 'width', layout.canvas?.width, `regions[${index}]`),
    ...outside(region, 'y', 'height', layout.canvas?.height, `regions[${index}]`),
  ])
}

/** Beyond the canvas; what cannot be told before the canvas is known is cut off there. */
function outside(
  region: Region,
  from: 'x' | 'y',
  span: 'width' | 'height',
  canvas: number | undefined,
  path: string,
): LayoutProblem[] {
  const start = share(region[from], canvas)
  const length = share(region[span], canvas)
  if (length === 0) return [{ path: `${path}.${span}`, reason: `must be above 0, got ${JSON.stringify(region[span])}` }]
  if (start === undefined || length === undefined || start + length <= 1 + ROUNDING) return []
  const sum = typeof region[from] === 'number' ? 'at most 1' : `within the canvas (${canvas} pixels)`
  const got = `${JSON.stringify(region[from])} and ${JSON.stringify(region[span])}`
  return [{ path: `${path}.${span}`, reason: `${from} and ${span} together must be ${sum}, got ${got}` }]
}

function share(length: number | string, canvas: number | undefined): number | undefined {
  if (typeof length === 'number') return length
  const pixels = Number.parseFloat(length)
  if (pixels === 0) return 0
  return canvas === undefined ? undefined : pixels / canvas
}
