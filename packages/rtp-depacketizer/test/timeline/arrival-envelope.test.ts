import { describe, expect, it } from 'vitest'
import { ArrivalEnvelope, transitOf } from '../../src/timeline/arrival-envelope.js'
import { isTimestampJump } from '../../src/timeline/timestamp-jump.js'

const SECOND = 1_000_000

describe('ArrivalEnvelope', () => {
  it('keeps the quickest arrival of each stretch, in the order of time', () => {
    const envelope = new ArrivalEnvelope({ windowUs: SECOND, maxWindows: 10, whenFull: 'drop-oldest' })
    expect(envelope.add(100_000, 60_000)).toBe(true)
    expect(envelope.add(200_000, 180_000)).toBe(true)
    expect(envelope.add(300_000, 250_000)).toBe(false)
    expect(envelope.add(2_100_000, 2_000_000)).toBe(true)
    // One that was held back for another still counts for its own stretch.
    expect(envelope.add(1_500_000, 1_470_000)).toBe(true)
    expect(envelope.windows.map((window) => [window.index, transitOf(window)])).toEqual([
      [0, 20_000],
      [1, 30_000],
      [2, 100_000],
    ])
    expect(envelope.quickest(1_000_000, 3_000_000)?.index).toBe(1)
    expect(envelope.quickest(3_000_000, 4_000_000)).toBeUndefined()
    expect([0, 900_000, 1_700_000, 9_000_000].map((at) => envelope.nearest(at)?.index)).toEqual([0, 1, 1, 2])
  })

  it.each(['drop-oldest', 'thin'] as const)('is bounded: %s', (whenFull) => {
    const envelope = new ArrivalEnvelope({ windowUs: SECOND, maxWindows: 100, whenFull })
    for (let i = 0; i < 10_000; i++) envelope.add(i * SECOND, i * SECOND - 40_000)
    expect(envelope.windows.length).toBeLessThanOrEqual(100)
    expect(envelope.windows.at(-1)?.index).toBeGreaterThan(9990)
    if (whenFull === 'thin') expect(envelope.windows[0]?.index).toBe(0)
    else expect(envelope.windows[0]?.index).toBe(9900)
  })
})

describe('isTimestampJump', () => {
  it.each([
    ['a frame after another', 0.02, 0.02, false],
    ['twenty minutes of silence', 1200, 1200, false],
    ['a burst after a stall', 0.02, 0, false],
    ['a stall with loss, then a burst', 1, 0, false],
    ['a picture that is shown before the one before it', -0.1, 0.03, false],
    ['a device that paused, RTP time with it', 0.02, 30, false],
    ['ten seconds ahead', 10.02, 0.02, true],
    ['three seconds back', -3, 0.02, true],
  ])('%s', (_what, rtpSeconds, arrivalSeconds, jumped) => {
    expect(isTimestampJump(rtpSeconds, arrivalSeconds)).toBe(jumped)
  })
})
