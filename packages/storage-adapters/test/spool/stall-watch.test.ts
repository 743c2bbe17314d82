import type { MonotonicClock } from '@rushes/media'
import { expect, it } from 'vitest'
import { SpoolTime } from '../../src/spool/spool-time.js'
import { StallWatch } from '../../src/spool/stall-watch.js'

/** A clock that a test moves on. */
class TestClock implements MonotonicClock {
  #nowUs = 0
  readonly #alarms = new Map<() => void, number>()

  nowUs(): number {
    return this.#nowUs
  }

  schedule(atUs: number, wake: () => void): () => void {
    this.#alarms.set(wake, atUs)
    return () => this.#alarms.delete(wake)
  }

  /** Moves on by so many milliseconds, and lets everybody who is due have their turn. */
  async advance(ms: number): Promise<void> {
    const untilUs = this.#nowUs + ms * 1000
    for (;;) {
      // Those who were woken wait for the next time only after a turn of the event loop.
      await new Promise(setImmediate)
      const [next] = [...this.#alarms].filter(([, atUs]) => atUs <= untilUs).sort(([, a], [, b]) => a - b)
      if (next === undefined) break
      const [wake, atUs] = next
      this.#alarms.delete(wake)
      this.#nowUs = Math.max(this.#nowUs, atUs)
      wake()
    }
    this.#nowUs = untilUs
  }

  get alarms(): number {
    return this.#alarms.size
  }
}

function watched(stallMs: number) {
  const clock = new TestClock()
  const stalls: number[] = []
  const watch = new StallWatch(new SpoolTime(clock, () => 0), stallMs, (stillMs) => stalls.push(stillMs))
  return { clock, watch, stalls }
}

it('says once that nothing moves', async () => {
  const { clock, stalls } = watched(10_000)
  await clock.advance(9_999)
  expect(stalls).toEqual([])
  await clock.advance(60_000)
  expect(stalls).toEqual([10_000])
  expect(clock.alarms).toBe(0)
})

it('lets what is slow go on for as long as something moves', async () => {
  const { clock, watch, stalls } = watched(10_000)
  for (let answers = 0; answers < 100; answers += 1) {
    await clock.advance(9_000)
    watch.moved(0)
  }
  expect(stalls).toEqual([])
  await clock.advance(10_000)
  expect(stalls).toEqual([10_000])
})

it('gives bytes that are out of sight the time that they take on a slow line, until there is an answer', async () => {
  const { clock, watch, stalls } = watched(10_000)
  for (let blocks = 0; blocks < 2; blocks += 1) watch.moved(102_400)
  await clock.advance(209_999)
  expect(stalls).toEqual([])
  watch.moved(0)
  await clock.advance(10_000)
  expect(stalls).toEqual([10_000])
})

it('waits half an hour at most, however much is under way', async () => {
  const { clock, watch, stalls } = watched(10_000)
  for (let blocks = 0; blocks < 1000; blocks += 1) watch.moved(131_072)
  await clock.advance(2_057_999)
  expect(stalls).toEqual([])
  await clock.advance(1)
  expect(stalls).toEqual([2_058_000])
})

it('does not count the time of a pause', async () => {
  const { clock, watch, stalls } = watched(10_000)
  let resume: () => void = () => {}
  const paused = watch.pause(
    new Promise((resolve) => {
      resume = resolve
    }),
  )
  await clock.advance(100_000)
  expect(stalls).toEqual([])
  resume()
  await paused
  await clock.advance(9_999)
  expect(stalls).toEqual([])
  await clock.advance(1)
  expect(stalls).toEqual([10_000])
})

it('says nothing once the transfer is over', async () => {
  const { clock, watch, stalls } = watched(10_000)
  watch.stop()
  await clock.advance(100_000)
  expect(stalls).toEqual([])
  expect(clock.alarms).toBe(0)
})
