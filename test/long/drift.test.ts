import { describe, expect, it } from 'vitest'
import { depacketizeCall } from './call-bytes.js'
import { STARTED_AT_US, simulateCall } from './call-simulator.js'
import { measureDrift } from './drift-measure.js'
import { callOf, driftScenarios, judgedOf } from './drift-scenarios.js'

const SECONDS = 600
const MODES = ['offline', 'live'] as const
const scenarios = driftScenarios(SECONDS)

// The long form (`pnpm long:drift`) takes three hours of each; its figures stand in docs/evidence.md.
describe('sync of ten minutes, clocks off by up to 500 ppm', () => {
  describe.each(MODES)('%s', (mode) => {
    it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s', (_name, scenario) => {
      const figures = measureDrift(callOf(scenario, SECONDS), mode, judgedOf(scenario, mode))
      expect(figures.sync.worstMs).toBeLessThanOrEqual(40)
      expect(figures.backwards).toBe(0)
    })
  })
})

describe('the same through depacketizers, as bytes', () => {
  const ofBytes = ['drift only', 'RTP jumps and restarts', 'all'].flatMap((name) =>
    MODES.map((mode) => [name, mode] as const),
  )
  it.each(ofBytes)('%s, %s', (name, mode) => {
    const scenario = scenarios.find((one) => one.name === name) as (typeof scenarios)[number]
    const figures = measureDrift(callOf(scenario, SECONDS), mode, judgedOf(scenario, mode), {
      itemsOf: depacketizeCall,
    })
    expect(figures.sync.worstMs).toBeLessThanOrEqual(40)
    expect(figures.backwards).toBe(0)
    const sent = [...simulateCall(callOf(scenario, SECONDS))].length
    expect(figures.items).toBeGreaterThan(0.99 * sent)
  })
})

describe("the machine's wall clock", () => {
  const scenario = scenarios[0] as (typeof scenarios)[number]

  it('is not read: a step of it changes nothing', () => {
    const run = (): unknown => {
      const {
        seconds: _seconds,
        usPerItem: _usPerItem,
        ...figures
      } = measureDrift(callOf(scenario, 120), 'live', judgedOf(scenario, 'live'))
      return figures
    }
    const before = run()
    const { now } = Date
    let calls = 0
    try {
      Date.now = () => now() + 3_600_000 * ++calls
      expect(run()).toEqual(before)
      expect(calls).toBe(0)
    } finally {
      Date.now = now
    }
  })

  it.each(MODES)('may be wrong when the recording begins, %s: sync stays', (mode) => {
    for (const byUs of [-86_400_000_000, -2_000_000, 2_000_000, 3_600_000_000]) {
      const figures = measureDrift(callOf(scenario, 120), mode, judgedOf(scenario, mode), {
        startedAtUs: STARTED_AT_US + byUs,
      })
      expect(figures.sync.worstMs).toBeLessThanOrEqual(40)
      expect(figures.backwards).toBe(0)
    }
  })
})
