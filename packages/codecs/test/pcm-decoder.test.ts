import { type AudioTrack, ConfigurationError, type EncodedSample, type TimedItem } from '@rushes/media'
import { describe, expect, test } from 'vitest'
import { createAacEncoder, createPcmDecoder, type PcmDecoder } from '../src/index.js'
import { beeps, encodeOpus, samplesAt } from './opus-source.js'
import { decodeAac, decodeOpus, hasFfmpeg, lagOf, snr } from './sound.js'
import { opusPacketsOf, samplesOf } from './take.js'

const track: AudioTrack = { id: 'voice', kind: 'audio', codec: 'opus', clockRate: 48_000 }

/** Takes what a decoder gives out, and sees to it that it is continuous. */
class Taken {
  first: number | undefined
  readonly #parts: Float32Array[] = []
  next = 0
  readonly sink = (planes: readonly Float32Array[], samples: number, position: number): void => {
    expect(samples).toBeGreaterThan(0)
    expect(samples).toBeLessThanOrEqual(2048)
    if (this.first === undefined) this.first = position
    else expect(position).toBe(this.next)
    this.next = position + samples
    this.#parts.push(planes[0]!.slice(0, samples))
  }

  get plane(): Float32Array {
    return Float32Array.from(this.#parts.flatMap((part) => [...part]))
  }
}

async function decode(
  items: readonly TimedItem[],
  options: Partial<Parameters<typeof createPcmDecoder>[0]> = {},
): Promise<{ taken: Taken; decoder: PcmDecoder }> {
  const decoder = await createPcmDecoder({ track, ...options })
  const taken = new Taken()
  for (const item of items) decoder.push(item, taken.sink)
  decoder.flush(taken.sink)
  return { taken, decoder }
}

describe.skipIf(!hasFfmpeg && !process.env['CI'])('sound', () => {
  test.each([
    ['solo', 48_000],
    ['mutes', 48_000],
  ] as const)('%s: what a decoder of its own makes of it, at its place', async (take, sampleRate) => {
    const opus = samplesOf(opusPacketsOf(take), track.id, 12_345)
    const { taken, decoder } = await decode(opus, { sampleRate })
    expect(taken.first).toBe(12_345)
    expect(decoder.first).toBe(12_345)
    expect(decoder.channels).toBe(1)
    const [want] = decodeOpus(opus)
    expect(taken.plane).toHaveLength(want!.length)
    expect(lagOf(want!, taken.plane)).toBe(0)
    expect(snr(want!, taken.plane)).toBeGreaterThan(40)
    expect(decoder.stats).toMatchObject({ packetsIn: opus.length, decodeErrors: 0, droppedSamples: 0 })
  })

  test('at 44.1 kHz: positions and length in samples of the output', async () => {
    const opus = samplesAt(encodeOpus([beeps(3)]), (index) => 48_000 + index * 960)
    const { taken } = await decode(opus, { sampleRate: 44_100 })
    expect(taken.first).toBe(44_100)
    expect(Math.abs(taken.next - 44_100 * 4)).toBeLessThanOrEqual(1)
  })

  test('encoder: frames from the given position on, the exact end', async () => {
    const sound = beeps(2)
    const encoder = await createAacEncoder({ trackId: 'mix', sampleRate: 48_000, channels: 1, position: 5 })
    const samples: EncodedSample[] = []
    const emit = (sample: EncodedSample): void => void samples.push(sample)
    // More at once than a frame, and less.
    for (let at = 0, size = 1; at < sound.length; at += size, size = (size * 7) % 9973) {
      const part = sound.subarray(at, at + size)
      encoder.push([part], part.length, emit)
      expect(encoder.next).toBe(5 + samples.length * 1024)
    }
    encoder.flush(emit)
    expect(samples.map(({ pts }) => pts)).toEqual(samples.map((_, index) => 5 + index * 1024))
    expect(samples.at(-1)!.pts + samples.at(-1)!.duration!).toBe(5 + sound.length)
    expect(samples[0]).toMatchObject({ trackId: 'mix', keyframe: true, configuration: { codec: 'aac', channels: 1 } })
    expect(encoder.track).toMatchObject({ id: 'mix', codec: 'aac', clockRate: 48_000, timescale: 48_000 })
    expect(encoder.stats).toEqual({ framesOut: samples.length })
    const [got] = decodeAac(samples)
    expect(lagOf(sound.subarray(2048), got!.subarray(2048))).toBe(0)
    expect(() => encoder.push([sound], 1, emit)).toThrow(expect.objectContaining({ code: 'CODECS_CLOSED' }))
    encoder.flush(() => expect.unreachable())
  })
})

describe('what is known', () => {
  const packets = encodeOpus([beeps(2)])
  const at = (index: number): number => 96_000 + index * 960

  test('moves with packets and watermarks, and is kept', async () => {
    const decoder = await createPcmDecoder({ track })
    const taken = new Taken()
    const push = (item: TimedItem): void => {
      const known = decoder.knownUntilUs
      decoder.push(item, (planes, samples, position) => {
        expect((position * 1e6) / 48_000).toBeGreaterThanOrEqual(known)
        taken.sink(planes, samples, position)
      })
      expect(decoder.knownUntilUs).toBeGreaterThanOrEqual(known)
    }
    expect(decoder.knownUntilUs).toBe(Number.NEGATIVE_INFINITY)
    push({ type: 'watermark', trackId: 'voice', dts: 48_000 })
    expect(decoder.knownUntilUs).toBe(1_000_000)
    for (const sample of samplesAt(packets.slice(0, 50), at)) push(sample)
    // All but what a fade and a block hold back.
    expect(decoder.knownUntilUs).toBeGreaterThan(2_970_000)
    expect(decoder.knownUntilUs).toBeLessThanOrEqual(3_000_000)
    push({ type: 'watermark', trackId: 'voice', dts: 10 * 48_000 })
    expect(decoder.knownUntilUs).toBeGreaterThan(9_970_000)
    for (const sample of samplesAt(packets.slice(50), (index) => 12 * 48_000 + index * 960)) push(sample)
    push({ type: 'track-end', trackId: 'voice' })
    expect(decoder.knownUntilUs).toBe(Number.POSITIVE_INFINITY)
    expect(taken.next).toBe(12 * 48_000 + (packets.length - 50) * 960)
    push(samplesAt(packets.slice(0, 1), () => 13 * 48_000)[0]!)
    expect(decoder.stats.latePackets).toBe(1)
    decoder.close()
  })

  test('advance gives out what is before a time, and what comes for it is dropped', async () => {
    const decoder = await createPcmDecoder({ track })
    const taken = new Taken()
    decoder.advance(500_000, taken.sink)
    expect(decoder.knownUntilUs).toBe(500_000)
    for (const sample of samplesAt(packets.slice(0, 50), at)) decoder.push(sample, taken.sink)
    decoder.advance(2_000_000, taken.sink)
    expect(taken.next).toBeLessThan(at(50))
    decoder.advance(3_010_000, taken.sink)
    expect(taken.next).toBe((3.01 * 48_000) | 0)
    decoder.advance(4_000_000, taken.sink)
    expect(taken.next).toBe(4 * 48_000)
    expect(decoder.knownUntilUs).toBe(4_000_000)
    for (const sample of samplesAt(packets.slice(50), (index) => at(50 + index))) decoder.push(sample, taken.sink)
    decoder.flush(taken.sink)
    // The last packet ends where the silence does, so that nothing is left of them.
    expect(taken.next).toBe(4 * 48_000)
    expect(decoder.stats.droppedSamples).toBe(50 * 960)
    expect(() => decoder.push({ type: 'track-end', trackId: 'voice' }, taken.sink)).toThrow(
      expect.objectContaining({ code: 'CODECS_CLOSED' }),
    )
  })

  test('mono becomes stereo where two channels are asked for', async () => {
    const decoder = await createPcmDecoder({ track, channels: 2 })
    let planes: readonly Float32Array[] = []
    for (const sample of samplesAt(packets, at)) {
      decoder.push(sample, (given) => {
        planes = given
      })
    }
    expect(planes).toHaveLength(2)
    expect(planes[0]).toEqual(planes[1])
    decoder.close()
  })

  test.each([
    [{ track: { ...track, codec: 'aac' as const } }, 'track.codec'],
    [{ sampleRate: 8000 as 48_000 }, 'sampleRate'],
    [{ channels: 0 as 1 }, 'channels'],
    [{ untilUs: 0.5 }, 'untilUs'],
  ])('a decoder refuses %o', async (wrong, field) => {
    await expect(createPcmDecoder({ track, ...wrong })).rejects.toMatchObject({ field })
  })

  test.each([
    [{ sampleRate: 8000 as 48_000 }, 'sampleRate'],
    [{ channels: 0 as 1 }, 'channels'],
    [{ bitRate: 1 }, 'bitRate'],
    [{ encoder: 'mp3' as 'aac' }, 'encoder'],
    [{ position: 0.5 }, 'position'],
  ])('an encoder refuses %o', async (wrong, field) => {
    const failed = createAacEncoder({ trackId: 'mix', sampleRate: 48_000, channels: 1, ...wrong })
    await expect(failed).rejects.toBeInstanceOf(ConfigurationError)
    await expect(failed).rejects.toMatchObject({ field })
  })
})
