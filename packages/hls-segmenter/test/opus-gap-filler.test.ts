import type { AudioTrack, EncodedSample, TimedItem } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { OpusGapFiller } from '../src/index.js'
import { camera, every, video } from './samples.js'

const voice: AudioTrack = { id: 'voice', kind: 'audio', codec: 'opus', clockRate: 48_000 }
const configuration = { kind: 'audio', codec: 'opus', codecString: 'opus', sampleRate: 48_000, channels: 1 } as const

/** An Opus packet of 20 ms. */
function packet(seconds: number, extra: Partial<EncodedSample> = {}): EncodedSample {
  const ticks = Math.round(seconds * 48_000)
  const data = Uint8Array.of(0x78, 1, 2)
  return { type: 'sample', trackId: 'voice', data, pts: ticks, dts: ticks, duration: 960, keyframe: true, ...extra }
}

function packets(from: number, to: number): EncodedSample[] {
  return Array.from({ length: Math.round((to - from) * 50) }, (_, index) => packet(from + index / 50))
}

function fill(items: readonly TimedItem[], filler = new OpusGapFiller([camera, voice])): TimedItem[] {
  const out: TimedItem[] = []
  for (const item of items) filler.push(item, (given) => out.push(given))
  filler.flush()
  return out
}

/** A picture now and then, which moves time on. */
const pictures = (from: number, to: number): EncodedSample[] => video(from, to, every(1))
const seconds = (item: TimedItem): number =>
  item.type === 'track-end' ? 0 : item.dts / (item.trackId === 'voice' ? 48_000 : 90_000)
const byTime = (...lists: EncodedSample[][]): EncodedSample[] => lists.flat().sort((a, b) => seconds(a) - seconds(b))
const sound = (items: readonly TimedItem[]): EncodedSample[] =>
  items.filter((item): item is EncodedSample => item.type === 'sample' && item.trackId === 'voice')
const isSilence = ({ data }: EncodedSample): boolean =>
  Buffer.from(data as Uint8Array).equals(Buffer.from('f8fffe', 'hex'))

describe('OpusGapFiller', () => {
  it('fills a mute with packets of 20 ms, without a hole or an overlap', () => {
    const out = sound(fill(byTime(pictures(0, 15), packets(0, 3), packets(13, 15))))
    expect(out.map(({ dts }) => dts)).toEqual(Array.from({ length: 750 }, (_, index) => index * 960))
    expect(out.filter(isSilence).map(({ dts }) => dts)).toEqual(
      Array.from({ length: 500 }, (_, index) => (150 + index) * 960),
    )
  })

  it('begins with the recording where the track begins late, and says what it is once', () => {
    const late = packets(2, 4).map((sample, index) => (index === 0 ? { ...sample, configuration } : sample))
    const out = sound(fill(byTime(pictures(0, 4), late)))
    expect(out).toHaveLength(200)
    expect(out.map((sample) => sample.configuration?.kind)).toEqual(['audio', ...Array(199).fill(undefined)])
    expect(out[0]!.configuration).toEqual({ ...configuration, channels: 2 })
  })

  it('keeps the configuration of a track that begins at once, and tells of more channels', () => {
    const first = packet(0, { configuration })
    const second = packet(0.02, { configuration })
    const stereo = packet(0.04, { configuration: { ...configuration, channels: 2 } })
    expect(sound(fill([first, second, stereo])).map((sample) => sample.configuration)).toEqual([
      configuration,
      undefined,
      { ...configuration, channels: 2 },
    ])
  })

  it('goes on after the end of the track, and by watermarks alone', () => {
    const out = sound(
      fill([
        packet(0, { configuration }),
        { type: 'track-end', trackId: 'voice' },
        { type: 'watermark', trackId: 'camera', dts: 90_000 },
      ]),
    )
    expect(out).toHaveLength(50)
  })

  it('leaves a hole of less than a packet to the times, and packets of other lengths alone', () => {
    const out = sound(
      fill([
        packet(0, { configuration, duration: 2880 }),
        packet(0.06, { duration: 480 }),
        packet(0.079),
        ...pictures(0.1, 0.2),
      ]),
    )
    expect(out.slice(0, 3).map(isSilence)).toEqual([false, false, false])
    expect(out[3]!.dts).toBe(Math.round(0.079 * 48_000) + 960)
  })

  it('begins with the first sample: a promise that lies before it is no sound', () => {
    const out = sound(fill([{ type: 'watermark', trackId: 'camera', dts: -90_000 }, ...pictures(0, 0.5)]))
    expect(out[0]?.dts).toBe(0)
  })

  it('drops what comes after silence has taken its place', () => {
    const filler = new OpusGapFiller([camera, voice])
    const out = fill([packet(0, { configuration }), ...pictures(0, 1), packet(0.5), packet(1)], filler)
    expect(filler.stats.late).toBe(1)
    const times = sound(out).map(({ dts }) => dts)
    expect(times).toEqual([...times].sort((a, b) => a - b))
    expect(new Set(times).size).toBe(times.length)
  })

  it('keeps several tracks in order of time, and comes a packet behind the others at most', () => {
    const other: AudioTrack = { ...voice, id: 'other', timescale: 24_000 }
    const timescales: Record<string, number> = { camera: 90_000, voice: 48_000, other: 24_000 }
    const filler = new OpusGapFiller([camera, voice, other])
    const out = fill([packet(0, { configuration }), ...pictures(2, 2.1)], filler)
    const samples = out.filter((item): item is EncodedSample => item.type === 'sample')
    const at = samples.map(({ trackId, dts }) => dts / timescales[trackId]!)
    let latest = 0
    for (const time of at) {
      expect(time).toBeGreaterThan(latest - 0.0201)
      latest = Math.max(latest, time)
    }
    const silent = at.filter((_, index) => samples[index]!.trackId !== 'camera')
    expect(silent).toEqual([...silent].sort((a, b) => a - b))
    expect(samples.filter(({ trackId }) => trackId === 'other')).toHaveLength(103)
  })

  it('gives up on a hole of more than ten minutes', () => {
    const filler = new OpusGapFiller([camera, voice])
    const out = sound(fill([packet(0, { configuration }), packet(1e6)], filler))
    expect(out).toHaveLength(2)
    expect(sound(fill([packet(1e6 + 599)], filler))).toHaveLength(1 + 599 * 50 - 1)
  })

  it('passes other codecs and strangers through', () => {
    const filler = new OpusGapFiller([camera])
    const items: TimedItem[] = [packet(0), ...pictures(0, 1), { type: 'track-end', trackId: 'camera' }]
    expect(fill(items, filler)).toEqual(items)
    expect(filler.stats).toEqual({ filled: 0, late: 0 })
    expect(() => filler.addTrack(camera)).toThrow(expect.objectContaining({ field: 'track.id' }))
  })
})
