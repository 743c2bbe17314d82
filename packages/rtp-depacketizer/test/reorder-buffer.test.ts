import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Insertion, ReorderBuffer } from '../src/reorder-buffer.js'
import { RtpPacket } from '../src/rtp-packet.js'

const LIMITS = { maxPackets: 2048, maxBytes: 1 << 23, maxDelayUs: 500_000, startPackets: 1, startDelayUs: 100_000 }

function setUp(limits: Partial<typeof LIMITS> = {}) {
  const counters = { duplicates: 0, reordered: 0, late: 0, lost: 0 }
  const delivered: (number | string)[] = []
  const buffer = new ReorderBuffer({ ...LIMITS, ...limits }, counters, {
    deliver: ({ sequenceNumber }, lost) =>
      delivered.push(lost === 0 ? sequenceNumber : `${lost} lost, ${sequenceNumber}`),
  })
  const push = (sequenceNumber: number, arrivalUs?: number, bytes = 100): number => {
    const packet = new RtpPacket()
    packet.sequenceNumber = sequenceNumber & 0xffff
    packet.arrivalUs = arrivalUs
    packet.bytes = new Uint8Array(bytes)
    return buffer.push(packet)
  }
  return { buffer, counters, delivered, push }
}

describe('order', () => {
  test.each<[string, number[], (number | string)[]]>([
    ['in order', [1, 2, 3], [1, 2, 3]],
    ['one overtaken', [1, 3, 2, 4], [1, 2, 3, 4]],
    ['across the wrap', [65_534, 0, 65_535, 1], [65_534, 65_535, 0, 1]],
    ['duplicates, before and after delivery', [1, 3, 3, 1, 2, 3], [1, 2, 3]],
    ['lost at the end of the input', [1, 2, 5], [1, 2, '2 lost, 5']],
    ['two gaps', [1, 3, 6, 7], [1, '1 lost, 3', '2 lost, 6', 7]],
    ['behind the first one', [10, 9, 11], [10, 11]],
  ])('%s', (_, sequenceNumbers, expected) => {
    const { buffer, delivered, push } = setUp()
    for (const sequenceNumber of sequenceNumbers) push(sequenceNumber)
    buffer.flush()
    expect(delivered).toEqual(expected)
    expect(buffer.size).toBe(0)
  })

  test('what comes in order passes at once, and is not kept', () => {
    const { delivered, push } = setUp()
    push(7)
    expect(push(8)).toBe(Insertion.delivered)
    expect(delivered).toEqual([7, 8])
  })

  test('late and duplicate are told apart by what was delivered', () => {
    const { buffer, counters, push } = setUp()
    for (const sequenceNumber of [1, 3]) push(sequenceNumber)
    buffer.flush()
    push(2)
    push(3)
    push(1)
    push(0)
    expect(counters).toEqual({ duplicates: 2, late: 2, lost: 1, reordered: 0 })
  })
})

describe('the start', () => {
  test('packets before the first to come are waited for, until there are enough', () => {
    const { delivered, push } = setUp({ startPackets: 4 })
    for (const sequenceNumber of [2, 1, 65_535]) push(sequenceNumber)
    expect(delivered).toEqual([])
    push(0)
    expect(delivered).toEqual([65_535, 0, 1, 2])
  })

  test('or until time is up', () => {
    const { buffer, delivered, push } = setUp({ startPackets: 4 })
    expect(buffer.nextDeadline()).toBeUndefined()
    push(2, 1000)
    push(1, 2000)
    expect(buffer.nextDeadline()).toBe(101_000)
    buffer.expire(100_999)
    expect(delivered).toEqual([])
    buffer.expire(101_000)
    expect(delivered).toEqual([1, 2])
    expect(buffer.nextDeadline()).toBeUndefined()
  })

  test('a duplicate does not count', () => {
    const { counters, delivered, push } = setUp({ startPackets: 2 })
    push(1)
    push(1)
    expect(delivered).toEqual([])
    expect(counters.duplicates).toBe(1)
  })
})

describe('bounds', () => {
  test('time: a gap is given up when the first packet behind it has waited long enough', () => {
    const { buffer, delivered, push } = setUp()
    push(1, 0)
    push(3, 10_000)
    push(5, 300_000)
    expect(buffer.nextDeadline()).toBe(510_000)
    buffer.expire(509_999)
    expect(delivered).toEqual([1])
    buffer.expire(510_000)
    expect(delivered).toEqual([1, '1 lost, 3'])
    expect(buffer.nextDeadline()).toBe(800_000)
    buffer.expire(2_000_000)
    expect(delivered).toEqual([1, '1 lost, 3', '1 lost, 5'])
  })

  test('packets: without arrival times the number bounds it', () => {
    const { buffer, delivered, push } = setUp({ maxPackets: 3 })
    for (const sequenceNumber of [1, 3, 4, 6]) push(sequenceNumber)
    expect(buffer.nextDeadline()).toBeUndefined()
    expect(delivered).toEqual([1])
    push(7)
    expect(delivered).toEqual([1, '1 lost, 3', 4])
    expect(buffer.size).toBe(2)
  })

  test('bytes', () => {
    const { delivered, push } = setUp({ maxBytes: 1000 })
    push(1)
    push(3, undefined, 600)
    push(5, undefined, 300)
    expect(delivered).toEqual([1])
    push(7, undefined, 200)
    expect(delivered).toEqual([1, '1 lost, 3'])
  })
})

describe('jumps', () => {
  test.each([
    [3001, Insertion.held],
    [3002, Insertion.jumpedAhead],
    [1 - 3000, Insertion.dropped],
    [1 - 3001, Insertion.jumpedBack],
  ])('to %i from 1 is %i', (sequenceNumber, insertion) => {
    const { push } = setUp()
    push(1)
    expect(push(sequenceNumber)).toBe(insertion)
  })

  test('what is held never spans more than the slots', () => {
    const { buffer, delivered, push } = setUp()
    push(0)
    push(2)
    push(3000)
    push(5000)
    expect(delivered).toEqual([0, '1 lost, 2', '2997 lost, 3000'])
    push(6000)
    buffer.flush()
    expect(delivered).toEqual([0, '1 lost, 2', '2997 lost, 3000', '1999 lost, 5000', '999 lost, 6000'])
  })

  test('a restart takes any number', () => {
    const { buffer, counters, delivered, push } = setUp()
    push(1)
    push(3)
    buffer.flush()
    buffer.restart()
    push(40_000)
    push(39_999)
    expect(delivered).toEqual([1, '1 lost, 3', 40_000])
    expect(counters).toMatchObject({ lost: 1, late: 1 })
  })
})

test('whatever comes, it goes out in order, once, with every number accounted for, and the bounds hold', () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: -20, max: 25 }) },
    fc.integer({ min: -3500, max: 3500 }),
  )
  const property = fc.property(
    fc.nat({ max: 65_535 }),
    fc.array(fc.record({ step, us: fc.nat({ max: 60_000 }), hasTime: fc.boolean() }), { maxLength: 150 }),
    fc.record({
      maxPackets: fc.integer({ min: 1, max: 40 }),
      maxBytes: fc.integer({ min: 100, max: 3000 }),
      startPackets: fc.integer({ min: 1, max: 20 }),
    }),
    (first, arrivals, limits) => {
      const { buffer, counters, push, delivered } = setUp(limits)
      let now = 0
      let number = first
      const results = [0, 0, 0, 0, 0]
      for (const arrival of arrivals) {
        number += arrival.step
        now += arrival.us
        buffer.expire(now)
        results[push(number, arrival.hasTime ? now : undefined)]!++
        expect(buffer.size).toBeLessThanOrEqual(limits.maxPackets + limits.startPackets)
        const deadline = buffer.nextDeadline()
        if (deadline !== undefined) expect(deadline).toBeLessThanOrEqual(now + LIMITS.maxDelayUs)
      }
      buffer.flush()
      let lost = 0
      let last: number | undefined
      for (const entry of delivered) {
        const [gap, sequenceNumber] =
          typeof entry === 'number' ? [0, entry] : (entry.split(' lost, ').map(Number) as [number, number])
        if (last !== undefined) expect((last + 1 + gap) & 0xffff).toBe(sequenceNumber)
        last = sequenceNumber
        lost += gap
      }
      expect(counters.lost).toBe(lost)
      const jumped = results[Insertion.jumpedAhead]! + results[Insertion.jumpedBack]!
      expect(delivered.length + counters.duplicates + counters.late + jumped).toBe(arrivals.length)
      expect(buffer.size).toBe(0)
    },
  )
  fc.assert(property)
})
