import type { AccessUnit, AudioFrame, EncodedSample, SourceItem, TimedItem, VideoConfiguration } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { SourceClocks } from '../../src/timeline/source-clocks.js'
import { Timeline } from '../../src/timeline/timeline.js'

const startedAtUs = 1_790_000_000_000_000
const configuration: VideoConfiguration = {
  kind: 'video',
  codec: 'h264',
  codecString: 'avc1.42c01f',
  width: 640,
  height: 360,
  rotation: 0,
  reorderDepth: 0,
}

function picture(rtpTimestamp: number, more: Partial<AccessUnit> = {}): AccessUnit {
  return {
    type: 'access-unit',
    trackId: 'video',
    epoch: 0,
    clockRate: 90_000,
    nalUnits: [Uint8Array.of(0x65, 1)],
    rtpTimestamp,
    marker: true,
    keyframe: true,
    lossBefore: false,
    ...more,
  }
}

function audio(rtpTimestamp: number, more: Partial<AudioFrame> = {}): AudioFrame {
  return {
    type: 'audio-frame',
    trackId: 'audio',
    epoch: 0,
    clockRate: 48_000,
    data: Uint8Array.of(0x78),
    rtpTimestamp,
    marker: false,
    duration: 960,
    lossBefore: false,
    ...more,
  }
}

function run(timeline: Timeline, items: readonly SourceItem[]): TimedItem[] {
  const out: TimedItem[] = []
  for (const item of items) timeline.push(item, (sample) => out.push(sample))
  return out
}

const samples = (items: readonly TimedItem[]): EncodedSample[] => items.filter((item) => item.type === 'sample')

describe('Timeline', () => {
  it('without any knowledge starts at zero', () => {
    const out = samples(run(new Timeline(), [picture(5_000_000, { configuration }), picture(5_003_000)]))
    expect(out.map((sample) => [sample.pts, sample.dts])).toEqual([
      [0, 0],
      [3000, 3000],
    ])
    expect(out[0]?.configuration).toBe(configuration)
  })

  it('puts audio and video of one instant at one time, by reports known beforehand', () => {
    const clocks = new SourceClocks({ startedAtUs })
    const at = { epoch: 0, ntpUs: startedAtUs + 10_000_000, type: 'sender-report' } as const
    clocks.observe({ ...at, trackId: 'video', clockRate: 90_000, rtpTimestamp: 700_000 })
    clocks.observe({ ...at, trackId: 'audio', clockRate: 48_000, rtpTimestamp: -5000 })
    clocks.settle()
    const out = samples(run(new Timeline({ startedAtUs, clocks }), [picture(700_000), audio(-5000)]))
    expect(out.map((sample) => sample.pts)).toEqual([900_000, 480_000])
  })

  it('passes the pieces on and joins only when asked', () => {
    let joined = 0
    const unit: AccessUnit = {
      ...picture(0),
      pieces: [[Uint8Array.of(0x65), Uint8Array.of(1)]],
      get nalUnits() {
        joined++
        return [Uint8Array.of(0x65, 1)]
      },
    }
    const [sample] = samples(run(new Timeline(), [unit]))
    expect(sample?.pieces).toBe(unit.pieces)
    expect(joined).toBe(0)
    expect(sample?.data).toEqual([Uint8Array.of(0x65, 1)])
    expect(joined).toBe(1)
  })

  it('marks loss and a new source as a discontinuity, and places the new source by its own clock', () => {
    const clocks = new SourceClocks({ startedAtUs })
    const report = { type: 'sender-report', trackId: 'audio', clockRate: 48_000 } as const
    clocks.observe({ ...report, epoch: 0, ntpUs: startedAtUs, rtpTimestamp: 0 })
    clocks.observe({ ...report, epoch: 1, ntpUs: startedAtUs + 3_000_000, rtpTimestamp: 9_000_000 })
    clocks.settle()
    const out = samples(
      run(new Timeline({ clocks }), [
        audio(0),
        audio(1920, { lossBefore: true, lostPackets: 1 }),
        audio(9_000_000, { epoch: 1 }),
      ]),
    )
    expect(out.map((sample) => [sample.pts, sample.discontinuity ?? false, sample.lostPackets])).toEqual([
      [0, false, undefined],
      [1920, true, 1],
      [144_000, true, undefined],
    ])
  })

  it('promises for a silent track, behind its usual delay and the margin', () => {
    const timeline = new Timeline({ startedAtUs, watermarkMarginUs: 500_000 })
    const items: SourceItem[] = [picture(0, { arrivalUs: 40_000 }), audio(0, { arrivalUs: 40_000 })]
    for (let i = 1; i <= 100; i++) items.push(audio(i * 960, { arrivalUs: 40_000 + i * 20_000 }))
    const out = run(timeline, items)
    const marks = out.filter((item) => item.type === 'watermark')
    expect(marks.length).toBeGreaterThan(3)
    expect(marks.every((mark) => mark.trackId === 'video')).toBe(true)
    const last = marks.at(-1)
    // Now is 2.04 s; it may not promise past 1.54 s, and should not stay far behind.
    expect((last?.dts ?? 0) / 90_000).toBeLessThanOrEqual(1.54)
    expect((last?.dts ?? 0) / 90_000).toBeGreaterThan(1.1)
  })

  it('ends every track once', () => {
    const timeline = new Timeline()
    const out = run(timeline, [picture(0), audio(0), { type: 'track-end', trackId: 'audio' }])
    timeline.flush((item) => out.push(item))
    expect(out.filter((item) => item.type === 'track-end').map((item) => item.trackId)).toEqual(['audio', 'video'])
  })

  it('live, corrects towards the first report without a step back', () => {
    const timeline = new Timeline({ startedAtUs })
    const items: SourceItem[] = []
    for (let i = 0; i < 500; i++) {
      // Captured at i * 20 ms, arrives 60 ms later; the first report comes after 2.4 s.
      items.push(audio(i * 960, { arrivalUs: 60_000 + i * 20_000 }))
      if (i === 120) {
        items.push({
          type: 'sender-report',
          trackId: 'audio',
          epoch: 0,
          clockRate: 48_000,
          ntpUs: startedAtUs + 2_400_000,
          rtpTimestamp: 115_200,
          arrivalUs: 2_460_000,
        })
      }
    }
    const times = samples(run(timeline, items)).map((sample) => sample.pts)
    for (let i = 1; i < times.length; i++) expect(times[i] as number).toBeGreaterThan(times[i - 1] as number)
    expect(times[0]).toBe(2880)
    expect(times.at(-1)).toBe(499 * 960)
  })
})
