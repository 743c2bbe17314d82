import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BitReader } from '../src/index.js'
import { BitWriter } from './bit-writer.js'

const element = fc.oneof(
  fc.integer({ min: 0, max: 32 }).chain((bits) =>
    fc.record({
      type: fc.constant('u' as const),
      bits: fc.constant(bits),
      value: fc.integer({ min: 0, max: 2 ** bits - 1 }),
    }),
  ),
  fc.record({
    type: fc.constant('ue' as const),
    bits: fc.constant(0),
    value: fc.integer({ min: 0, max: 2 ** 32 - 2 }),
  }),
  fc.record({
    type: fc.constant('se' as const),
    bits: fc.constant(0),
    value: fc.integer({ min: -(2 ** 31 - 1), max: 2 ** 31 - 1 }),
  }),
)

it('reads back what was written', () => {
  fc.assert(
    fc.property(fc.array(element), (elements) => {
      const writer = new BitWriter()
      for (const { type, bits, value } of elements) {
        if (type === 'u') writer.u(value, bits)
        else writer[type](value)
      }
      const reader = new BitReader(writer.finish())
      for (const { type, bits, value } of elements) {
        expect(type === 'u' ? reader.u(bits) : reader[type]()).toBe(value)
      }
      expect(reader.moreRbspData()).toBe(false)
    }),
  )
})
