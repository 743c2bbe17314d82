import { describe, expect, it } from 'vitest'
import { addEmulationPrevention, removeEmulationPrevention } from '../../src/index.js'

describe('emulation prevention', () => {
  it.each([
    ['nothing to escape', [1, 0, 2, 0, 0, 4], [1, 0, 2, 0, 0, 4]],
    [
      'each of the four',
      [0, 0, 0, 9, 0, 0, 1, 9, 0, 0, 2, 9, 0, 0, 3],
      [0, 0, 3, 0, 9, 0, 0, 3, 1, 9, 0, 0, 3, 2, 9, 0, 0, 3, 3],
    ],
    ['many zeros', [0, 0, 0, 0, 0, 1], [0, 0, 3, 0, 0, 3, 0, 1]],
    ['a zero at the end', [5, 0], [5, 0, 3]],
    ['two zeros at the end', [5, 0, 0], [5, 0, 0, 3]],
    ['empty', [], []],
  ])('%s', (_, rbsp, ebsp) => {
    expect([...addEmulationPrevention(Uint8Array.from(rbsp))]).toEqual(ebsp)
  })

  it.each([
    ['each of the four', [0, 0, 3, 0, 9, 0, 0, 3, 1, 9, 0, 0, 3, 3], [0, 0, 0, 9, 0, 0, 1, 9, 0, 0, 3]],
    ['two escapes in a row', [0, 0, 3, 0, 0, 3, 0, 1], [0, 0, 0, 0, 0, 1]],
    ['a 3 that is none', [0, 3, 0, 0, 4, 3], [0, 3, 0, 0, 4, 3]],
    ['at the very end', [7, 0, 0, 3], [7, 0, 0]],
    ['three zeros before', [0, 0, 0, 3, 1], [0, 0, 0, 1]],
  ])('removes: %s', (_, ebsp, rbsp) => {
    expect([...removeEmulationPrevention(Uint8Array.from(ebsp))]).toEqual(rbsp)
  })

  it('does not copy where there is nothing to do', () => {
    const bytes = Uint8Array.of(1, 2, 3, 0, 0, 4)
    expect(removeEmulationPrevention(bytes)).toBe(bytes)
    expect(addEmulationPrevention(bytes)).toBe(bytes)
  })
})
