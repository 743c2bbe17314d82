import fc from 'fast-check'
import { expect, test } from 'vitest'
import { writeAnswer } from '../../src/whip/answer.js'
import { WhipError } from '../../src/whip/errors.js'
import { type Offer, readOffer } from '../../src/whip/offer.js'
import { chromiumOffer, encoderOffer } from './offers.js'

/** An offer with lines left out, doubled, moved, cut short or given other numbers. */
const damaged = fc
  .tuple(
    fc.constantFrom(chromiumOffer, encoderOffer),
    fc.array(
      fc.record({
        at: fc.nat({ max: 200 }),
        to: fc.nat({ max: 200 }),
        change: fc.constantFrom('drop', 'double', 'move', 'cut', 'number', 'empty'),
        number: fc.oneof(fc.integer({ min: -1, max: 70_000 }), fc.constant(2 ** 40)),
      }),
      { maxLength: 8 },
    ),
  )
  .map(([offer, changes]) => {
    const lines = offer.split('\r\n')
    for (const { at, to, change, number } of changes) {
      const index = at % lines.length
      const line = lines[index] ?? ''
      if (change === 'drop') lines.splice(index, 1)
      else if (change === 'double') lines.splice(to % lines.length, 0, line)
      else if (change === 'move') lines.splice(to % lines.length, 0, ...lines.splice(index, 1))
      else if (change === 'cut') lines[index] = line.slice(0, to % (line.length + 1))
      else if (change === 'number') lines[index] = line.replace(/\d+/, String(number))
      else lines[index] = line.replace(/:.*/, ':')
    }
    return lines.join('\r\n')
  })

test('an offer is answered line by line, or refused with a reason', () => {
  fc.assert(
    fc.property(damaged, (text) => {
      let offer: Offer
      try {
        offer = readOffer(text, { videoCodecs: undefined, audioCodecs: undefined, audioRedundancy: true })
      } catch (error) {
        expect(error).toBeInstanceOf(WhipError)
        return
      }
      const local = {
        usernameFragment: 'u',
        password: 'p',
        fingerprint: { algorithm: 'sha-256', value: 'AA' },
        setup: 'active' as const,
        candidates: [],
      }
      const answer = writeAnswer(offer, local, { opusDtx: true, maxVideoBitrateBps: undefined }, '1')
      const sections = answer.split(/^(?=m=)/m).slice(1)
      // RFC 3264 §6: as many, in the same order.
      expect(sections.map((section) => /^m=(\S+)/.exec(section)?.[1])).toEqual(offer.sections.map(({ kind }) => kind))
      expect(offer.media.length).toBeGreaterThan(0)
      expect(sections.filter((section) => section.includes('a=recvonly'))).toHaveLength(offer.media.length)
      expect(answer.endsWith('\r\n')).toBe(true)
      expect(answer).not.toMatch(/undefined|NaN|\[object/)
    }),
  )
})
