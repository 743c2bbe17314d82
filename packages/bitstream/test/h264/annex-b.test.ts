import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinAnnexB, splitAnnexB } from '../../src/index.js'

describe('splitAnnexB', () => {
  it.each([
    ['three-byte start codes', [0, 0, 1, 9, 16, 0, 0, 1, 5], [[9, 16], [5]]],
    ['four-byte start codes', [0, 0, 0, 1, 9, 16, 0, 0, 0, 1, 5], [[9, 16], [5]]],
    ['zeros in front and behind', [0, 0, 0, 0, 0, 1, 9, 0, 0, 0, 0, 0, 1, 5, 0, 0], [[9], [5]]],
    ['empty NAL units', [0, 0, 1, 0, 0, 1, 0, 0, 1, 7], [[7]]],
    ['bytes before the first', [8, 8, 0, 0, 1, 7], [[7]]],
    ['zeros inside', [0, 0, 1, 7, 0, 0, 3, 1], [[7, 0, 0, 3, 1]]],
    ['no start code', [1, 2, 3], []],
    ['a start code at the end', [0, 0, 1, 7, 0, 0, 1], [[7]]],
    ['nothing', [], []],
  ])('%s', (_, bytes, nalUnits) => {
    expect(splitAnnexB(Uint8Array.from(bytes)).map((unit) => [...unit])).toEqual(nalUnits)
  })

  it('gives views', () => {
    const bytes = Uint8Array.of(0, 0, 1, 7, 7)
    expect(splitAnnexB(bytes)[0]?.buffer).toBe(bytes.buffer)
  })

  it('finds in any bytes what a regular expression finds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ max: 3, maxLength: 60 }), (bytes) => {
        const [, ...rest] = Buffer.from(bytes).toString('latin1').split('\0\0\x01')
        const expected = rest.map((part) => part.replace(/\0+$/, '')).filter((part) => part.length > 0)
        expect(splitAnnexB(bytes).map((unit) => Buffer.from(unit).toString('latin1'))).toEqual(expected)
      }),
    )
  })
})

it('joinAnnexB writes four-byte start codes', () => {
  expect([...joinAnnexB([Uint8Array.of(9, 16), Uint8Array.of(5)])]).toEqual([0, 0, 0, 1, 9, 16, 0, 0, 0, 1, 5])
})
