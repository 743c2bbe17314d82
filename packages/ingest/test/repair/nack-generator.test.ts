import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NackGenerator } from '../../src/index.js'

const ms = (value: number): number => value * 1000

describe('NackGenerator', () => {
  test('a packet that is only overtaken is not asked for', () => {
    const nack = new NackGenerator()
    nack.received(1, 0)
    nack.received(3, ms(1))
    expect(nack.nextDeadline()).toBe(ms(11))
    nack.received(2, ms(5))
    expect(nack.due(ms(20))).toEqual([])
    expect(nack.stats).toMatchObject({ missing: 1, reordered: 1, requested: 0 })
  })

  test('a missing one is asked for in steps that grow, until it is of no use', () => {
    const nack = new NackGenerator()
    nack.received(1, 0)
    nack.received(3, 0)
    const asked: number[] = []
    for (let deadline = nack.nextDeadline(); deadline !== undefined; deadline = nack.nextDeadline()) {
      if (nack.due(deadline).length > 0) asked.push(deadline / 1000)
    }
    // 10 ms for reordering, then from 1.25 times the round trip that is assumed.
    expect(asked).toEqual([10, 110, 260, 485])
    expect(nack.stats).toMatchObject({ requested: 4, givenUp: 1 })
    expect(nack.size).toBe(0)
  })

  test('a short round trip makes it ask more often, up to the tries', () => {
    const nack = new NackGenerator({ maxTries: 3 })
    nack.observeRoundTrip(ms(2))
    nack.received(1, 0)
    nack.received(3, 0)
    const asked: number[] = []
    for (let deadline = nack.nextDeadline(); deadline !== undefined; deadline = nack.nextDeadline()) {
      if (nack.due(deadline).length > 0) asked.push(deadline / 1000)
    }
    expect(asked).toEqual([10, 30, 60])
  })

  test('the answer to a first request is a round trip', () => {
    const nack = new NackGenerator()
    nack.received(65_535, 0)
    nack.received(1, 0)
    expect(nack.due(ms(10))).toEqual([0])
    expect(nack.isMissing(0)).toBe(true)
    nack.received(0, ms(43))
    expect(nack.roundTripUs).toBe(ms(33))
    expect(nack.isMissing(0)).toBe(false)
    expect(nack.stats).toMatchObject({ repaired: 1 })
  })

  test('requests that are almost due go along', () => {
    const nack = new NackGenerator()
    nack.received(1, 0)
    nack.received(3, 0)
    nack.received(5, ms(4))
    expect(nack.due(ms(10))).toEqual([2, 4])
  })

  test('a jump is a restart and no loss', () => {
    const nack = new NackGenerator()
    nack.received(1, 0)
    nack.received(10_000, 0)
    expect(nack.size).toBe(0)
    nack.received(10_002, 0)
    expect(nack.due(ms(10))).toEqual([10_001])
  })

  test.each([
    ['nack.maxTries', { maxTries: 0 }],
    ['nack.maxMissing', { maxMissing: 1.5 }],
    ['nack.maxAgeUs', { maxAgeUs: -1 }],
    ['nack.reorderAllowanceUs', { reorderAllowanceUs: Number.NaN }],
  ])('%s is checked', (field, options) => {
    expect(() => new NackGenerator(options)).toThrow(expect.objectContaining({ code: 'BAD_CONFIGURATION', field }))
  })

  test('asks for what is missing and nothing else, a bounded number of times, within its bounds', () => {
    const step = fc.record({ advance: fc.nat(6), elapsed: fc.nat(30), repair: fc.nat(3) })
    fc.assert(
      fc.property(
        fc.nat(65_535),
        fc.array(step, { maxLength: 300 }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 5 }),
        (first, steps, maxMissing, maxTries) => {
          const nack = new NackGenerator({ maxMissing, maxTries })
          const missing = new Set<number>()
          const requests = new Map<number, number>()
          let nowUs = 0
          let highest = first
          nack.received(first & 0xffff, 0)
          for (const { advance, elapsed, repair } of steps) {
            nowUs += ms(elapsed)
            for (let lost = highest + 1; lost <= highest + advance; lost++) missing.add(lost)
            highest += advance + 1
            nack.received(highest & 0xffff, nowUs)
            for (const number of [...missing].slice(0, repair)) {
              missing.delete(number)
              nack.received(number & 0xffff, nowUs)
            }
            expect(nack.size).toBeLessThanOrEqual(maxMissing)
            const deadline = nack.nextDeadline()
            const due = nack.due(nowUs)
            if (due.length > 0) expect(deadline).toBeLessThanOrEqual(nowUs)
            for (const number of due) {
              const full = [...missing].find((known) => (known & 0xffff) === number)
              if (full === undefined) throw new Error(`asked for ${number}, which is not missing`)
              requests.set(full, (requests.get(full) ?? 0) + 1)
              expect(requests.get(full)).toBeLessThanOrEqual(maxTries)
            }
          }
          // In the end nothing is left to wake for.
          for (let deadline = nack.nextDeadline(); deadline !== undefined; deadline = nack.nextDeadline())
            nack.due(deadline)
          expect(nack.size).toBe(0)
          const { missing: found, repaired, reordered, givenUp } = nack.stats
          expect(repaired + reordered + givenUp).toBe(found)
        },
      ),
    )
  })
})
