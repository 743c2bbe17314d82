import fc from 'fast-check'
import { expect, it } from 'vitest'
import { PcrSchedule } from '../src/pcr-schedule.js'

const MS = 27_000
const INTERVAL = 100 * MS

type Step = readonly [ms: number, isPcrPid: boolean, isRandomAccess?: boolean]

/** The times of all PCR, in ms, with `!` where one stands alone. */
function schedule(steps: readonly Step[]): string[] {
  const pcr = new PcrSchedule(INTERVAL)
  const written: string[] = []
  for (const [ms, isPcrPid, isRandomAccess = false] of steps) {
    pcr.plan(ms * MS, isPcrPid, isRandomAccess)
    const jump = pcr.isDiscontinuity ? 'jump' : ''
    for (let i = 0; i < pcr.fills; i++) written.push(`${(pcr.firstFill27m + i * INTERVAL) / MS}!`)
    if (pcr.insertsNow) written.push(`${pcr.now27m / MS}!${jump}`)
    if (pcr.carries) written.push(`${pcr.now27m / MS}${jump}`)
  }
  return written
}

it.each<[string, Step[], string[]]>([
  [
    '30 pictures a second',
    [
      [0, true],
      [33, true],
      [66, true],
      [100, true],
      [133, true],
    ],
    ['0', '66', '133'],
  ],
  [
    'every keyframe',
    [
      [0, true, true],
      [10, true, true],
      [20, true],
    ],
    ['0', '10'],
  ],
  [
    'sound first',
    [
      [0, false],
      [20, true],
      [60, true],
    ],
    ['0!', '60'],
  ],
  [
    'sound carries on in a hole',
    [
      [0, true],
      [60, false],
      [120, false],
      [210, false],
      [250, true],
    ],
    ['0', '100!', '200!', '250'],
  ],
  [
    'one picture a second',
    [
      [0, true],
      [300, true],
    ],
    ['0', '100!', '200!', '300'],
  ],
  [
    'not on the grid',
    [
      [0, true],
      [230, true],
    ],
    ['0', '100!', '200!'],
  ],
  [
    'a keyframe not on the grid',
    [
      [0, true],
      [230, true, true],
    ],
    ['0', '100!', '200!', '230'],
  ],
  [
    'exactly at the interval, another PID',
    [
      [0, true],
      [100, false],
      [110, true],
    ],
    ['0', '100!'],
  ],
  [
    'over a minute',
    [
      [0, true],
      [60_001, true],
    ],
    ['0', '60001jump'],
  ],
  [
    'over a minute, another PID',
    [
      [0, true],
      [60_001, false],
    ],
    ['0', '60001!jump'],
  ],
])('%s', (_, steps, expected) => {
  expect(schedule(steps)).toEqual(expected)
})

it('never goes back, nor says the same twice', () => {
  const pcr = new PcrSchedule(INTERVAL)
  pcr.plan(500, true, true)
  pcr.plan(400, true, true)
  expect([pcr.carries, pcr.now27m]).toEqual([true, 501])
  pcr.plan(501, true, true)
  expect([pcr.carries, pcr.now27m]).toEqual([true, 502])
})

it('comes with the next sample when asked for', () => {
  const pcr = new PcrSchedule(INTERVAL)
  pcr.plan(0, true, false)
  pcr.request()
  pcr.plan(10, false, false)
  expect([pcr.insertsNow, pcr.carries, pcr.now27m]).toEqual([true, false, 10])
  pcr.request()
  pcr.plan(20, true, false)
  expect([pcr.insertsNow, pcr.carries]).toEqual([false, true])
})

it('of any order of samples: rising, at most the interval apart, never later than the sample', () => {
  const step = fc.record({
    gap: fc.oneof(fc.nat(40 * MS), fc.nat(900 * MS)),
    isPcrPid: fc.boolean(),
    isKey: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { minLength: 1 }), (steps) => {
      const pcr = new PcrSchedule(INTERVAL)
      let now = 0
      let last: number | undefined
      for (const { gap, isPcrPid, isKey } of steps) {
        now += gap
        pcr.plan(now, isPcrPid, isKey)
        const times = Array.from({ length: pcr.fills }, (_, i) => pcr.firstFill27m + i * INTERVAL)
        if (pcr.insertsNow || pcr.carries) times.push(pcr.now27m)
        if (isPcrPid && isKey) expect(pcr.carries).toBe(true)
        for (const time of times) {
          // Samples of one instant are told apart by single ticks.
          expect(time).toBeLessThanOrEqual(now + steps.length)
          if (last !== undefined) {
            expect(time).toBeGreaterThan(last)
            expect(time - last).toBeLessThanOrEqual(INTERVAL)
          }
          last = time
        }
        expect(now - last!).toBeLessThan(INTERVAL)
      }
    }),
  )
})
