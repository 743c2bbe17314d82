import fc from 'fast-check'
import type { Layout, Length, Region } from '../../src/layout/layout.js'
import { layoutSchemas } from '../../src/layout/layout-schema.js'
import { parseLayout } from '../../src/layout/parse-layout.js'
import type { Scene, SceneSource } from '../../src/layout/scene.js'

/** As in layout-schema.ts. */
interface Schema {
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly pattern?: string
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
}

const PEOPLE = 60
const id = (number: number) => `p${number}`
const someone = fc.integer({ min: 0, max: PEOPLE + 3 }).map(id)

/** Whatever a schema allows: a new option is tested as soon as it is there. */
export function allowedBy(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(allowedBy))
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if (schema.const !== undefined) return fc.constant(schema.const)
  const { minimum: min = 0, maximum: max = 1 } = schema
  switch (schema.type) {
    case 'object': {
      const required = [...(schema.required ?? [])]
      const model = Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, allowedBy(inner)] as const)
      return fc.record(Object.fromEntries(model), { requiredKeys: required })
    }
    case 'array': {
      const length = { minLength: schema.minItems ?? 0, maxLength: Math.min(schema.maxItems ?? 8, 8) }
      const items = allowedBy(schema.items ?? {})
      return schema.uniqueItems === true ? fc.uniqueArray(items, length) : fc.array(items, length)
    }
    case 'integer':
      return fc.integer({ min, max })
    case 'number':
      return fc.oneof(
        fc.double({
          min: schema.exclusiveMinimum ?? min,
          max,
          noNaN: true,
          minExcluded: schema.exclusiveMinimum === 0,
        }),
        fc.constant(max),
      )
    case 'string':
      if (schema.pattern?.startsWith('^#') === true) return fc.constantFrom('#000000', '#aBcDeF')
      if (schema.pattern !== undefined) {
        return fc.tuple(fc.integer({ min: 0, max: 99_999 }), fc.constantFrom('px', '.5px')).map((px) => px.join(''))
      }
      return fc.oneof(someone, fc.constantFrom('*', 'p*', 'p1*', '*5', 'active-speaker', 'screen'))
    default:
      return fc.boolean()
  }
}

/** Layouts of every type with any options. */
export const anyLayout: fc.Arbitrary<Layout> = fc
  .constantFrom(...Object.values(layoutSchemas))
  .chain((schema) => allowedBy(schema))
  .map((layout) => parseLayout(consistent(layout as Layout)))

/** Any that the schema allows, less what it cannot say. */
function consistent(layout: Layout): Layout {
  if (layout.type === 'side-by-side' && layout.participants !== undefined) {
    const { max: _, ...rest } = layout
    return rest
  }
  if (layout.type !== 'custom') return layout
  const { canvas: _, ...rest } = layout
  return { ...rest, regions: layout.regions.map(within) }
}

function within(region: Region): Region {
  const [x, width] = together(region.x, region.width)
  const [y, height] = together(region.y, region.height)
  return { ...region, x, y, width, height }
}

function together(start: Length, length: Length): [Length, Length] {
  if (typeof length === 'string' && Number.parseFloat(length) === 0) return [start, '1px']
  if (typeof start === 'string' || typeof length === 'string') return [start, length]
  return [Math.min(start, 0.99), Math.min(length, 1 - Math.min(start, 0.99))]
}

const size = fc.record({ width: fc.integer({ min: 1, max: 4000 }), height: fc.integer({ min: 1, max: 4000 }) })

/** Who may be in a room, and in which state. */
const participant = (number: number): fc.Arbitrary<SceneSource[]> =>
  fc
    .record({
      camera: fc.constantFrom('none' as const, 'off' as const, 'on' as const, 'on' as const),
      screens: fc.constantFrom(0, 0, 0, 1, 2),
      screenOff: fc.constantFrom(false, false, true),
      picture: fc.option(size, { nil: undefined }),
      muted: fc.boolean(),
      speaking: fc.boolean(),
    })
    .map(({ camera, screens, screenOff, picture, muted, speaking }) => {
      const common = { participantId: id(number), name: `Name ${number}`, muted, speaking }
      const cameras: SceneSource[] =
        camera === 'none' && screens > 0
          ? []
          : [
              {
                ...common,
                kind: 'camera',
                trackId: camera === 'none' ? undefined : `c${number}`,
                hasPicture: camera === 'on',
                picture: camera === 'on' ? picture : undefined,
              },
            ]
      const shared = Array.from({ length: screens }, (_, index): SceneSource => {
        return { ...common, kind: 'screen', trackId: `s${number}-${index}`, hasPicture: !screenOff, picture }
      })
      return [...cameras, ...shared]
    })

/** A room with up to sixty people. */
export const anyScene: fc.Arbitrary<Scene> = fc
  .uniqueArray(fc.integer({ min: 0, max: PEOPLE - 1 }), { maxLength: PEOPLE, size: 'max' })
  .chain((numbers) =>
    fc.record({
      sources: fc.tuple(...numbers.map(participant)).map((all) => all.flat()),
      activeSpeaker: fc.option(fc.constantFrom(...numbers.map(id), 'nobody'), { nil: undefined }),
    }),
  )

const side = fc.oneof(fc.integer({ min: 32, max: 1920 }), fc.integer({ min: 32, max: 128 })).map((half) => 2 * half)

/** 64 to 3840 pixels either way. */
export const anyCanvas: fc.Arbitrary<{ width: number; height: number }> = fc.record({ width: side, height: side })
