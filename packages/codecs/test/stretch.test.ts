import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MAX_SPEED_CHANGE } from '../src/placement.js'
import { STRETCH_HISTORY, stretchBlock } from '../src/stretch.js'

const RATE = 48_000
const tone = (hz: number, at: number): number => Math.sin((2 * Math.PI * hz * at) / RATE)

function stretched(hz: number, samples: number, stretch: number): { output: Float32Array; ideal: Float32Array } {
  const history = Float32Array.from({ length: STRETCH_HISTORY }, (_, index) => tone(hz, index - STRETCH_HISTORY))
  const input = Float32Array.from({ length: samples }, (_, index) => tone(hz, index))
  const output = new Float32Array(samples + stretch)
  stretchBlock(history, input, 0, samples, stretch, output)
  const region = Math.min(samples - STRETCH_HISTORY, Math.ceil(Math.abs(stretch) / MAX_SPEED_CHANGE))
  const ideal = output.map((_, index) =>
    tone(hz, index < region + stretch ? (index * region) / (region + stretch) : index - stretch),
  )
  return { output, ideal }
}

test.each([200, 1000, 4000, 10_000, 16_000])('a tone of %i Hz stays a tone, 60 dB above what is added', (hz) => {
  for (const stretch of [-4, -1, 1, 4]) {
    const { output, ideal } = stretched(hz, 960, stretch)
    const noise = output.reduce((sum, value, index) => sum + (value - ideal[index]!) ** 2, 0)
    const signal = ideal.reduce((sum, value) => sum + value ** 2, 0)
    expect(10 * Math.log10(signal / noise)).toBeGreaterThan(60)
  }
})

test('begins and ends on the very samples of the block, and keeps a level', () => {
  fc.assert(
    fc.property(
      fc
        .integer({ min: 120, max: 5760 })
        .chain((samples) =>
          fc.tuple(
            fc.constant(samples),
            fc.integer({ min: -Math.floor(samples / 120), max: Math.floor(samples / 120) }),
          ),
        ),
      fc.float({ min: -1, max: 1, noNaN: true }),
      ([samples, stretch], level) => {
        const input = Float32Array.from({ length: samples }, (_, index) => Math.sin(index * index))
        const output = new Float32Array(samples + stretch)
        stretchBlock(new Float32Array(STRETCH_HISTORY), input, 0, samples, stretch, output)
        expect(output[0]).toBe(input[0])
        expect(output.subarray(-STRETCH_HISTORY)).toEqual(input.subarray(-STRETCH_HISTORY))
        const flat = new Float32Array(samples).fill(level)
        stretchBlock(flat.subarray(0, STRETCH_HISTORY), flat, 0, samples, stretch, output)
        expect(output.reduce((most, value) => Math.max(most, Math.abs(value - level)), 0)).toBeLessThan(1e-6)
      },
    ),
    { numRuns: 100 },
  )
})

test('no stretch changes nothing', () => {
  const input = Float32Array.from({ length: 960 }, (_, index) => Math.sin(index * 0.7))
  const output = new Float32Array(960)
  stretchBlock(new Float32Array(STRETCH_HISTORY), input, 0, 960, 0, output)
  expect(output).toEqual(input)
})
