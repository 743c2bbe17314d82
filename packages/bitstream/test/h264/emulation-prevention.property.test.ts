import fc from 'fast-check'
import { expect, it } from 'vitest'
import { addEmulationPrevention, joinAnnexB, removeEmulationPrevention, splitAnnexB } from '../../src/index.js'

// Mostly the bytes that matter.
const rbsp = fc.uint8Array({ max: 4, maxLength: 60 })

it('add, then remove: the same bytes', () => {
  // An RBSP ends in its stop bit, or behind that in cabac_zero_words.
  const end = fc.constantFrom([0x80], [0x80, 0, 0], [1, 0, 0, 0, 0])
  fc.assert(
    fc.property(fc.oneof(rbsp, fc.uint8Array()), end, (bytes, trailing) => {
      const whole = Uint8Array.of(...bytes, ...trailing)
      expect([...removeEmulationPrevention(addEmulationPrevention(whole))]).toEqual([...whole])
    }),
  )
})

it('no start code inside, none across the end', () => {
  fc.assert(
    fc.property(rbsp, (bytes) => {
      const ebsp = Buffer.from(addEmulationPrevention(bytes))
      for (const forbidden of [0, 1, 2]) expect(ebsp.includes(Buffer.of(0, 0, forbidden))).toBe(false)
      expect(ebsp.at(-1)).not.toBe(0)
    }),
  )
})

it('what is escaped survives the byte stream', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ max: 4, minLength: 1, maxLength: 20 }), { minLength: 1 }), (payloads) => {
      const nalUnits = payloads.map((payload) => addEmulationPrevention(Uint8Array.of(0x65, ...payload)))
      expect(splitAnnexB(joinAnnexB(nalUnits)).map((unit) => [...unit])).toEqual(nalUnits.map((unit) => [...unit]))
    }),
  )
})
