import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ReceptionStatistics } from '../../src/index.js'

describe('ReceptionStatistics', () => {
  test('loss is told per interval and altogether', () => {
    const statistics = new ReceptionStatistics(7, 90_000)
    for (const sequenceNumber of [65_533, 65_534, 1, 2]) statistics.packet(sequenceNumber, 0, 0)
    expect(statistics.report(0)).toMatchObject({
      ssrc: 7,
      extendedHighestSequenceNumber: 65_538,
      cumulativeLost: 2,
      fractionLost: Math.floor((2 * 256) / 6),
    })
    for (const sequenceNumber of [3, 4]) statistics.packet(sequenceNumber, 0, 0)
    expect(statistics.report(0)).toMatchObject({ cumulativeLost: 2, fractionLost: 0 })
  })

  test('duplicates make the total negative and the fraction zero', () => {
    const statistics = new ReceptionStatistics(7, 90_000)
    for (const sequenceNumber of [5, 5, 5, 6]) statistics.packet(sequenceNumber, 0, 0)
    expect(statistics.report(0)).toMatchObject({ cumulativeLost: -2, fractionLost: 0 })
  })

  test('a jump of the sequence begins anew', () => {
    const statistics = new ReceptionStatistics(7, 90_000)
    expect(statistics.packet(100, 0, 0)).toBe(true)
    expect(statistics.packet(30_000, 0, 0)).toBe(false)
    expect(statistics.report(0)).toMatchObject({ cumulativeLost: 0, extendedHighestSequenceNumber: 30_000 })
  })

  test('the last sender report comes back with its age', () => {
    const statistics = new ReceptionStatistics(7, 90_000)
    statistics.packet(1, 0, 0)
    expect(statistics.report(5)).toMatchObject({ lastSenderReport: 0, delaySinceLastSenderReport: 0 })
    statistics.senderReport(0xdead_beef, 1_000_000)
    expect(statistics.report(1_500_000)).toMatchObject({
      lastSenderReport: 0xdead_beef,
      delaySinceLastSenderReport: 32_768,
    })
  })

  test('jitter: a steady delay has none, a change of one packet counts a sixteenth', () => {
    const statistics = new ReceptionStatistics(7, 8000)
    for (let index = 0; index < 10; index++) statistics.packet(index, index * 160, 3_000_000 + index * 20_000)
    expect(statistics.jitter).toBe(0)
    // 10 ms late: 80 ticks.
    statistics.packet(10, 1600, 3_000_000 + 210_000)
    expect(statistics.jitter).toBe(5)
    expect(statistics.jitterUs).toBe(625)
  })

  test('jitter stands over the wrap of time and does not count packets of one picture twice', () => {
    const statistics = new ReceptionStatistics(7, 90_000)
    const start = 2 ** 32 - 9000
    for (let index = 0; index < 100; index++) {
      const timestamp = (start + index * 3000) % 2 ** 32
      // Three packets of a picture, paced over 9 ms.
      for (let part = 0; part < 3; part++) statistics.packet(index * 3 + part, timestamp, index * 33_333 + part * 3000)
    }
    expect(statistics.jitter).toBeLessThan(2)
  })

  test('what is lost is what was sent and did not come, whatever the order and the first number', () => {
    fc.assert(
      fc.property(
        fc.nat(65_535),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 300 }),
        fc.array(fc.nat(5), { minLength: 300, maxLength: 300 }),
        (first, comes, delays) => {
          const sent = comes.map((isThere, index) => ({ isThere: isThere || index === 0, index }))
          const arrived = sent
            .filter(({ isThere }) => isThere)
            // The first stays first: what is before it is not expected.
            .sort((a, b) =>
              a.index === 0 ? -1 : b.index === 0 ? 1 : a.index + delays[a.index]! - b.index - delays[b.index]!,
            )
          const statistics = new ReceptionStatistics(1, 90_000)
          for (const { index } of arrived) statistics.packet((first + index) & 0xffff, 0, 0)
          const highest = Math.max(...arrived.map(({ index }) => index))
          expect(statistics.expected).toBe(highest + 1)
          expect(statistics.cumulativeLost).toBe(highest + 1 - arrived.length)
          expect(statistics.report(0).extendedHighestSequenceNumber).toBe(first + highest)
        },
      ),
    )
  })
})
