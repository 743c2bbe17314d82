import { expect, it } from 'vitest'
import { adaptationFieldBytes, PCR, RANDOM_ACCESS, writeAdaptationField } from '../src/adaptation-field.js'

function field(length: number, flags: number, pcr27m = 0): string {
  const out = new Uint8Array(length)
  writeAdaptationField(out, 0, length, flags, pcr27m)
  return Buffer.from(out).toString('hex')
}

it.each([
  ['one byte of stuffing', 1, 0, 0, '00'],
  ['two', 2, 0, 0, '0100'],
  ['five', 5, 0, 0, '0400ffffff'],
  ['random access', 2, RANDOM_ACCESS, 0, '0140'],
  ['PCR 0', 8, PCR, 0, '0710 000000007e00'],
  ['PCR with an extension', 8, PCR | RANDOM_ACCESS, 300 * 3 + 299, '0750 00000001ff2b'],
  ['the largest PCR', 8, PCR, 300 * 2 ** 33 - 1, '0710 ffffffffff2b'],
  ['a PCR that wraps', 8, PCR, 300 * 2 ** 33 + 300, '0710 00000000fe00'],
  ['a PCR before zero', 8, PCR, -300, '0710 fffffffffe00'],
  ['PCR and stuffing', 10, PCR, 600, '0910 000000017e00 ffff'],
])('%s', (_, length, flags, pcr27m, expected) => {
  expect(field(length, flags, pcr27m)).toBe(expected.replaceAll(' ', ''))
})

it('tells its length without stuffing', () => {
  expect([0, RANDOM_ACCESS, PCR, PCR | RANDOM_ACCESS].map(adaptationFieldBytes)).toEqual([0, 2, 8, 8])
})
