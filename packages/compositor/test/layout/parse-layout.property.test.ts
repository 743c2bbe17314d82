import fc from 'fast-check'
import { Value } from 'typebox/value'
import { describe, expect, it } from 'vitest'
import { LayoutError } from '../../src/layout/layout-error.js'
import { layoutSchema, layoutSchemas } from '../../src/layout/layout-schema.js'
import { parseLayout } from '../../src/layout/parse-layout.js'
import { schemaProblems } from '../../src/layout/schema-problems.js'
import { allowedBy, anyLayout } from './layout-arbitrary.js'

const junk = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(-1, 0, 0.5, 1, 1.5, 50, Number.NaN, '12px', '0.5', '#fff', '#ffffff', 'grid', 'fill', '*', ''),
)

type Json = { [name: string]: unknown }

/** Puts something else at one place of a tree. */
function spoil(value: unknown, steps: readonly number[], by: unknown): unknown {
  const [step, ...rest] = steps
  if (step === undefined || typeof value !== 'object' || value === null) return by
  const names = Object.keys(value)
  const name = names[step % (names.length + 1)] ?? 'unknown'
  const inner = spoil((value as Json)[name], rest, by)
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === name ? inner : item))
  return { ...value, [name]: inner }
}

describe('parseLayout', () => {
  it('takes what the schema allows, and gives back the same', () => {
    fc.assert(
      fc.property(anyLayout, (layout) => {
        expect(parseLayout(layout)).toEqual(layout)
        expect(Value.Check(layoutSchema, layout)).toBe(true)
      }),
    )
  })

  it('finds problems exactly where a validator of JSON Schema finds some', () => {
    const spoilt = fc
      .constantFrom(...Object.values(layoutSchemas))
      .chain((schema) =>
        fc.tuple(fc.constant(schema), allowedBy(schema), fc.array(fc.nat(30), { minLength: 1, maxLength: 5 }), junk),
      )
    let refused = 0
    fc.assert(
      fc.property(spoilt, ([schema, good, steps, by]) => {
        const value = spoil(good, steps, by)
        const problems = schemaProblems(schema, value)
        expect(problems.length === 0).toBe(Value.Check(schema, value))
        refused += Math.min(1, problems.length)
      }),
    )
    expect(refused).toBeGreaterThan(0)
  })

  it('throws nothing but layout errors with a path and a reason', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.object({ key: fc.constantFrom('type', 'regions', 'gap') })), (input) => {
        try {
          parseLayout(input)
        } catch (error) {
          expect(error).toBeInstanceOf(LayoutError)
          for (const { reason } of (error as LayoutError).problems) expect(reason).not.toBe('')
        }
      }),
    )
  })
})
