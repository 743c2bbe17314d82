import type { AudioTrack, EncodedSample, TimedItem, Track, VideoTrack } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { Interleaver, type InterleaverOptions } from '../src/index.js'
import { compareTicks } from '../src/tick-order.js'

const a: VideoTrack = { id: 'a', kind: 'video', codec: 'h264', clockRate: 90_000 }
const b: AudioTrack = { id: 'b', kind: 'audio', codec: 'opus', clockRate: 48_000 }
const c: AudioTrack = { id: 'c', kind: 'audio', codec: 'aac', clockRate: 48_000, timescale: 44_100 }
const scales: Readonly<Record<string, number>> = { a: 90_000, b: 48_000, c: 44_100 }

/** `a1.5` is a sample of track a at 1.5 s, `a|2` a watermark, `a.` its end. */
function item(text: string): TimedItem {
  const trackId = text.slice(0, 1)
  const ticks = (seconds: string): number => Math.round(Number(seconds) * (scales[trackId] ?? 1))
  if (text[1] === '.') return { type: 'track-end', trackId }
  if (text[1] === '|') return { type: 'watermark', trackId, dts: ticks(text.slice(2)) }
  const dts = ticks(text.slice(1))
  return { type: 'sample', trackId, data: new Uint8Array(10), pts: dts, dts, keyframe: true }
}

function show(out: TimedItem): string {
  const scale = scales[out.trackId] ?? 1
  if (out.type === 'track-end') return `${out.trackId}.`
  return `${out.trackId}${out.type === 'watermark' ? '|' : ''}${out.dts / scale}`
}

interface Case {
  readonly name: string
  readonly tracks?: readonly Track[]
  readonly options?: InterleaverOptions
  /** Input and, behind `>`, what it lets out. `+c` adds a track. */
  readonly steps: readonly string[]
  /** What `flush` lets out. */
  readonly rest?: string
  readonly stats?: object
}

const cases: Case[] = [
  { name: 'one track goes straight through', tracks: [a], steps: ['a0 > a0', 'a1 > a1', 'a. > a.'] },
  { name: 'waits for every other track', steps: ['a0 >', 'a1 >', 'b0.5 > a0 b0.5', 'b2 > a1'], rest: 'b2' },
  {
    name: 'the track named first goes first at the same instant, in whatever order they came',
    steps: ['b1 >', 'a1 > a1 b1'],
  },
  { name: 'and the other way round', steps: ['a1 >', 'b1 > a1 b1'] },
  { name: 'a watermark at the instant is enough', steps: ['a1 >', 'b|1 > a1'], rest: '' },
  { name: 'a watermark before it is not', steps: ['a1 >', 'b|0.9 > b|0.9', 'b|1.1 > a1'] },
  {
    name: 'what a track sent last is a watermark too',
    steps: ['a1 >', 'b1 > a1 b1', 'a1.5 >', 'b1.1 > b1.1'],
    rest: 'a1.5',
  },
  { name: 'an end lets the others go on', steps: ['a1 >', 'a2 >', 'b. > b. a1 a2', 'a3 > a3'] },
  { name: 'an end follows its last sample', steps: ['b1 >', 'b. >', 'a0.5 > a0.5', 'a2 > b1 b. a2'] },
  {
    name: 'a track may come back after its end',
    steps: ['b. > b.', 'a1 > a1', 'b2 >', 'a2 > a2 b2', 'a3 >'],
    rest: 'a3',
  },
  {
    name: 'watermarks are passed on when all tracks have moved on',
    steps: ['a|1 >', 'b|2 > a|1', 'a|3 > b|2', 'a|4 >'],
  },
  { name: 'watermarks that samples outrun are not', steps: ['a|1 >', 'b1 > b1', 'a|2.5 >', 'b2 > b2', 'a|3 >'] },
  { name: 'while a sample is held, the slowest track says how far all are', steps: ['a|1 >', 'b2 > a|1', 'a|3 > b2'] },
  {
    name: 'a watermark never steps back',
    steps: ['a|5 >', 'b|5 > a|5', 'a|4 >', 'b|4 >', 'a|6 >', 'b|6 > a|6'],
  },
  {
    name: 'a silent track is passed over once the span is too long',
    options: { maxHeldUs: 2_000_000 },
    steps: ['a0 >', 'a1 >', 'a2 >', 'a2.5 > a0 a1 a2 a2.5', 'a3 > a3'],
    stats: { passedOver: 1, late: 0, samples: 5, heldSamples: 0, heldBytes: 0 },
  },
  {
    name: 'what it sends behind the others is late and goes out at once',
    options: { maxHeldUs: 2_000_000 },
    steps: ['a0 >', 'a2.5 > a0 a2.5', 'b1 > b1', 'b2 > b2', 'b2.5 > b2.5', 'a4 >', 'b5 > a4'],
    rest: 'b5',
    stats: { passedOver: 1, late: 2 },
  },
  {
    name: 'a watermark brings it back into step',
    options: { maxHeldUs: 2_000_000 },
    steps: ['a0 >', 'a2.5 > a0 a2.5', 'b|1 >', 'a3 > a3', 'b|3 >', 'a4 >', 'b|4 > a4'],
    stats: { passedOver: 1 },
  },
  {
    name: 'too many bytes pass it over as well',
    options: { maxHeldBytes: 25 },
    steps: ['a0 >', 'a0.1 >', 'a0.2 > a0 a0.1 a0.2'],
    stats: { passedOver: 1 },
  },
  {
    name: 'a sample that is not after the one before of its track is dropped',
    steps: ['a1 >', 'a1 >', 'a0.5 >', 'b2 > a1'],
    rest: 'b2',
    stats: { outOfOrder: 2 },
  },
  {
    name: 'items of unknown tracks are dropped',
    tracks: [a],
    steps: ['b0 >', 'b|1 >', 'b. >'],
    stats: { unknownTrack: 3 },
  },
  {
    name: 'a track that is added is waited for',
    steps: ['a0 >', 'b0 > a0 b0', '+c', 'a1 >', 'b1 >', 'c2 > a1 b1'],
    rest: 'c2',
  },
  {
    name: 'three timescales are compared exactly',
    tracks: [a, b, c],
    steps: ['c0.1 >', 'b0.1 >', 'a0.1 > a0.1 b0.1 c0.1'],
  },
]

describe('Interleaver', () => {
  it.each(cases)('$name', ({ tracks = [a, b], options, steps, rest = '', stats }) => {
    const interleaver = new Interleaver(tracks, options)
    const out: string[] = []
    const emit = (emitted: TimedItem): void => void out.push(show(emitted))
    for (const step of steps) {
      if (step === '+c') {
        interleaver.addTrack(c)
        continue
      }
      const [input = '', expected = ''] = step.split('>').map((part) => part.trim())
      interleaver.push(item(input), emit)
      expect(out.splice(0).join(' '), step).toBe(expected)
    }
    interleaver.flush(emit)
    expect(out.join(' ')).toBe(rest)
    if (stats !== undefined) expect(interleaver.stats).toMatchObject(stats)
  })

  it('counts pieces without joining them', () => {
    const interleaver = new Interleaver([a, b])
    const sample: EncodedSample = {
      type: 'sample',
      trackId: 'a',
      get data(): never {
        throw new Error('joined')
      },
      pieces: [[new Uint8Array(3), new Uint8Array(4)]],
      pts: 0,
      dts: 0,
      keyframe: true,
    }
    interleaver.push(sample, () => {})
    expect(interleaver.stats).toMatchObject({ heldSamples: 1, heldBytes: 7 })
  })

  it('stays fast with a deep queue', () => {
    const interleaver = new Interleaver([a, b], { maxHeldUs: 1e12 })
    const emitted: TimedItem[] = []
    const emit = (out: TimedItem): void => void emitted.push(out)
    const started = performance.now()
    for (let dts = 0; dts < 200_000; dts++) {
      interleaver.push({ type: 'sample', trackId: 'a', data: new Uint8Array(0), pts: dts, dts, keyframe: true }, emit)
    }
    expect(emitted).toHaveLength(0)
    interleaver.push({ type: 'track-end', trackId: 'b' }, emit)
    expect(emitted).toHaveLength(200_001)
    expect(interleaver.stats).toMatchObject({ samples: 200_000, heldSamples: 0 })
    // Moving every element at each shift would take minutes.
    expect(performance.now() - started).toBeLessThan(20_000)
  })

  it.each([
    [{ maxHeldUs: 0 }, 'maxHeldUs'],
    [{ maxHeldBytes: Number.NaN }, 'maxHeldBytes'],
  ])('%j is refused', (options, field) => {
    expect(() => new Interleaver([a], options)).toThrow(expect.objectContaining({ field, code: 'BAD_CONFIGURATION' }))
  })

  it('two tracks of one id are refused', () => {
    expect(() => new Interleaver([a, a])).toThrow(expect.objectContaining({ field: 'track.id' }))
  })
})

describe('compareTicks', () => {
  it.each([
    [90_000, 90_000, 48_000, 48_000, 0],
    [90_001, 90_000, 48_000, 48_000, 1],
    [1, 3, 333_333, 1_000_000, 1],
    [-1, 90_000, 0, 48_000, -1],
    [-90_000, 90_000, -48_000, 48_000, 0],
    // A century, one tick apart, where a product of the two would not be exact.
    [90_000 * 3_155_760_000 + 1, 90_000, 44_100 * 3_155_760_000, 44_100, 1],
    [5, 90_000, 5, 48_000, -1],
    [Number.NEGATIVE_INFINITY, 90_000, 0, 48_000, -1],
    [Number.NEGATIVE_INFINITY, 90_000, Number.NEGATIVE_INFINITY, 48_000, 0],
  ])('%d/%d against %d/%d', (left, leftScale, right, rightScale, sign) => {
    expect(Math.sign(compareTicks(left, leftScale, right, rightScale))).toBe(sign)
    expect(Math.sign(compareTicks(right, rightScale, left, leftScale))).toBe(-sign + 0)
  })
})
