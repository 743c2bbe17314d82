import { expect, test, vi } from 'vitest'
import { monotonicClock } from '../src/clock.js'

test('counts whole microseconds forward', async () => {
  const before = monotonicClock.nowUs()
  await new Promise((resolve) => setTimeout(resolve, 20))
  const after = monotonicClock.nowUs()
  expect(Number.isSafeInteger(before)).toBe(true)
  expect(after - before).toBeGreaterThan(15_000)
})

test('wakes once, not before the deadline', async () => {
  const deadline = monotonicClock.nowUs() + 20_000
  // The timer is unreferenced; the test runner keeps the process alive.
  const wokenAt = await new Promise<number>((resolve) => {
    monotonicClock.schedule(deadline, () => resolve(monotonicClock.nowUs()))
  })
  // Node counts timers in milliseconds of its loop's time, which may be up to one behind.
  expect(wokenAt).toBeGreaterThanOrEqual(deadline - 1000)
})

test('a deadline that has passed wakes soon, and not within the call', async () => {
  let woken = false
  const done = new Promise<void>((resolve) => {
    monotonicClock.schedule(monotonicClock.nowUs() - 1_000_000, () => {
      woken = true
      resolve()
    })
  })
  expect(woken).toBe(false)
  await done
  expect(woken).toBe(true)
})

test('a cancelled wake does not come, and may be cancelled again', async () => {
  let woken = false
  const cancel = monotonicClock.schedule(monotonicClock.nowUs() + 5000, () => {
    woken = true
  })
  cancel()
  cancel()
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(woken).toBe(false)
})

test('a deadline alone does not keep a process alive', () => {
  const setTimeoutSpy = vi.spyOn(globalThis, 'setTimeout')
  try {
    const cancel = monotonicClock.schedule(monotonicClock.nowUs() + 60_000_000, () => {})
    expect(setTimeoutSpy.mock.results.map(({ value }) => (value as NodeJS.Timeout).hasRef())).toEqual([false])
    cancel()
  } finally {
    setTimeoutSpy.mockRestore()
  }
})
