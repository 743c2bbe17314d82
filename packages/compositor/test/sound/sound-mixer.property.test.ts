import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SoundMixer } from '../../src/sound/sound-mixer.js'
import { Mixed, mixAll } from './mixed.js'

const CEILING = 10 ** (-1 / 20)
const LENGTH = 9000

/** Noise in bursts: made from numbers, so that runs can be repeated. */
function soundOf(seed: number, amplitude: number, from: number, count: number): Float32Array {
  const plane = new Float32Array(LENGTH)
  let state = seed | 1
  for (let index = from; index < Math.min(LENGTH, from + count); index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    plane[index] = amplitude * ((state >>> 8) / 2 ** 23 - 1)
  }
  return plane
}

const source = fc.record({
  seed: fc.integer({ min: 1, max: 1e9 }),
  amplitude: fc.constantFrom(0.01, 0.3, 1, 4),
  from: fc.integer({ min: 0, max: LENGTH }),
  count: fc.integer({ min: 0, max: LENGTH }),
  stereo: fc.boolean(),
  cuts: fc.array(fc.integer({ min: 1, max: LENGTH - 1 }), { maxLength: 6 }),
})

const control = fc.record({
  person: fc.integer({ min: 0, max: 3 }),
  kind: fc.constantFrom('gain', 'muted', 'solo'),
  db: fc.integer({ min: -30, max: 12 }),
  at: fc.integer({ min: 0, max: LENGTH }),
})

test('whatever the order and the pieces of writing and mixing: the same sound to the bit, none over the ceiling', () => {
  fc.assert(
    fc.property(
      fc.array(source, { minLength: 1, maxLength: 4 }),
      fc.array(control, { maxLength: 4 }),
      fc.array(fc.integer({ min: 0, max: LENGTH }), { maxLength: 5 }),
      fc.constantFrom(48_000, 44_100),
      fc.constantFrom(1, 2),
      fc.infiniteStream(fc.integer({ min: 0, max: 1000 })),
      (sources, controls, stops, sampleRate, channels, dice) => {
        const planes = sources.map(({ seed, amplitude, from, count, stereo }) => {
          const left = soundOf(seed, amplitude, from, count)
          return stereo ? [left, soundOf(seed + 7, amplitude, from, count)] : [left]
        })
        const options = { sampleRate, channels, levelling: true } as const
        const make = (order: readonly number[]): SoundMixer => {
          const mixer = new SoundMixer(options)
          for (const index of order) mixer.addSource(`source-${index}`, `person-${index % 3}`)
          for (const { person, kind, db, at } of controls) {
            if (kind === 'gain') mixer.setGain(`person-${person}`, db, at)
            else if (kind === 'muted') mixer.setMuted(`person-${person}`, db > 0, at)
            else mixer.setSolo(`person-${person}`, db > 0, at)
          }
          return mixer
        }
        const order = sources.map((_, index) => index)
        const whole = make(order)
        for (const index of order) whole.write(`source-${index}`, planes[index]!, LENGTH, 0)
        const want = mixAll(whole, LENGTH)
        for (const plane of want.planes) {
          expect(plane).toHaveLength(LENGTH)
          for (const sample of plane) if (!(Math.abs(sample) <= CEILING)) expect(sample).toBeLessThanOrEqual(CEILING)
        }

        // The same in pieces, which come in any order as long as they are not late.
        const pieces = sources.flatMap(({ cuts }, index) => {
          const borders = [...new Set([0, ...cuts, LENGTH])].sort((a, b) => a - b)
          return borders.slice(1).map((to, at) => ({ index, from: borders[at]!, to, die: dice.next().value as number }))
        })
        const mixer = make([...order].reverse())
        const out = new Mixed()
        let left = pieces
        for (const stop of [...stops.sort((a, b) => a - b), LENGTH]) {
          const due = left.filter(({ from, die }) => from < stop || die > 500).sort((a, b) => a.die - b.die)
          left = left.filter((piece) => !due.includes(piece))
          for (const { index, from, to } of due) {
            const part = planes[index]!.map((plane) => plane.subarray(from, to))
            mixer.write(`source-${index}`, part, to - from, from)
          }
          mixer.mixTo(stop, out.sink)
        }
        mixer.flush(LENGTH, out.sink)
        expect(mixer.stats.lateSamples).toBe(0)
        for (let channel = 0; channel < channels; channel++) {
          expect(Buffer.from(out.plane(channel).buffer).equals(Buffer.from(want.plane(channel).buffer))).toBe(true)
        }
      },
    ),
    { numRuns: 150 },
  )
})

test('the limiter changes nothing where nothing is over the ceiling, and what it changes is over soon', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e9 }),
      fc.double({ min: 0.9, max: 20, noNaN: true }),
      fc.integer({ min: 0, max: 3000 }),
      fc.integer({ min: 1, max: 2000 }),
      (seed, amplitude, from, count) => {
        const mixer = new SoundMixer({ channels: 1 })
        mixer.addSource('a', 'alice')
        const length = 30_000
        const sound = new Float32Array(length)
        sound.set(soundOf(seed + 1, 0.5, 0, LENGTH), 0)
        sound.set(soundOf(seed + 2, 0.5, 0, LENGTH), length - LENGTH)
        const loud = soundOf(seed, amplitude, from, count)
        for (let index = 0; index < LENGTH; index++) sound[index]! += loud[index]!
        mixer.write('a', [sound], length, 0)
        const out = mixAll(mixer, length).plane()
        let peak = 0
        for (const sample of out) peak = Math.max(peak, Math.abs(sample))
        expect(peak).toBeLessThanOrEqual(CEILING)
        // 5 ms before at the earliest; a second block on the way back to 1.
        expect(out.subarray(0, Math.max(0, from - 240))).toEqual(sound.subarray(0, Math.max(0, from - 240)))
        expect(out.subarray(length - LENGTH)).toEqual(sound.subarray(length - LENGTH))
      },
    ),
    { numRuns: 200 },
  )
})
