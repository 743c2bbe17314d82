import type { AudioTrack, EncodedSample, TimedItem, Track } from '@rushes/media'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { OpusGapFiller } from '../src/index.js'

const tracks: readonly (Track & { timescale: number })[] = [
  { id: 'camera', kind: 'video', codec: 'h264', clockRate: 90_000, timescale: 90_000 },
  { id: 'voice', kind: 'audio', codec: 'opus', clockRate: 48_000, timescale: 48_000 },
  { id: 'other', kind: 'audio', codec: 'opus', clockRate: 48_000, timescale: 1_000_000 },
]

const item = fc.record({
  track: fc.nat(2),
  stepMs: fc.nat(1000),
  frames: fc.constantFrom(1, 2, 3),
  watermark: fc.boolean(),
})

it('gives every packet on unchanged, in order, and leaves no hole of a packet behind what has come', () => {
  fc.assert(
    fc.property(fc.array(item, { minLength: 1, maxLength: 25 }), (steps) => {
      const filler = new OpusGapFiller(tracks)
      const out: TimedItem[] = []
      const given: EncodedSample[] = []
      const ends = [0, 0, 0]
      let nowMs = 0
      for (const { track: index, stepMs, frames, watermark } of steps) {
        nowMs += stepMs
        const { id: trackId, timescale } = tracks[index]!
        // A packet of a track begins where the one before has ended at the earliest.
        if (nowMs < ends[index]!) continue
        const dts = (nowMs * timescale) / 1000
        if (watermark) filler.push({ type: 'watermark', trackId, dts }, (each) => out.push(each))
        else {
          ends[index] = nowMs + frames * 20
          const duration = (frames * 20 * timescale) / 1000
          const data = Uint8Array.of(given.length)
          const sample = { type: 'sample', trackId, data, pts: dts, dts, duration, keyframe: true } as const
          given.push(sample)
          filler.push(sample, (each) => out.push(each))
        }
      }
      const samples = out.filter((each): each is EncodedSample => each.type === 'sample')
      const known = new Set(given)
      expect(samples.filter((sample) => known.has(sample))).toEqual(given)
      expect(filler.stats.late).toBe(0)
      for (const { id, timescale } of tracks.slice(1) as (AudioTrack & { timescale: number })[]) {
        const own = samples.filter(({ trackId }) => trackId === id)
        // One assertion for all: a thousand runs of thousands of packets.
        const holes = own.slice(1).map((sample, index) => sample.dts - own[index]!.dts - own[index]!.duration!)
        expect(holes.filter((hole) => hole < 0 || hole >= timescale / 50)).toEqual([])
      }
    }),
  )
})
