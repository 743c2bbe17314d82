import { describe, expect, it } from 'vitest'
import { type JumpCause, type ObservedReport, type OffsetJump, ReportFilter } from '../../src/timeline/report-filter.js'

interface Seen {
  readonly filter: ReportFilter
  readonly accepted: ObservedReport[]
  readonly moved: OffsetJump[]
  readonly stepped: number[]
}

function filterWith(
  cause: JumpCause,
  isPlausible: (report: ObservedReport) => boolean = () => true,
  stepBefore?: number,
): Seen {
  const accepted: ObservedReport[] = []
  const moved: OffsetJump[] = []
  const stepped: number[] = []
  const filter = new ReportFilter({
    causeOf: () => cause,
    isPlausible,
    stepBefore: () => stepBefore,
    moved: (jump) => void moved.push(jump),
    stepped: (byUs) => void stepped.push(byUs),
    accepted: (report) => void accepted.push(report),
  })
  return { filter, accepted, moved, stepped }
}

/** The report of a second, with an offset in milliseconds. */
function at(second: number, offsetMs: number): ObservedReport {
  return { rtpUs: second * 1e6, offsetUs: offsetMs * 1000, arrivalUs: second * 1e6 + 30_000 }
}

const offsetsMs = (seen: Seen): number[] => seen.accepted.map(({ offsetUs }) => Math.round(offsetUs / 1000))

describe('ReportFilter', () => {
  it('passes scatter and drift', () => {
    const seen = filterWith('reports')
    for (let second = 0; second < 600; second += 5) seen.filter.push(at(second, second * 0.5 + ((second * 7) % 16) - 8))
    expect(seen.accepted).toHaveLength(120)
    expect(seen.filter.drift * 1e6).toBeGreaterThan(400)
    expect(seen.filter.drift * 1e6).toBeLessThan(600)
    expect(seen.filter).toMatchObject({ outliers: 0, steps: 0 })
  })

  it.each([300, -300, 86_400_000, -60])('drops a single report that is %d ms off', (byMs) => {
    const seen = filterWith('reports')
    for (let second = 0; second < 20; second++) seen.filter.push(at(second, second === 10 ? byMs : 0))
    expect(offsetsMs(seen)).toEqual(new Array(19).fill(0))
    expect(seen.filter).toMatchObject({ outliers: 1, steps: 0 })
  })

  it.each([20, -20, 500, -3000, 3_600_000])('takes a step of the wall clock by %d ms off', (byMs) => {
    const seen = filterWith('reports')
    for (let second = 0; second < 40; second++) seen.filter.push(at(second, second >= 20 ? byMs : 0))
    expect(offsetsMs(seen)).toEqual(new Array(40).fill(0))
    expect(seen.stepped).toEqual([byMs * 1000])
    expect(seen.filter).toMatchObject({ outliers: 0, steps: 1, shiftUs: byMs * 1000 })
  })

  it('follows the media where its arrival has moved too', () => {
    const seen = filterWith('media')
    for (let second = 0; second < 40; second++) seen.filter.push(at(second, second >= 20 ? 300 : 0))
    expect(offsetsMs(seen)).toEqual([...new Array(20).fill(0), ...new Array(20).fill(300)])
    expect(seen.moved).toEqual([{ byUs: 300_000, afterUs: 19_030_000, beforeUs: 20_030_000 }])
    expect(seen.filter.steps).toBe(0)
  })

  it('waits while it cannot be told, with a bound', () => {
    const seen = filterWith(undefined)
    for (let second = 0; second < 200; second++) seen.filter.push(at(second, second >= 20 ? 300 : 0))
    expect(seen.accepted).toHaveLength(20)
  })

  it('gives up first reports that those after them do not confirm', () => {
    const seen = filterWith('reports')
    for (let second = 0; second < 10; second++) seen.filter.push(at(second, second === 0 ? 2000 : 0))
    expect(offsetsMs(seen)).toEqual([2000, ...new Array(9).fill(0)])
    expect(seen.moved).toHaveLength(1)
    expect(seen.filter).toMatchObject({ outliers: 1, shiftUs: 0 })
  })

  it('lets a first report that cannot be true wait for a second one', () => {
    const seen = filterWith('reports', ({ offsetUs }) => Math.abs(offsetUs) < 100_000)
    seen.filter.push(at(0, 2000))
    expect(seen.accepted).toHaveLength(0)
    seen.filter.push(at(5, 0))
    expect(offsetsMs(seen)).toEqual([0])
    const alike = filterWith('reports', () => false)
    alike.filter.push(at(0, 2000))
    alike.filter.push(at(5, 2004))
    expect(offsetsMs(alike)).toEqual([2000, 2004])
    const stepped = filterWith('reports', () => false, 2_000_000)
    stepped.filter.push(at(0, 2000))
    stepped.filter.push(at(5, 2004))
    expect(offsetsMs(stepped)).toEqual([0, 4])
    const lone = filterWith('reports', () => false)
    lone.filter.push(at(0, 2000))
    lone.filter.settle()
    expect(offsetsMs(lone)).toEqual([2000])
  })

  it.each([
    [20, 20, 0],
    [20, 0, 0],
    [-3000, -3000, 0],
  ])('of a step by %d ms that another source found, sees for itself whether it has it', (found, own, left) => {
    const seen = filterWith('reports')
    const scatter = (second: number): number => ((second * 7) % 12) - 6
    for (let second = 0; second < 100; second += 5) seen.filter.push(at(second, scatter(second)))
    seen.filter.suggestStep(found * 1000)
    for (let second = 100; second < 200; second += 5) seen.filter.push(at(second, own + scatter(second)))
    expect(seen.accepted).toHaveLength(40)
    for (const { offsetUs } of seen.accepted) expect(Math.abs(offsetUs / 1000 - left)).toBeLessThanOrEqual(6)
    expect(seen.filter.steps).toBe(own === 0 ? 0 : 1)
  })

  it.each([200, -200, -3000])(
    'gives up a first report that is %d ms off for a second that arrival bears out',
    (byMs) => {
      // Before the other tracks have reports, nothing speaks against the first.
      let othersAreKnown = false
      const seen = filterWith('reports', ({ offsetUs }) => !othersAreKnown || Math.abs(offsetUs) < 150_000)
      seen.filter.push(at(1, byMs))
      othersAreKnown = true
      seen.filter.push(at(6, 0))
      seen.filter.push(at(11, 4))
      expect(offsetsMs(seen)).toEqual([byMs, 0, 4])
      expect(seen.moved, 'what was accepted before is of the past').toHaveLength(1)
      expect(seen.filter).toMatchObject({ outliers: 1, steps: 0 })
    },
  )

  it.each([60, -300, 3000])('keeps a first report that arrival bears out, where a second is %d ms off', (byMs) => {
    const seen = filterWith('reports', ({ offsetUs }) => Math.abs(offsetUs) < 50_000)
    seen.filter.push(at(1, 0))
    seen.filter.push(at(6, byMs))
    seen.filter.push(at(11, 4))
    expect(offsetsMs(seen)).toEqual([0, 4])
    expect(seen.filter).toMatchObject({ outliers: 1, steps: 0 })
  })
})
