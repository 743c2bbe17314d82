import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planLoss } from '../src/loss-plan.js'

const loss = { lostPackets: 1, packetSamples: 960, recoverable: 0, maxConcealed: 5760, slewLimit: 960 }

describe('packets of 20 ms', () => {
  test.each([
    ['one lost: guessed', { hole: 960 }, { concealed: 960, recovered: 0, silenced: 0, whole: true }],
    ['a sample off: drift', { hole: 961 }, { concealed: 960, recovered: 0, silenced: 0, whole: true }],
    [
      'the next repeats it',
      { hole: 960, recoverable: 960 },
      { concealed: 0, recovered: 960, silenced: 0, whole: true },
    ],
    [
      'three lost, the last is repeated',
      { hole: 2880, lostPackets: 3, recoverable: 960 },
      { concealed: 1920, recovered: 960, silenced: 0, whole: true },
    ],
    [
      'ten lost: 120 ms guessed, then silence',
      { hole: 9600, lostPackets: 10 },
      { concealed: 5760, recovered: 0, silenced: 3840, whole: false },
    ],
    [
      'ten lost, the last is repeated',
      { hole: 9600, lostPackets: 10, recoverable: 960 },
      { concealed: 5760, recovered: 960, silenced: 2880, whole: false },
    ],
    [
      'one lost in a pause of the sender: the pause stays one',
      { hole: 19_200 },
      { concealed: 960, recovered: 0, silenced: 0, whole: false },
    ],
    [
      'the silence has begun: only what is repeated comes back',
      { hole: 700, maxConcealed: 0, recoverable: 480 },
      { concealed: 0, recovered: 480, silenced: 220, whole: false },
    ],
    [
      'less time than packets: the time counts',
      { hole: 960, lostPackets: 4 },
      { concealed: 960, recovered: 0, silenced: 0, whole: true },
    ],
    [
      'what is repeated does not fit in',
      { hole: 480, recoverable: 960 },
      { concealed: 480, recovered: 0, silenced: 0, whole: true },
    ],
  ])('%s', (_, facts, plan) => {
    expect(planLoss({ ...loss, ...facts })).toEqual(plan)
  })
})

test('nothing is filled twice, nothing beyond its limit, and what is whole is nearly the hole', () => {
  fc.assert(
    fc.property(
      fc.record({
        hole: fc.integer({ min: 1, max: 200_000 }),
        lostPackets: fc.integer({ min: 1, max: 300 }),
        packetSamples: fc.constantFrom(80, 120, 160, 480, 960, 2880),
        recoverable: fc.constantFrom(0, 480, 960, 2880),
        maxConcealed: fc.integer({ min: 0, max: 5760 }),
        slewLimit: fc.constantFrom(160, 320, 960),
      }),
      (facts) => {
        const { concealed, recovered, silenced, whole } = planLoss(facts)
        const { hole, lostPackets, packetSamples, slewLimit } = facts
        const sum = concealed + recovered + silenced
        expect(Math.min(concealed, recovered, silenced)).toBeGreaterThanOrEqual(0)
        expect(concealed).toBeLessThanOrEqual(facts.maxConcealed)
        expect([0, facts.recoverable]).toContain(recovered)
        expect(sum).toBeLessThanOrEqual(lostPackets * packetSamples)
        expect(sum).toBeLessThan(hole + slewLimit / 4)
        if (whole) expect(Math.abs(sum - hole)).toBeLessThan(slewLimit / 4)
      },
    ),
  )
})
