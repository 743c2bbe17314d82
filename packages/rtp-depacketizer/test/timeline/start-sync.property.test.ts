import type { TimedItem } from '@rushes/media'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CallFaults } from '../../../../test/long/call-faults.js'
import {
  type CallOptions,
  type SimulatedItem,
  STARTED_AT_US,
  simulateCall,
} from '../../../../test/long/call-simulator.js'
import { Timeline } from '../../src/timeline/timeline.js'

const SECONDS = 15

/** Sound that arrives later than its picture by so much more. */
function withLateSound(call: CallOptions, lateUs: number): SimulatedItem[] {
  const items = [...simulateCall(call)].map((one): SimulatedItem => {
    if (one.item.type !== 'audio-frame') return one
    const item = { ...one.item, arrivalUs: (one.item.arrivalUs as number) + lateUs }
    return { ...one, item, deliveredUs: one.deliveredUs + lateUs }
  })
  return items.sort((a, b) => a.deliveredUs - b.deliveredUs)
}

interface Placed {
  /** The worst of sound against picture, milliseconds. */
  readonly worstMs: number
  readonly samples: number
  readonly backwards: number
  /** Watermarks that a later sample broke. */
  readonly broken: number
  /** From the first unit to when samples came out, microseconds of arrival. */
  readonly heldUs: number
}

function place(items: readonly SimulatedItem[], startHoldUs: number): Placed {
  const timeline = new Timeline({ startedAtUs: STARTED_AT_US, startHoldUs })
  // Announced, so that promises are made for them.
  timeline.addTrack({ id: 'audio-0', kind: 'audio', codec: 'opus', clockRate: 48_000 })
  timeline.addTrack({ id: 'video-0', kind: 'video', codec: 'h264', clockRate: 90_000 })
  const units = new Map<string, SimulatedItem>()
  const keyOf = (trackId: string, arrivalUs: number | undefined): string => `${trackId} ${arrivalUs}`
  const errors: { readonly kind: string; readonly trueUs: number; readonly errorUs: number }[] = []
  const last = new Map<string, number>()
  const promised = new Map<string, number>()
  let [samples, backwards, broken, heldUs] = [0, 0, 0, -1]
  let nowUs = 0
  const look = (out: TimedItem): void => {
    if (out.type === 'watermark') promised.set(out.trackId, out.dts)
    if (out.type !== 'sample') return
    const unit = units.get(keyOf(out.trackId, out.arrivalUs))
    if (unit?.trueUs === undefined) throw new Error('a sample of nothing')
    if (heldUs < 0)
      heldUs = nowUs - ((items.find(({ trueUs }) => trueUs !== undefined) as SimulatedItem).deliveredUs ?? 0)
    samples++
    if (out.dts <= (last.get(out.trackId) ?? Number.NEGATIVE_INFINITY)) backwards++
    if (out.dts < (promised.get(out.trackId) ?? Number.NEGATIVE_INFINITY)) broken++
    last.set(out.trackId, out.dts)
    const kind = unit.item.type
    errors.push({ kind, trueUs: unit.trueUs, errorUs: (out.pts * 1e6) / unit.item.clockRate - unit.trueUs })
  }
  for (const one of items) {
    const { item } = one
    nowUs = item.arrivalUs as number
    if (item.type !== 'sender-report') units.set(keyOf(item.trackId, item.arrivalUs), one)
    timeline.push(item, look)
  }
  timeline.flush(look)
  const video = errors.filter(({ kind }) => kind === 'access-unit')
  const audio = errors.filter(({ kind }) => kind === 'audio-frame').sort((a, b) => a.trueUs - b.trueUs)
  let worstUs = 0
  let at = 0
  for (const { trueUs, errorUs } of video.sort((a, b) => a.trueUs - b.trueUs)) {
    while (at + 1 < audio.length && (audio[at + 1]?.trueUs as number) <= trueUs) at++
    worstUs = Math.max(worstUs, Math.abs((audio[at]?.errorUs as number) - errorUs))
  }
  return { worstMs: worstUs / 1000, samples, backwards, broken, heldUs }
}

const ppm = fc.integer({ min: -500, max: 500 })
const faults: fc.Arbitrary<CallFaults> = fc.record(
  {
    firstReportSeconds: fc.record({
      audio: fc.double({ min: 0.1, max: 4.5, noNaN: true }),
      video: fc.double({ min: 0.1, max: 4.5, noNaN: true }),
    }),
    wrongNtp: fc.record({ byUs: fc.constantFrom(7 * 365 * 86_400_000_000, 3_600_000_000, -2_000_000) }),
    delayDrift: fc.constant(true),
  },
  { requiredKeys: ['firstReportSeconds'] },
)
const calls: fc.Arbitrary<CallOptions> = fc.record({
  seed: fc.nat(),
  seconds: fc.constant(SECONDS),
  participants: fc.tuple(fc.record({ ntpPpm: ppm, audioPpm: ppm, videoPpm: ppm })),
  recorderPpm: ppm,
  faults,
})

describe('a timeline that waits for the first reports', () => {
  it('is in sync from the first picture on, and loses, breaks and reorders nothing', () => {
    fc.assert(
      fc.property(calls, fc.integer({ min: 0, max: 125_000 }), (call, lateUs) => {
        const items = withLateSound(call, lateUs)
        const { worstMs, samples, backwards, broken, heldUs } = place(items, 5_000_000)
        expect(worstMs).toBeLessThanOrEqual(40)
        expect(samples).toBe(items.filter(({ trueUs }) => trueUs !== undefined).length)
        expect([backwards, broken]).toEqual([0, 0])
        expect(heldUs).toBeLessThanOrEqual(5_000_000)
      }),
      { numRuns: 100 },
    )
  })

  it('is needed for that', () => {
    const call: CallOptions = {
      seed: 1,
      seconds: SECONDS,
      participants: [{ ntpPpm: 0, audioPpm: 0, videoPpm: 0 }],
      faults: { firstReportSeconds: { audio: 3.5, video: 0.5 } },
    }
    expect(place(withLateSound(call, 120_000), 0).worstMs).toBeGreaterThan(100)
    expect(place(withLateSound(call, 120_000), 5_000_000).worstMs).toBeLessThan(15)
  })
})
