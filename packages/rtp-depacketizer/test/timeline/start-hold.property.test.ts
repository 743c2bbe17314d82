import type { SourceItem } from '@rushes/media'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StartHold } from '../../src/timeline/start-hold.js'

const MAX_US = 5_000_000
const MAX_BYTES = 20_000

/** What happens: a unit, a report, an end, or time alone; each some time after the one before. */
const steps = fc.array(
  fc.record({
    afterUs: fc.oneof({ weight: 9, arbitrary: fc.nat(200_000) }, { weight: 1, arbitrary: fc.nat(8_000_000) }),
    kind: fc.oneof(
      { weight: 20, arbitrary: fc.constant('unit' as const) },
      { weight: 3, arbitrary: fc.constant('report' as const) },
      { weight: 1, arbitrary: fc.constant('end' as const) },
      { weight: 3, arbitrary: fc.constant('time' as const) },
    ),
    trackId: fc.constantFrom('a', 'b', 'c'),
    bytes: fc.oneof({ weight: 9, arbitrary: fc.nat(1500) }, { weight: 1, arbitrary: fc.nat(30_000) }),
  }),
  { maxLength: 120 },
)
type Step = typeof steps extends fc.Arbitrary<(infer One)[]> ? One : never

interface Out {
  readonly number: number
  readonly nowUs: number
  /** Units and reports that the clocks had seen by then: what its place rests on. */
  readonly observed: number
}

/**
 * Drives a hold as a timeline does. `looks`: whether time is looked at between the items too. `looksAtEnds`: whether it is
 * when a track ends, which does not say when that was.
 */
function run(
  all: readonly Step[],
  looks: boolean,
  check: (hold: StartHold, nowUs: number) => void = () => {},
  looksAtEnds = false,
) {
  const reported = new Set<string>()
  const hold = new StartHold({
    maxUs: MAX_US,
    maxBytes: MAX_BYTES,
    isKnown: (trackId) => reported.has(trackId),
    isRemembered: () => true,
  })
  const numbers = new Map<SourceItem, number>()
  const out: Out[] = []
  let nowUs = 0
  let observed = 0
  const emit = (item: SourceItem): void => void out.push({ number: numbers.get(item) as number, nowUs, observed })
  for (const [number, { afterUs, kind, trackId, bytes }] of all.entries()) {
    nowUs += afterUs
    if (kind === 'time') {
      if (looks) hold.tick(nowUs, emit)
    } else {
      const common = { trackId, epoch: 0, clockRate: 48_000, rtpTimestamp: 0, arrivalUs: nowUs }
      const item: SourceItem =
        kind === 'end'
          ? { type: 'track-end', trackId }
          : kind === 'report'
            ? { type: 'sender-report', ...common, ntpUs: nowUs }
            : {
                type: 'audio-frame',
                ...common,
                data: new Uint8Array(bytes),
                marker: false,
                duration: 960,
                lossBefore: false,
              }
      numbers.set(item, number)
      if (kind !== 'end' || looksAtEnds) hold.tick(nowUs, emit)
      if (kind !== 'end') observed++
      if (kind === 'report') reported.add(trackId)
      hold.push(item, emit)
    }
    check(hold, nowUs)
  }
  hold.flush(emit)
  return { out, hold }
}

/** Those that are pushed, by number; reports do not wait. */
const mediaOf = (all: readonly Step[]): number[] =>
  all.flatMap(({ kind }, number) => (kind === 'unit' || kind === 'end' ? [number] : []))

function timesOf(all: readonly Step[]): number[] {
  let nowUs = 0
  return all.map(({ afterUs }) => {
    nowUs += afterUs
    return nowUs
  })
}

describe('StartHold', () => {
  it('loses nothing, doubles nothing, and keeps the order of each track', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const { out, hold } = run(all, true)
        const media = new Set(mediaOf(all))
        const numbers = out.map(({ number }) => number).filter((number) => media.has(number))
        expect([...numbers].sort((a, b) => a - b)).toEqual([...media])
        for (const track of ['a', 'b', 'c']) {
          const own = numbers.filter((number) => all[number]?.trackId === track)
          expect(own).toEqual([...own].sort((a, b) => a - b))
        }
        expect(hold.stats).toMatchObject({ heldUnits: 0, heldBytes: 0 })
      }),
    )
  })

  it('holds neither more bytes nor longer than it may', () => {
    fc.assert(
      fc.property(steps, (all) => {
        run(all, true, (hold, nowUs) => {
          expect(hold.stats.heldBytes).toBeLessThanOrEqual(MAX_BYTES)
          const deadline = hold.nextDeadline()
          expect(deadline === undefined).toBe(hold.stats.heldUnits === 0)
          // An end says not when it came: it cannot show that the time is up.
          if (deadline !== undefined && deadline > nowUs) expect(deadline - nowUs).toBeLessThanOrEqual(MAX_US)
        })
        const { out } = run(all, true)
        const atUs = timesOf(all)
        // Whatever happens next shows that the time is up: nothing leaves later than at the first sign after it.
        for (const { number, nowUs: leftUs } of out) {
          const overdueUs = (atUs[number] as number) + MAX_US
          const sign = all.findIndex(({ kind }, index) => kind !== 'end' && (atUs[index] as number) >= overdueUs)
          if (sign >= 0) expect(leftUs).toBeLessThanOrEqual(atUs[sign] as number)
        }
      }),
    )
  })

  it('places by the same knowledge, however often time is looked at between', () => {
    fc.assert(
      fc.property(steps, (all) => {
        // Whether a track ended before its time was up, nobody can know who has not looked.
        const known = (looks: boolean): Map<number, number> =>
          new Map(run(all, looks, () => {}, true).out.map(({ number, observed }) => [number, observed]))
        const unlooked = known(false)
        for (const [number, observed] of known(true)) {
          if (all[number]?.kind === 'unit') expect(observed).toBe(unlooked.get(number))
        }
      }),
    )
  })

  it('passes all that comes once every clock is known', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const known = (['a', 'b', 'c'] as const).map(
          (trackId): Step => ({ afterUs: 0, kind: 'report', trackId, bytes: 0 }),
        )
        const { out } = run([...known, ...all], true)
        const mine = out.filter(({ number }) => number >= known.length)
        const atUs = timesOf([...known, ...all])
        for (const { number, nowUs: leftUs } of mine) expect(leftUs).toBe(atUs[number])
      }),
    )
  })
})
