import type { EncodedSample, TimedItem } from '@rushes/media'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Clip } from '../src/clip.js'
import { audio, opus, picture, size, sound, video } from './samples.js'

const call = fc
  .record({
    pictures: fc.uniqueArray(fc.nat(1000), { maxLength: 60 }),
    keyframes: fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
    sounds: fc.uniqueArray(fc.nat(50), { maxLength: 50 }),
  })
  .map(({ pictures, keyframes, sounds }): EncodedSample[] => {
    const v = pictures
      .sort((a, b) => a - b)
      .map((ms, i) =>
        picture(ms, i === 0 ? { keyframe: true, configuration: size(2, 2) } : { keyframe: keyframes[i] === true }),
      )
    const a = sounds.sort((x, y) => x - y).map((n, i) => sound(n * 20, i === 0 ? { configuration: opus } : {}))
    return [...v, ...a].sort((x, y) => ms(x) - ms(y))
  })

describe('Clip', () => {
  it('keeps every sample of the range, in order, begins each track with its configuration and video with a keyframe', () => {
    fc.assert(
      fc.property(call, fc.nat(1000), fc.integer({ min: 1, max: 1000 }), (samples, fromMs, lengthMs) => {
        const toMs = fromMs + lengthMs
        const clip = new Clip({ tracks: [video, audio], fromUs: fromMs * 1000, toUs: toMs * 1000 })
        const out: TimedItem[] = []
        for (const sample of samples) clip.push(sample, (item) => void out.push(item))
        const kept = out.filter((item) => item.type === 'sample')
        // In order, nothing invented, nothing of the range left out.
        const times = kept.map((sample) => `${sample.trackId}${ms(sample)}`)
        const all = samples.map((sample) => `${sample.trackId}${ms(sample)}`)
        expect(all.filter((name) => times.includes(name))).toEqual(times)
        for (const sample of samples) {
          if (ms(sample) >= fromMs && ms(sample) < toMs) expect(times).toContain(`${sample.trackId}${ms(sample)}`)
        }
        for (const sample of kept) expect(ms(sample)).toBeLessThan(toMs)
        for (const trackId of ['v', 'a']) {
          const first = kept.find((sample) => sample.trackId === trackId)
          if (first === undefined) continue
          expect(first.configuration, trackId).toBeDefined()
          expect(first.keyframe, trackId).toBe(true)
        }
      }),
    )
  })
})

function ms(sample: EncodedSample): number {
  return sample.pts / (sample.trackId === 'v' ? 90 : 48)
}
