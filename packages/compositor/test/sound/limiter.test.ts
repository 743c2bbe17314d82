import { expect, test } from 'vitest'
import { Limiter } from '../../src/sound/limiter.js'

const CEILING = 10 ** (-1 / 20)

/** What comes out of blocks of 20 ms, moved back to where it went in. */
function limited(rate: number, sound: Float32Array): { out: Float32Array; limiter: Limiter } {
  const block = rate / 50
  const limiter = new Limiter(rate, 1, block, -1)
  const all = new Float32Array(sound.length + block)
  for (let at = 0; at < sound.length + block; at += block) {
    const part = sound.subarray(at, at + block)
    all.set(limiter.process(part.length === 0 ? undefined : [part])[0]!, at)
  }
  return { out: all.subarray(limiter.delay, limiter.delay + sound.length), limiter }
}

test.each([48_000, 44_100])(
  'at %i Hz the gain moves in ramps: down in 5 ms, up more slowly, held within a wave',
  (rate) => {
    // A steady sound of one sign, so that each sample shows the gain, with peaks of all sizes on it.
    const sound = new Float32Array(2 * rate).fill(0.2)
    for (let index = 0; index < 12; index++) sound[Math.round(rate * (0.1 + index * 0.07))] = 0.5 * (index + 1)
    sound.fill(3, 1.2 * rate, 1.3 * rate)
    const { out, limiter } = limited(rate, sound)
    const gains = out.map((sample, index) => sample / sound[index]!)
    let fall = 0
    let rise = 0
    for (let index = 1; index < gains.length; index++) {
      fall = Math.max(fall, gains[index - 1]! - gains[index]!)
      rise = Math.max(rise, gains[index]! - gains[index - 1]!)
    }
    // A cut at the ceiling would be a step.
    expect(fall).toBeLessThan(1 / limiter.delay)
    expect(rise).toBeLessThan(1 / (0.029 * rate))
    expect(Math.max(...out)).toBeLessThanOrEqual(CEILING)
    // As loud as may be where it is loud, and the old gain a quarter of a second after it.
    expect(out[Math.round(1.25 * rate)]).toBeCloseTo(CEILING, 5)
    expect(out[Math.round(1.45 * rate)]! / sound[0]!).toBeGreaterThan(0.98)
    expect(out[1.9 * rate]).toBe(sound[0])
    expect(limiter.minGain).toBeCloseTo(CEILING / 6, 5)
  },
)

test('a low tone is made quieter as a whole: the gain does not ride on its wave', () => {
  const sound = Float32Array.from({ length: 48_000 }, (_, index) => 2 * Math.sin((2 * Math.PI * 50 * index) / 48_000))
  const { out } = limited(48_000, sound)
  for (let index = 24_000; index < 47_000; index++) expect(out[index]).toBeCloseTo(sound[index]! * (CEILING / 2), 4)
})

test('silence is silence, right after a loud sound too', () => {
  const limiter = new Limiter(48_000, 2, 960, -1)
  const loud = new Float32Array(960).fill(5)
  limiter.process([loud, loud])
  expect(
    limiter
      .process(undefined)[1]!
      .subarray(240)
      .every((sample) => sample === 0),
  ).toBe(true)
  for (let block = 0; block < 100; block++) {
    expect(limiter.process(undefined)[0]!.every((sample) => sample === 0)).toBe(true)
  }
})
