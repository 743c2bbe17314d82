import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readCard } from '../../src/card/index.js'
import { drawCard } from './draw-card.js'

const card = fc.record({ counter: fc.nat(65_535), cardId: fc.nat(15), flash: fc.boolean() })

describe('readCard', () => {
  it('reads every card at every size', () => {
    fc.assert(
      fc.property(
        card,
        fc.integer({ min: 64, max: 400 }),
        fc.integer({ min: 64, max: 400 }),
        (drawn, width, height) => {
          expect(readCard(drawCard(width, height, drawn), width, height)).toEqual(drawn)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('reads dull cards', () => {
    const drawn = { counter: 12_345, cardId: 6, flash: true }
    expect(readCard(drawCard(320, 180, drawn, { black: 60, white: 160 }), 320, 180)).toEqual(drawn)
  })

  const unreadable = { counter: undefined, cardId: undefined, flash: false }

  it('says so when there is none', () => {
    expect(readCard(new Uint8Array(320 * 180), 320, 180)).toEqual(unreadable)
    expect(readCard(new Uint8Array(320 * 180).fill(255), 320, 180)).toEqual(unreadable)
  })

  it('says so when the complement does not match, or a cell is grey', () => {
    const picture = drawCard(320, 180, { counter: 5, cardId: 3 })
    picture.fill(235, 179 * 320 - 320 * 20, 179 * 320)
    expect(readCard(picture, 320, 180)).toEqual(unreadable)
    const grey = drawCard(320, 180, { counter: 5, cardId: 3 })
    for (let y = 0; y < 25; y++) grey.fill(125, y * 320, y * 320 + 20)
    expect(readCard(grey, 320, 180)).toEqual(unreadable)
  })
})
