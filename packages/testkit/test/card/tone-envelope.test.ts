import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ToneEnvelope } from '../../src/card/tone-envelope.js'
import { makeTone } from './make-tone.js'

describe('ToneEnvelope', () => {
  it('finds onsets to a quarter of a millisecond, whatever the phase and the chunks', () => {
    const chunks = fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 20 })
    const seed = fc.record({
      at: fc.integer({ min: 5000, max: 20_000 }),
      phase: fc.double({ min: 0, max: 6.28, noNaN: true }),
      chunks,
      tone: fc.constantFrom(400, 500, 600),
      start: fc.integer({ min: -1e9, max: 1e9 }),
    })
    fc.assert(
      fc.property(seed, ({ at, phase, chunks: sizes, tone: toneHz, start }) => {
        const samples = makeTone(toneHz, 30_000, [at], phase)
        const envelope = new ToneEnvelope(toneHz)
        let from = 0
        for (const size of [...sizes, 30_000]) {
          envelope.push(start + from, samples.subarray(from, from + size))
          from = Math.min(from + size, 30_000)
        }
        const onsets = envelope.onsets(0.05)
        expect(onsets.length).toBe(1)
        expect(Math.abs((onsets[0]?.atSample ?? 0) - start - at)).toBeLessThan(12)
        expect(onsets[0]?.level).toBeCloseTo(0.5, 2)
        expect(onsets[0]?.levelBefore).toBeCloseTo(0.02, 2)
      }),
      { numRuns: 200 },
    )
  })

  it('does not hear the tones of others', () => {
    const [own, other] = [makeTone(400, 96_000, [10_000]), makeTone(500, 96_000, [40_000])]
    const envelope = new ToneEnvelope(400)
    envelope.push(
      0,
      own.map((sample, i) => sample + (other[i] as number)),
    )
    expect(envelope.onsets(0.05).map(({ atSample }) => Math.round(atSample / 100))).toEqual([100])
  })

  it('finds nothing where there is nothing, and none that is cut off', () => {
    const quiet = new ToneEnvelope(400)
    quiet.push(0, makeTone(400, 48_000, []))
    expect(quiet.onsets(0.05)).toEqual([])
    const cut = new ToneEnvelope(400)
    cut.push(0, makeTone(400, 48_000, [-1000, 30_000]))
    expect(cut.onsets(0.05).length).toBe(1)
  })

  it('takes what is missing for silence', () => {
    const envelope = new ToneEnvelope(400)
    envelope.push(0, makeTone(400, 10_000, []))
    envelope.push(40_000, makeTone(400, 20_000, [10_000]))
    expect(envelope.onsets(0.05).map(({ atSample }) => Math.round(atSample / 100))).toEqual([500])
  })
})
