import { ConfigurationError } from '@rushes/media'
import { describe, expect, test } from 'vitest'
import { SoundMixer } from '../../src/sound/sound-mixer.js'
import type { SoundMixerOptions } from '../../src/sound/sound-mixer-options.js'
import { Mixed, mixAll } from './mixed.js'
import { db, tone, toneLevel } from './tones.js'

const CEILING = 10 ** (-1 / 20)

describe.each([48_000, 44_100] as const)('at %i Hz', (rate) => {
  const second = rate
  const mixer = (options: SoundMixerOptions = {}): SoundMixer => new SoundMixer({ sampleRate: rate, ...options })

  test('one sound passes to the bit, at its place, on both channels', () => {
    const one = mixer()
    one.addSource('a', 'alice')
    const sound = tone(rate, second, 440, 0.7)
    one.write('a', [sound], second, 1234)
    const out = mixAll(one, 1234 + second + 5)
    expect(out.position).toBe(1234 + second + 5)
    for (const channel of [0, 1]) {
      const plane = out.plane(channel)
      expect(plane.subarray(0, 1234).every((sample) => sample === 0)).toBe(true)
      expect(plane.subarray(1234, 1234 + second)).toEqual(sound)
      expect(plane.subarray(1234 + second).every((sample) => sample === 0)).toBe(true)
    }
    expect(one.stats).toEqual({ lateSamples: 0, overflowSamples: 0, limitedSamples: 0, maxReductionDb: 0 })
  })

  test('stereo stays stereo, and mono out is its mean', () => {
    const left = tone(rate, second, 440, 0.4)
    const right = tone(rate, second, 700, 0.3)
    const stereo = mixer()
    stereo.addSource('a', 'alice')
    stereo.write('a', [left, right], second, 0)
    const out = mixAll(stereo, second)
    expect(out.plane(0)).toEqual(left)
    expect(out.plane(1)).toEqual(right)
    const mono = mixer({ channels: 1 })
    mono.addSource('a', 'alice')
    mono.write('a', [left, right], second, 0)
    const { planes } = mixAll(mono, second)
    expect(planes).toHaveLength(1)
    expect(Math.max(...planes[0]!.map((sample, at) => Math.abs(sample - (left[at]! + right[at]!) / 2)))).toBeLessThan(
      1e-7,
    )
  })

  test('ten people beep at once: nothing over the ceiling, and their own tones come back at once', () => {
    const ten = mixer()
    const start = second
    const beep = second / 10
    for (let index = 0; index < 10; index++) {
      const hz = 400 + index * 100
      const id = `p${index}`
      ten.addSource(id, id)
      const sound = tone(rate, 3 * second, hz, 0.02)
      sound.set(tone(rate, 3 * second, hz, 0.5).subarray(start, start + beep), start)
      ten.write(id, [sound], 3 * second, 0)
    }
    const out = mixAll(ten, 3 * second).plane()
    expect(out.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0)).toBeLessThanOrEqual(CEILING)
    expect(ten.stats.maxReductionDb).toBeGreaterThan(6)
    const window = rate / 100
    const levelAt = (ms: number): number =>
      toneLevel(out, rate, 700, start + (rate / 1000) * ms, start + (rate / 1000) * ms + window)
    // Up to 20 ms before the beep, and from 120 ms after it on.
    for (const ms of [-900, -500, -100, -50, -20, 220, 240, 300, 500, 1500]) {
      expect(Math.abs(db(levelAt(ms) / 0.02))).toBeLessThan(0.3)
    }
    // Within it all are as loud as each other.
    const inside = Array.from({ length: 10 }, (_, index) =>
      toneLevel(out, rate, 400 + index * 100, start + beep / 5, start + (beep * 4) / 5),
    )
    expect(Math.min(...inside)).toBeGreaterThan(0.05)
    expect(db(Math.max(...inside) / Math.min(...inside))).toBeLessThan(1)
  })

  test('a change of gain is a ramp of 10 ms from its very sample', () => {
    const one = mixer()
    one.addSource('a', 'alice')
    const at = 5000
    const ramp = rate / 100
    one.write('a', [new Float32Array(second).fill(0.5)], second, 0)
    one.setMuted('alice', true, at)
    one.setMuted('alice', false, 3 * at)
    const out = mixAll(one, second).plane()
    expect(out[at - 1]).toBe(0.5)
    expect(out[at]).toBeCloseTo(0.5 - 0.5 / ramp, 6)
    expect(out[at + Math.round(ramp / 2) - 1]).toBeCloseTo(0.25, 2)
    expect(out[at + ramp - 1]).toBe(0)
    expect(out.subarray(at + ramp, 3 * at).every((sample) => sample === 0)).toBe(true)
    expect(out[3 * at + ramp - 1]).toBe(0.5)
    let steepest = 0
    for (let index = 1; index < second; index++) steepest = Math.max(steepest, Math.abs(out[index]! - out[index - 1]!))
    expect(steepest).toBeLessThan(0.51 / ramp)
  })

  test('solo silences the others, and a gain set beforehand counts from the first sample', () => {
    const two = mixer()
    two.setGain('alice', -6)
    two.setSolo('bob', true, second / 2)
    for (const [id, hz] of [
      ['alice', 400],
      ['bob', 700],
    ] as const) {
      two.addSource(id, id)
      two.write(id, [tone(rate, second, hz, 0.3)], second, 0)
    }
    const out = mixAll(two, second).plane()
    const quarter = second / 4
    expect(toneLevel(out, rate, 400, 0, quarter)).toBeCloseTo(0.3 * 10 ** (-6 / 20), 3)
    expect(toneLevel(out, rate, 400, 3 * quarter, second)).toBeLessThan(1e-6)
    expect(toneLevel(out, rate, 700, 3 * quarter, second)).toBeCloseTo(0.3, 3)
  })

  test('levels are told every 20 ms before gain, of all who have a source', () => {
    const told: [string, number, number][] = []
    const one = mixer({ onLevel: (...level) => void told.push(level) })
    one.addSource('a1', 'alice')
    one.addSource('b', 'bob')
    one.setMuted('alice', true)
    one.write('a1', [new Float32Array(second / 10).fill(0.1)], second / 10, second / 50)
    const out = mixAll(one, second / 5)
    expect(out.plane().every((sample) => sample === 0)).toBe(true)
    const alice = told.filter(([id]) => id === 'alice')
    expect(alice.map(([, atUs]) => atUs).slice(0, 3)).toEqual([0, 20_000, 40_000])
    expect(alice.map(([, , level]) => Math.round(level)).slice(0, 8)).toEqual([
      Number.NEGATIVE_INFINITY,
      ...new Array<number>(5).fill(-20),
      Number.NEGATIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ])
    expect(told.filter(([id]) => id === 'bob').every(([, , level]) => level === Number.NEGATIVE_INFINITY)).toBe(true)
    expect(told.map(([, atUs]) => atUs)).toEqual(told.map(([, atUs]) => atUs).sort((a, b) => a - b))
  })
})

test('two sources of one participant at once, and one after the other', () => {
  const levels: number[] = []
  const mixer = new SoundMixer({ onLevel: (_, __, level) => void levels.push(level) })
  mixer.addSource('one', 'alice')
  mixer.addSource('two', 'alice')
  const half = new Float32Array(4800).fill(0.25)
  mixer.write('one', [half], 4800, 0)
  mixer.write('two', [half], 4800, 0)
  mixer.removeSource('one')
  // The same id again, before the first is mixed.
  mixer.addSource('one', 'alice')
  mixer.write('one', [half], 4800, 4800)
  const out = mixAll(mixer, 9600).plane()
  expect([out[0], out[4799], out[4800], out[9599]]).toEqual([0.5, 0.5, 0.25, 0.25])
  expect(levels[0]).toBeCloseTo(10 * Math.log10(2 * 0.25 ** 2), 6)
  expect(() => mixer.addSource('one', 'bob')).toThrow(ConfigurationError)
})

test('a source that is gone is mixed to its end, and its participant is not told of any more', () => {
  const told: number[] = []
  const mixer = new SoundMixer({ onLevel: (_, atUs) => void told.push(atUs) })
  mixer.addSource('one', 'alice')
  mixer.write('one', [new Float32Array(1000).fill(0.25)], 1000, 0)
  mixer.removeSource('one')
  const out = mixAll(mixer, 9600).plane()
  expect([out[999], out[1000]]).toEqual([0.25, 0])
  expect(told).toEqual([0, 20_000])
  mixer.write('one', [new Float32Array(10).fill(0.25)], 10, 20_000)
  expect(mixer.stats.lateSamples).toBe(10)
})

test('what comes for the past is dropped and counted, silence is not', () => {
  const mixer = new SoundMixer()
  mixer.addSource('a', 'alice')
  const mixed = new Mixed()
  mixer.mixTo(9600 + 500, mixed.sink)
  expect(mixer.mixedTo).toBe(9600)
  mixer.write('a', [new Float32Array(4800)], 4800, 0)
  expect(mixer.stats.lateSamples).toBe(0)
  mixer.write('a', [new Float32Array(4800).fill(0.5)], 4800, 7200)
  expect(mixer.stats.lateSamples).toBe(2400)
  mixer.flush(14_400, mixed.sink)
  const out = mixed.plane()
  expect([out[9599], out[9600], out[11_999], out[12_000]]).toEqual([0, 0.5, 0.5, 0])
})

test('more than 10 s ahead the oldest is given up and counted; silence ahead costs nothing', () => {
  const mixer = new SoundMixer()
  mixer.addSource('a', 'alice')
  const block = new Float32Array(960).fill(0.5)
  mixer.write('a', [block], 960, 0)
  for (let at = 0; at < 3600 * 48_000; at += 4_800_000) mixer.write('a', [new Float32Array(48_000)], 48_000, at)
  expect(mixer.stats.overflowSamples).toBe(0)
  const other = new SoundMixer()
  other.addSource('a', 'alice')
  for (let index = 0; index < 510; index++) other.write('a', [block], 960, index * 960)
  expect(other.stats.overflowSamples).toBe(9600)
  const out = mixAll(other, 510 * 960).plane()
  expect([out[9599], out[9600], out[510 * 960 - 1]]).toEqual([0, 0.5, 0.5])
})

test('the mix can begin anywhere', () => {
  const whole = new SoundMixer()
  const piece = new SoundMixer({ position: 30_001 })
  const sound = tone(48_000, 96_000, 330, 0.5)
  for (const mixer of [whole, piece]) {
    mixer.addSource('a', 'alice')
    mixer.write('a', [sound], 96_000, 0)
  }
  const out = mixAll(piece, 96_000)
  expect(out.plane()).toEqual(mixAll(whole, 96_000).plane().subarray(30_001))
})

describe('levelling', () => {
  /** Words of a second with pauses of half a second, above a noise. */
  const speech = (level: number, noise: number, seconds: number): Float32Array => {
    const plane = new Float32Array(seconds * 48_000)
    for (let index = 0; index < plane.length; index++) {
      const syllable = Math.sin((Math.PI * (index % 9600)) / 9600)
      const isSpeech = index % 72_000 < 48_000
      plane[index] =
        (isSpeech ? level * syllable * Math.sin(index * 0.05) * 2 : 0) + noise * Math.SQRT2 * Math.sin(index * 0.31)
    }
    return plane
  }
  const rms = (plane: Float32Array, from: number, to: number): number =>
    Math.sqrt(plane.subarray(from, to).reduce((sum, sample) => sum + sample * sample, 0) / (to - from))

  test.each([-35, -28, -23, -17, -14])(
    'a speaker at %i dBFS comes to the target, and pauses stay where they are',
    (level) => {
      const mixer = new SoundMixer({ levelling: true })
      mixer.addSource('a', 'alice')
      const sound = speech(10 ** (level / 20), 10 ** (-60 / 20), 30)
      const out = new Mixed()
      for (let at = 0; at < sound.length; at += 48_000) {
        mixer.write('a', [sound.subarray(at, at + 48_000)], 48_000, at)
        mixer.mixTo(at + 48_000, out.sink)
      }
      mixer.flush(sound.length, out.sink)
      const plane = out.plane()
      // The last word: from 28.5 to 29.5 s. Before it a pause from 28 s on.
      const from = 28.5 * 48_000
      expect(Math.abs(db(rms(plane, from, from + 48_000)) + 23)).toBeLessThan(1.5)
      const gain = db(rms(plane, from, from + 48_000) / rms(sound, from, from + 48_000))
      expect(Math.abs(gain)).toBeLessThan(12.1)
      const pause = db(rms(plane, from - 20_000, from - 4000) / rms(sound, from - 20_000, from - 4000))
      expect(Math.abs(pause - gain)).toBeLessThan(0.6)
    },
  )

  test('nobody is turned up by more than 12 dB, and a noise alone not at all', () => {
    const mixer = new SoundMixer({ levelling: { targetDb: -16, maxDb: 6 } })
    for (const id of ['quiet', 'noisy']) mixer.addSource(id, id)
    const out = new Mixed()
    const quiet = speech(10 ** (-38 / 20), 0, 20)
    for (let at = 0; at < quiet.length; at += 48_000) {
      mixer.write('quiet', [quiet.subarray(at, at + 48_000)], 48_000, at)
      mixer.mixTo(at + 48_000, out.sink)
    }
    mixer.flush(quiet.length, out.sink)
    const from = 18 * 48_000
    expect(db(rms(out.plane(), from, from + 48_000) / rms(quiet, from, from + 48_000))).toBeCloseTo(6, 1)
    const other = new SoundMixer({ levelling: true })
    other.addSource('noisy', 'noisy')
    const noise = tone(48_000, 9 * 48_000, 1000, 0.003)
    other.write('noisy', [noise], noise.length, 0)
    expect(mixAll(other, noise.length).plane()).toEqual(noise)
  })
})

test.each([
  [{ sampleRate: 32_000 as 48_000 }, 'sampleRate'],
  [{ channels: 3 as 2 }, 'channels'],
  [{ ceilingDb: 1 }, 'ceilingDb'],
  [{ ceilingDb: Number.NaN }, 'ceilingDb'],
  [{ levelling: { targetDb: 0 } }, 'levelling.targetDb'],
  [{ levelling: { maxDb: -1 } }, 'levelling.maxDb'],
  [{ position: -1 }, 'position'],
])('refuses %o', (options, field) => {
  expect(() => new SoundMixer(options)).toThrow(expect.objectContaining({ code: 'BAD_CONFIGURATION', field }))
})

test('refuses a gain that is none, and a source that changes its channels', () => {
  const mixer = new SoundMixer()
  expect(() => mixer.setGain('alice', Number.NaN)).toThrow(ConfigurationError)
  expect(() => mixer.setGain('alice', 25)).toThrow(ConfigurationError)
  mixer.addSource('a', 'alice')
  mixer.write('a', [new Float32Array(10)], 10, 0)
  expect(() => mixer.write('a', [new Float32Array(10), new Float32Array(10)], 10, 10)).toThrow(RangeError)
})
