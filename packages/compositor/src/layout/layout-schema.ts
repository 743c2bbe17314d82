import { type Static, type TSchema, type TUnsafe, Type } from 'typebox'
import type { Layout } from './layout.js'

const closed = { additionalProperties: false } as const
const PIXELS = '^[0-9]{1,5}(\\.[0-9]{1,3})?px$'

const pixels = (description: string) => Type.String({ pattern: PIXELS, description })
/** 0 is a length, too. */
const length = (description: string) =>
  Type.Union([Type.Number({ minimum: 0, maximum: 1 }), pixels('Pixels, such as "12px"')], { description })
const size = (description: string, maximum = 1) =>
  Type.Union([Type.Number({ exclusiveMinimum: 0, maximum }), pixels('Pixels, such as "640px"')], { description })
const color = (description: string) => Type.String({ pattern: '^#[0-9a-fA-F]{6}$', description })
const id = (description: string) => Type.String({ minLength: 1, maxLength: 255, description })
const count = (minimum: number, maximum: number, description: string) => Type.Integer({ minimum, maximum, description })
const aspect = (description: string) => Type.Number({ minimum: 0.1, maximum: 10, description })
const oneOf = <const Names extends string[]>(names: readonly [...Names], description: string) =>
  Type.Enum([...names], { description })

const fit = (description: string) => oneOf(['auto', 'contain', 'cover', 'stretch'], description)
const border = Type.Object({ width: length('Share of the shorter side, or pixels'), color: color('#rrggbb') }, closed)
const line = (description: string) => Type.Union([border, Type.Literal(false)], { description })

const tile = Type.Object(
  {
    fit: Type.Optional(fit('Of cameras; auto fills the tile where at least half of the picture is still seen')),
    cornerRadius: Type.Optional(length('Share of the shorter side, or pixels')),
    border: Type.Optional(line('A line inside of the edge')),
    opacity: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    background: Type.Optional(color('Behind initials, and where a picture leaves space')),
    label: Type.Optional(Type.Boolean({ description: 'Show the display name' })),
    mutedMark: Type.Optional(Type.Boolean({ description: 'Show that the microphone is off' })),
    ring: Type.Optional(line('Around who speaks')),
  },
  closed,
)

const base = {
  $schema: Type.Optional(Type.String({ description: 'For editors; not read' })),
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'What the manifest calls it' })),
  canvas: Type.Optional(
    Type.Object(
      { width: count(2, 16_384, 'Pixels'), height: count(2, 16_384, 'Pixels') },
      { ...closed, description: 'The canvas that pixels are counted on; on another one they scale' },
    ),
  ),
  gap: Type.Optional(length('Between tiles: share of the shorter side, or pixels')),
  background: Type.Optional(color('#rrggbb')),
  tile: Type.Optional(tile),
  screenFit: Type.Optional(fit('How a shared screen goes into its tile')),
  showOff: Type.Optional(Type.Boolean({ description: 'Show a placeholder for who has no camera, or has it off' })),
  maxTiles: Type.Optional(count(1, 49, 'Most tiles')),
}
const automatic = {
  ...base,
  margin: Type.Optional(length('Between the tiles and the edge: share of the shorter side, or pixels')),
}
const tileAspect = Type.Union([aspect('Width by height'), oneOf(['sources', 'fill'], 'Mean of the pictures, or any')], {
  description: 'Shape of the tiles',
})
const strip = Type.Object(
  {
    side: Type.Optional(oneOf(['left', 'right', 'top', 'bottom'], 'Where the strip is')),
    size: Type.Optional(size('Share of the width (left, right) or height (top, bottom), or pixels', 0.5)),
    max: Type.Optional(count(1, 48, 'Most tiles in it')),
    tileAspect: Type.Optional(tileAspect),
  },
  closed,
)

const grid = Type.Object({ type: Type.Literal('grid'), ...automatic, tileAspect: Type.Optional(tileAspect) }, closed)
const spotlight = Type.Object(
  {
    type: Type.Literal('spotlight'),
    ...automatic,
    participant: Type.Optional(id('Large while there')),
    strip: Type.Optional(strip),
  },
  closed,
)
const presentation = Type.Object(
  {
    type: Type.Literal('presentation'),
    ...automatic,
    strip: Type.Optional(strip),
    screens: Type.Optional(oneOf(['split', 'newest'], 'Several screens: all large, or the newest alone')),
    maxScreens: Type.Optional(count(1, 9, 'Most large screens')),
    withoutScreen: Type.Optional(oneOf(['grid', 'spotlight'], 'While nobody shares')),
  },
  closed,
)
const single = Type.Object(
  {
    type: Type.Literal('single'),
    ...automatic,
    participant: Type.Optional(id('Only this one')),
    screenFirst: Type.Optional(Type.Boolean({ description: 'A shared screen goes before the camera' })),
  },
  closed,
)
const pip = Type.Object(
  {
    type: Type.Literal('pip'),
    ...automatic,
    participant: Type.Optional(id('Large while there')),
    big: Type.Optional(oneOf(['screen', 'active-speaker', 'first'], 'Who else is large')),
    corner: Type.Optional(oneOf(['top-left', 'top-right', 'bottom-left', 'bottom-right'], 'Of the small ones')),
    size: Type.Optional(size('Width of a small one: share of the width, or pixels', 0.5)),
    maxSmall: Type.Optional(count(1, 4, 'Most small ones')),
    tileAspect: Type.Optional(aspect('Of the small ones, width by height')),
  },
  closed,
)
const sideBySide = Type.Object(
  {
    type: Type.Literal('side-by-side'),
    ...automatic,
    participants: Type.Optional(Type.Array(id('A participant'), { minItems: 1, maxItems: 4, uniqueItems: true })),
    max: Type.Optional(count(2, 4, 'Most tiles, without participants')),
    direction: Type.Optional(oneOf(['row', 'column'], 'Beside or below each other')),
  },
  closed,
)

const selector = Type.Union(
  [
    id('An id in which * stands for anything, "active-speaker" or "screen"'),
    Type.Object({ participant: id('Exactly'), kind: Type.Optional(oneOf(['camera', 'screen'], 'Of it')) }, closed),
  ],
  { description: 'Who' },
)
const selectors = Type.Array(selector, { minItems: 1, maxItems: 100 })
const region = Type.Object(
  {
    x: length('Share of the width, or pixels'),
    y: length('Share of the height, or pixels'),
    width: size('Share of the width, or pixels'),
    height: size('Share of the height, or pixels'),
    z: Type.Optional(Type.Integer({ minimum: -1000, maximum: 1000, description: 'Higher ones lie above lower ones' })),
    participants: Type.Optional(selectors),
    exclude: Type.Optional(selectors),
    maxParticipants: Type.Optional(count(1, 49, 'Most tiles in it')),
    maxColumns: Type.Optional(count(1, 49, 'Most columns')),
    maxRows: Type.Optional(count(1, 49, 'Most rows')),
    skipCells: Type.Optional(
      Type.Array(count(0, 48, 'A cell, by rows'), {
        maxItems: 49,
        uniqueItems: true,
        description: 'Cells that stay empty',
      }),
    ),
    tileAspect: Type.Optional(tileAspect),
    order: Type.Optional(oneOf(['join', 'newest', 'listed', 'active-speaker'], 'Who is shown when there are too many')),
    reuse: Type.Optional(oneOf(['next', 'keep-empty', 'shift'], 'What becomes of a place whose occupant leaves')),
    tile: Type.Optional(tile),
  },
  closed,
)
const custom = Type.Object(
  { type: Type.Literal('custom'), ...base, regions: Type.Array(region, { minItems: 1, maxItems: 64 }) },
  closed,
)

/** One schema a type of layout. */
export const layoutSchemas: Readonly<Record<Layout['type'], TSchema>> = {
  grid,
  spotlight,
  presentation,
  single,
  pip,
  'side-by-side': sideBySide,
  custom,
}

const layout = Type.Union([grid, spotlight, presentation, single, pip, sideBySide, custom], {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Layout of a composite recording',
})

/** JSON Schema of a {@link Layout}; `layout.schema.json` is the same as a file. */
export const layoutSchema: TUnsafe<Layout> = Type.Unsafe<Static<typeof layout>>(layout)
