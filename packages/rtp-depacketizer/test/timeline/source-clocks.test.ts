import type { AudioFrame, SenderReport } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { SourceClocks } from '../../src/timeline/source-clocks.js'

const startedAtUs = 1_790_000_000_000_000

function report(
  trackId: string,
  atSeconds: number,
  rtpTimestamp: number,
  more: Partial<SenderReport> = {},
): SenderReport {
  return {
    type: 'sender-report',
    trackId,
    epoch: 0,
    clockRate: 48_000,
    ntpUs: startedAtUs + atSeconds * 1_000_000,
    rtpTimestamp,
    arrivalUs: atSeconds * 1_000_000 + 30_000,
    cname: 'c',
    ...more,
  }
}

function frame(trackId: string, rtpTimestamp: number, arrivalUs?: number): AudioFrame {
  return {
    type: 'audio-frame',
    trackId,
    epoch: 0,
    clockRate: 48_000,
    data: new Uint8Array(1),
    rtpTimestamp,
    ...(arrivalUs === undefined ? undefined : { arrivalUs }),
    marker: false,
    duration: 960,
    lossBefore: false,
  }
}

describe('SourceClocks', () => {
  it('places by NTP, not by arrival, when a report has come', () => {
    const clocks = new SourceClocks({ startedAtUs })
    clocks.observe(frame('a', 1000, 2_000_000))
    clocks.observe(report('a', 2, 49_000))
    expect(clocks.toTicks('a', 0, 48_000, 49_000)).toBe(96_000)
    expect(clocks.states()[0]).toMatchObject({ basis: 'sender-reports', reports: 1, ntpOffsetUs: 30_000, cname: 'c' })
  })

  it('places by the quickest arrival before the first report', () => {
    const clocks = new SourceClocks({ startedAtUs })
    clocks.observe(frame('a', 0, 1_080_000))
    clocks.observe(frame('a', 960, 1_050_000))
    clocks.observe(frame('a', 1920, 1_120_000))
    // 20 ms after its start the second frame was there at 1.05 s: so RTP time 0 is 1.03 s at the latest.
    expect(clocks.toTicks('a', 0, 48_000, 0)).toBe(1.03 * 48_000)
    expect(clocks.states()[0]?.basis).toBe('arrival')
  })

  it('takes the delay that a sibling shows off an arrival', () => {
    const clocks = new SourceClocks({ startedAtUs })
    clocks.observe(frame('video', 0, 1_040_000))
    clocks.observe(report('video', 1, 0))
    clocks.observe(frame('audio', 0, 1_040_000))
    expect(clocks.toTicks('audio', 0, 48_000, 0)).toBe(48_000)
  })

  it('starts at zero with the first unit where nothing is known', () => {
    const clocks = new SourceClocks()
    clocks.observe(frame('a', 123_456))
    expect(clocks.toTicks('a', 0, 48_000, 123_456)).toBe(0)
    expect(clocks.states()[0]?.basis).toBe('first-unit')
  })

  it('distrusts a clock more than 5 s off, yet keeps its tracks in sync', () => {
    const clocks = new SourceClocks({ startedAtUs })
    // The sender lives an hour ahead. Its video was captured at the same instant as its audio.
    clocks.observe(report('audio', 3600, 48_000, { arrivalUs: 1_030_000 }))
    clocks.observe(report('video', 3601, 96_000, { arrivalUs: 2_050_000 }))
    clocks.settle()
    const audio = clocks.toTicks('audio', 0, 48_000, 96_000)
    const video = clocks.toTicks('video', 0, 48_000, 96_000)
    expect(video).toBe(audio)
    expect(audio / 48_000).toBeCloseTo(2.03, 6)
    expect(clocks.states().map((state) => state.basis)).toEqual([
      'distrusted-sender-reports',
      'distrusted-sender-reports',
    ])
  })

  it('gives each epoch of a track a mapping of its own', () => {
    const clocks = new SourceClocks({ startedAtUs })
    clocks.observe(report('a', 1, 0))
    clocks.observe(report('a', 10, 5_000_000, { epoch: 1 }))
    expect(clocks.toTicks('a', 0, 48_000, 0)).toBe(48_000)
    expect(clocks.toTicks('a', 1, 48_000, 5_000_000)).toBe(480_000)
  })

  it('learns nothing once settled', () => {
    const clocks = new SourceClocks({ startedAtUs })
    clocks.observe(report('a', 1, 0))
    clocks.settle()
    clocks.observe(report('a', 5, 0))
    expect(clocks.toTicks('a', 0, 48_000, 0)).toBe(48_000)
  })

  it('stays bounded over a call of days', () => {
    const clocks = new SourceClocks({ startedAtUs })
    for (let i = 0; i < 50_000; i++) clocks.observe(report('a', i, i * 48_000))
    expect(clocks.states()[0]?.reports).toBeLessThanOrEqual(10_800)
  })
})
