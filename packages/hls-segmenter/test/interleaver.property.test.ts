import type { AudioTrack, EncodedSample, TimedItem } from '@rushes/media'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Interleaver } from '../src/index.js'

const timescales = [90_000, 48_000, 44_100, 1_000]
const tracks = timescales.map(
  (timescale, index): AudioTrack => ({
    id: String(index),
    kind: 'audio',
    codec: 'opus',
    clockRate: 48_000,
    timescale,
  }),
)
const exact = ({ trackId, dts }: { readonly trackId: string; readonly dts: number }): bigint => {
  // All timescales divide this many ticks a second.
  const common = 35_280_000n
  return BigInt(dts) * (common / BigInt(timescales[Number(trackId)] ?? 1))
}

/** Steps in ms between the samples of each track, and an order in which the tracks take turns. */
const arrivals = fc.record({
  steps: fc.array(fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 40 }), { minLength: 1, maxLength: 4 }),
  turns: fc.array(fc.nat({ max: 3 }), { maxLength: 200 }),
  watermarks: fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
})

function* sequence({
  steps,
  turns,
  watermarks,
}: {
  steps: number[][]
  turns: number[]
  watermarks: boolean[]
}): Generator<TimedItem> {
  const next = steps.map(() => 0)
  const nowMs = steps.map(() => 0)
  const left = (): boolean => steps.some((of, index) => (next[index] ?? 0) < of.length)
  for (let turn = 0; left(); turn++) {
    const track = (turns[turn] ?? turn) % steps.length
    const step = steps[track]?.[next[track] ?? 0]
    if (step === undefined) continue
    next[track] = (next[track] ?? 0) + 1
    nowMs[track] = (nowMs[track] ?? 0) + step
    const dts = Math.round(((nowMs[track] ?? 0) * (timescales[track] ?? 1)) / 1000)
    if (watermarks[turn % watermarks.length]) yield { type: 'watermark', trackId: String(track), dts }
    yield { type: 'sample', trackId: String(track), data: new Uint8Array(1), pts: dts, dts, keyframe: true }
  }
}

describe('Interleaver', () => {
  it('emits every sample once, in exact order of DTS, ties by track unless a watermark let one go before', () => {
    fc.assert(
      fc.property(arrivals, (input) => {
        const interleaver = new Interleaver(tracks.slice(0, input.steps.length), { maxHeldUs: 60_000_000 })
        const items = [...sequence(input)]
        const out: TimedItem[] = []
        for (const item of items) interleaver.push(item, (emitted) => out.push(emitted))
        interleaver.flush((emitted) => out.push(emitted))
        const samples = items.filter((item) => item.type === 'sample')
        const emitted = out.filter((item) => item.type === 'sample')
        expect(new Set(emitted)).toEqual(new Set(samples))
        expect(emitted).toHaveLength(samples.length)
        // Nothing that leaves, sample or watermark, is followed by anything before it.
        let last = -1n
        let lastTrack = '0'
        for (const item of out) {
          if (item.type === 'track-end') continue
          const at = exact(item)
          expect(at >= last).toBe(true)
          if (at === last && !input.watermarks.includes(true)) expect(item.trackId > lastTrack).toBe(true)
          last = at
          lastTrack = item.trackId
        }
        expect(interleaver.stats).toMatchObject({ late: 0, passedOver: 0, outOfOrder: 0, heldBytes: 0, heldSamples: 0 })
      }),
    )
  })

  it('holds no more than it may, and never reorders a track, however small the bounds', () => {
    fc.assert(
      fc.property(
        arrivals,
        fc.integer({ min: 1, max: 2_000_000 }),
        fc.integer({ min: 1, max: 20 }),
        (input, maxHeldUs, maxHeldBytes) => {
          const interleaver = new Interleaver(tracks.slice(0, input.steps.length), { maxHeldUs, maxHeldBytes })
          const items = [...sequence(input)]
          const out: EncodedSample[] = []
          const emit = (item: TimedItem): void => {
            if (item.type === 'sample') out.push(item)
          }
          for (const item of items) {
            interleaver.push(item, emit)
            expect(interleaver.stats.heldBytes).toBeLessThanOrEqual(maxHeldBytes)
          }
          interleaver.flush(emit)
          expect(out).toHaveLength(items.filter(({ type }) => type === 'sample').length)
          for (const { id } of tracks) {
            const own = out.filter(({ trackId }) => trackId === id).map(({ dts }) => dts)
            expect(own).toEqual([...own].sort((x, y) => x - y))
          }
          // Across tracks only late ones stand behind.
          let latest = -1n
          let behind = 0
          for (const sample of out) {
            if (exact(sample) < latest) behind++
            else latest = exact(sample)
          }
          expect(interleaver.stats.late).toBe(behind)
        },
      ),
    )
  })
})
