import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FADE_SAMPLES } from '../src/continuous-audio.js'
import { ContinuousAudio } from '../src/index.js'

/** What comes out, in one piece per channel. */
function collector(channels: number): { sink: ContinuousAudio; sound: () => Float32Array[] } {
  const blocks: Float32Array[][] = Array.from({ length: channels }, () => [])
  const sink = new ContinuousAudio(channels, (planes, samples) => {
    for (let channel = 0; channel < channels; channel++) blocks[channel]!.push(planes[channel]!.slice(0, samples))
  })
  const joined = (pieces: readonly Float32Array[]): Float32Array => {
    const all = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
    let offset = 0
    for (const piece of pieces) {
      all.set(piece, offset)
      offset += piece.length
    }
    return all
  }
  return { sink, sound: () => blocks.map(joined) }
}

/** A sound in which every sample says where it belongs. */
const valueAt = (position: number, channel: number): number =>
  Math.fround(0.1 + (Math.abs(position * 37 + channel * 11) % 997) / 2000)

function packetAt(position: number, samples: number, channels: number): Float32Array[] {
  return Array.from({ length: channels }, (_, channel) =>
    Float32Array.from({ length: samples }, (_, index) => valueAt(position + index, channel)),
  )
}

const steps = fc.array(
  fc.record({
    samples: fc.constantFrom(120, 480, 960, 2880, 5760),
    // From the end so far: nothing, a hole, or an overlap; what is drift is looked at in another test.
    jump: fc.oneof(
      { weight: 3, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 960, max: 100_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: -20_000, max: -960 }) },
    ),
    watermark: fc.boolean(),
  }),
  { minLength: 1, maxLength: 25 },
)

test('each sample stands where it belongs, silence is zero, and only cuts are faded', () => {
  fc.assert(
    fc.property(
      steps,
      fc.constantFrom(1, 2),
      fc.integer({ min: -50_000, max: 1_000_000 }),
      (packets, channels, start) => {
        const { sink, sound } = collector(channels)
        const taken: { from: number; to: number }[] = []
        let end = start
        for (const { samples, jump, watermark } of packets) {
          const wanted = taken.length > 0 ? end + jump : start
          sink.place(wanted, packetAt(wanted, samples, channels), samples)
          const from = Math.max(wanted, end)
          const to = wanted + samples
          if (to > from) {
            const last = taken.at(-1)
            if (last?.to === from && wanted === from) last.to = to
            else taken.push({ from, to })
          }
          end = Math.max(end, to)
          if (watermark) sink.advance(to)
        }
        sink.flush()
        const out = sound()
        expect(sink.first).toBe(start)
        expect(sink.next).toBe(end)
        expect(out).toHaveLength(channels)
        for (const [channel, plane] of out.entries()) {
          expect(plane).toHaveLength(end - start)
          const want = new Float32Array(end - start)
          const exact = new Uint8Array(end - start).fill(1)
          for (const [index, { from, to }] of taken.entries()) {
            for (let position = from; position < to; position++) want[position - start] = valueAt(position, channel)
            if (index > 0) exact.fill(0, from - start, Math.min(to, from + FADE_SAMPLES) - start)
            // A cut that shortens a short piece fades what is before it too.
            if (index < taken.length - 1) exact.fill(0, Math.max(0, to - FADE_SAMPLES - start), to - start)
          }
          for (let index = 0; index < plane.length; index++) {
            const value = plane[index]!
            if (exact[index] === 1 ? value !== want[index] : Math.abs(value) > want[index]!) {
              expect({ index, value }).toEqual({ index, value: want[index] })
            }
          }
        }
        const { samplesIn, samplesOut, silenceSamples, droppedSamples, slewedSamples } = sink.stats
        expect(samplesOut).toBe(end - start)
        expect(samplesIn - droppedSamples + silenceSamples).toBe(samplesOut)
        expect(slewedSamples).toBe(0)
      },
    ),
    { numRuns: 150 },
  )
})

test('a tone from a clock that drifts is followed without a click', () => {
  fc.assert(
    fc.property(fc.integer({ min: -500, max: 500 }), fc.integer({ min: 100, max: 3000 }), (ppm, hz) => {
      const { sink, sound } = collector(1)
      const tone = (at: number): number => Math.sin((2 * Math.PI * hz * at) / 48_000)
      const packets = 150
      for (let index = 0; index < packets; index++) {
        const plane = Float32Array.from({ length: 960 }, (_, sample) => tone(index * 960 + sample))
        sink.place(Math.round(index * 960 * (1 + ppm / 1e6)), [plane], 960)
      }
      sink.flush()
      const [plane] = sound()
      expect(Math.abs(plane!.length - packets * 960 * (1 + ppm / 1e6))).toBeLessThanOrEqual(3)
      expect(sink.stats).toMatchObject({ silenceSamples: 0, droppedSamples: 0 })
      // A pure tone has x(n-1) + x(n+1) = 2 cos(w) x(n); a step of a hundredth would stand out.
      const c = 2 * Math.cos((2 * Math.PI * hz) / 48_000)
      let worst = 0
      for (let index = 1; index < plane!.length - 1; index++) {
        worst = Math.max(worst, Math.abs(plane![index - 1]! + plane![index + 1]! - c * plane![index]!))
      }
      // The speed change of 0.5 % alone makes (w * 0.005) * w of it.
      expect(worst).toBeLessThan(0.002 + ((2 * Math.PI * hz) / 48_000) ** 2 * 0.011)
    }),
    { numRuns: 60 },
  )
})
