import { type BackOff, longestDelayMs } from '@rushes/media'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backOffOf } from '../src/back-off.js'
import { DeliverySchedule, type ScheduledDelivery, type ScheduleLimits } from '../src/delivery-schedule.js'

interface Item extends ScheduledDelivery {
  readonly number: number
}

type Step =
  | { readonly do: 'add'; readonly lane: string }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'settle'; readonly which: number; readonly status: 'delivered' | 'retry' | 'rejected' }
  | { readonly do: 'release'; readonly which: number }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('add' as const), lane: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 5000 }) }),
    fc.record({
      do: fc.constant('settle' as const),
      which: fc.nat(5),
      status: fc.constantFrom('delivered' as const, 'retry' as const, 'retry' as const, 'rejected' as const),
    }),
    fc.record({ do: fc.constant('release' as const), which: fc.nat(5) }),
  ),
  { maxLength: 120 },
)

const limits: fc.Arbitrary<ScheduleLimits> = fc
  .record({
    firstMs: fc.integer({ min: 1, max: 2000 }),
    longer: fc.integer({ min: 0, max: 10_000 }),
    factor: fc.double({ min: 1, max: 4, noNaN: true }),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    maxAttempts: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(Infinity)),
    maxAgeMs: fc.integer({ min: 0, max: 20_000 }),
    maxConcurrent: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ firstMs, longer, factor, jitter, ...rest }) => ({
    ...rest,
    backOff: backOffOf({ firstMs, maxMs: firstMs + longer, factor, jitter }),
  }))

/** Runs steps, then lets everything that is left be delivered; checks what must hold at each step. */
function check(limits: ScheduleLimits, script: readonly Step[], chance: number): void {
  const schedule = new DeliverySchedule<Item>(limits, () => chance)
  const added: Item[] = []
  const begun: Item[] = []
  const done: Item[] = []
  const notBefore = new Map<Item, number>()
  let nowMs = 0
  const begin = (): void => {
    for (let item = schedule.next(nowMs); item !== undefined; item = schedule.next(nowMs)) {
      expect(nowMs).toBeGreaterThanOrEqual(notBefore.get(item) ?? 0)
      // All that was added to the lane before it is done, and it is not.
      const before = added.filter(({ lane, number }) => lane === item.lane && number < item.number)
      expect(before.every((earlier) => done.includes(earlier))).toBe(true)
      expect(done).not.toContain(item)
      begun.push(item)
    }
    expect(begun.length).toBeLessThanOrEqual(limits.maxConcurrent)
    expect(new Set(begun.map(({ lane }) => lane)).size).toBe(begun.length)
    expect(schedule.inFlight).toBe(begun.length)
    expect(schedule.size).toBe(added.length - done.length)
    const deadline = schedule.nextDeadline()
    if (deadline !== undefined) expect(deadline).toBeGreaterThan(nowMs)
  }
  const settle = (item: Item, status: 'delivered' | 'retry' | 'rejected'): void => {
    begun.splice(begun.indexOf(item), 1)
    const attempts = item.attempts
    const settled = schedule.settle(item, { status }, nowMs)
    if (settled.state === 'waiting') {
      expect(status).toBe('retry')
      expect(item.attempts).toBe(attempts + 1)
      checkDelay(limits.backOff, item, settled.dueMs - nowMs, limits, nowMs)
      notBefore.set(item, settled.dueMs)
      return
    }
    if (settled.state === 'failed') {
      if (settled.because === 'rejected') expect(status).toBe('rejected')
      if (settled.because === 'attempts') expect(item.attempts).toBe(limits.maxAttempts)
      if (settled.because === 'age') expect(nowMs - item.queuedAtMs).toBeGreaterThanOrEqual(limits.maxAgeMs)
    } else {
      expect(status).toBe('delivered')
    }
    done.push(item)
  }
  for (const step of script) {
    const item = begun[('which' in step ? step.which : 0) % Math.max(1, begun.length)]
    if (step.do === 'add') {
      const added1: Item = { lane: step.lane, number: added.length, queuedAtMs: nowMs, attempts: 0, dueMs: nowMs }
      added.push(added1)
      schedule.add(added1)
    } else if (step.do === 'wait') {
      nowMs += step.ms
    } else if (item !== undefined && step.do === 'settle') {
      settle(item, step.status)
    } else if (item !== undefined && step.do === 'release') {
      begun.splice(begun.indexOf(item), 1)
      schedule.release(item)
      notBefore.delete(item)
    }
    begin()
  }
  for (let round = 0; schedule.size > 0; round += 1) {
    expect(round).toBeLessThanOrEqual(3 * added.length)
    for (const item of begun.slice()) settle(item, 'delivered')
    nowMs = Math.max(nowMs, schedule.nextDeadline() ?? nowMs)
    begin()
  }
  // Nothing is lost and nothing is delivered twice, in the order of each lane.
  for (const lane of ['a', 'b', 'c']) {
    const numbers = (items: readonly Item[]): number[] => items.filter((i) => i.lane === lane).map((i) => i.number)
    expect(numbers(done)).toEqual(numbers(added))
  }
}

function checkDelay(backOff: BackOff, item: Item, waitMs: number, { maxAgeMs }: ScheduleLimits, nowMs: number): void {
  const longest = longestDelayMs(backOff, item.attempts)
  const leftMs = item.queuedAtMs + maxAgeMs - nowMs
  expect(waitMs).toBeLessThanOrEqual(Math.min(Math.ceil(longest), leftMs))
  expect(waitMs).toBeGreaterThanOrEqual(Math.min(Math.floor(longest * (1 - backOff.jitter)), leftMs))
}

describe('DeliverySchedule', () => {
  it('keeps the order of each lane, loses nothing, and stays within its limits', () => {
    fc.assert(
      fc.property(
        limits,
        steps,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (limits, script, chance) => check(limits, script, chance),
      ),
    )
  })

  it('a lane that waits holds no other back', () => {
    const schedule = new DeliverySchedule<Item>(
      { backOff: backOffOf({ jitter: 0 }), maxAttempts: Infinity, maxAgeMs: 1e9, maxConcurrent: 1 },
      () => 0,
    )
    const item = (lane: string, number: number): Item => ({ lane, number, queuedAtMs: 0, attempts: 0, dueMs: 0 })
    for (let number = 0; number < 3; number += 1) for (const lane of ['slow', 'quick']) schedule.add(item(lane, number))
    const order: string[] = []
    for (let next = schedule.next(0); next !== undefined; next = schedule.next(0)) {
      order.push(`${next.lane} ${next.number}`)
      schedule.settle(next, { status: next.lane === 'slow' ? 'retry' : 'delivered' }, 0)
    }
    expect(order).toEqual(['slow 0', 'quick 0', 'quick 1', 'quick 2'])
    expect(schedule.nextDeadline()).toBe(1000)
  })

  it('of those that are due, takes the one that waits longest, so that a long queue does not starve a short one', () => {
    const schedule = new DeliverySchedule<Item>(
      { backOff: backOffOf(), maxAttempts: Infinity, maxAgeMs: 1e9, maxConcurrent: 1 },
      () => 0,
    )
    const add = (lane: string, number: number, dueMs: number): void =>
      schedule.add({ lane, number, queuedAtMs: 0, attempts: 0, dueMs })
    for (let number = 0; number < 10; number += 1) add('long', number, 0)
    add('short', 0, 5)
    const first = schedule.next(10)
    expect(first?.lane).toBe('long')
    if (first !== undefined) schedule.settle(first, { status: 'delivered' }, 10)
    expect(schedule.next(10)?.lane).toBe('short')
  })

  it('makes a last attempt when the age is reached', () => {
    const schedule = new DeliverySchedule<Item>(
      { backOff: backOffOf({ firstMs: 60_000, jitter: 0 }), maxAttempts: Infinity, maxAgeMs: 90_000, maxConcurrent: 1 },
      () => 0,
    )
    schedule.add({ lane: 'a', number: 0, queuedAtMs: 0, attempts: 0, dueMs: 0 })
    const states: string[] = []
    for (let nowMs: number | undefined = 0; nowMs !== undefined; nowMs = schedule.nextDeadline()) {
      const item = schedule.next(nowMs)
      if (item === undefined) break
      states.push(`${nowMs} ${schedule.settle(item, { status: 'retry' }, nowMs).state}`)
    }
    expect(states).toEqual(['0 waiting', '60000 waiting', '90000 failed'])
  })

  it('waits as long as the receiver asks', () => {
    const schedule = new DeliverySchedule<Item>(
      { backOff: backOffOf(), maxAttempts: Infinity, maxAgeMs: 1e9, maxConcurrent: 1 },
      () => 0.5,
    )
    schedule.add({ lane: 'a', number: 0, queuedAtMs: 0, attempts: 0, dueMs: 0 })
    const item = schedule.next(0)
    if (item !== undefined) schedule.settle(item, { status: 'retry', retryAfterMs: 7000 }, 0)
    expect(schedule.nextDeadline()).toBe(7000)
  })

  it('refuses to settle what is not in flight', () => {
    const schedule = new DeliverySchedule<Item>(
      { backOff: backOffOf(), maxAttempts: 1, maxAgeMs: 1, maxConcurrent: 1 },
      () => 0,
    )
    const item: Item = { lane: 'a', number: 0, queuedAtMs: 0, attempts: 0, dueMs: 0 }
    schedule.add(item)
    expect(() => schedule.settle(item, { status: 'delivered' }, 0)).toThrow(RangeError)
  })
})
