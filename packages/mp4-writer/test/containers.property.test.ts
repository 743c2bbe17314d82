import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EncodedSample, Track, VideoConfiguration } from '@rushes/media'
import { ticksToUs } from '@rushes/media'
import fc from 'fast-check'
import { BufferSource, EncodedPacketSink, Input, MP4, WEBM } from 'mediabunny'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cmafFormat, createWebmWriter } from '../src/index.js'
import { videoTrack, voice } from './encoded.js'
import { temporaryFolder } from './media.js'

/** CMAF and WebM of any samples, read back by mediabunny. The pictures are not decoded. */

const tracks: readonly Track[] = [videoTrack('vp9'), voice, { ...voice, id: 'second', timescale: 10_000_000 }]
const TIMESCALES = [90_000, 48_000, 10_000_000]
const video: VideoConfiguration = {
  kind: 'video',
  codec: 'vp9',
  codecString: 'vp09.00.10.08',
  width: 64,
  height: 48,
  rotation: 0,
  reorderDepth: 0,
}
const sound = { kind: 'audio', codec: 'opus', codecString: 'opus', sampleRate: 48_000, channels: 2 } as const

const trackOf = ({ trackId }: EncodedSample): number => tracks.findIndex(({ id }) => id === trackId)
const usOf = (sample: EncodedSample): number => ticksToUs(sample.dts, TIMESCALES[trackOf(sample)]!)

/** Odd starts, jitter, holes of up to half an hour, payloads in pieces, a keyframe now and then. */
function arbitraryTrack(index: number): fc.Arbitrary<EncodedSample[]> {
  const stepMs = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 1, max: 200 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1000, max: 1_800_000 }) },
  )
  const sample = fc.record({ stepMs, bytes: fc.uint8Array({ minLength: 2, maxLength: 12 }), keyframe: fc.boolean() })
  const steps = fc.array(sample, { minLength: index === 0 ? 1 : 0, maxLength: 30 })
  return fc.record({ startMs: fc.nat(5000), odd: fc.nat(7), steps }).map(({ startMs, odd, steps }) => {
    let ms = startMs
    return steps.map(({ stepMs, bytes, keyframe }, position): EncodedSample => {
      ms += stepMs
      const dts = Math.round((ms * TIMESCALES[index]!) / 1000) + odd
      const isVideo = index === 0
      return {
        type: 'sample',
        trackId: tracks[index]!.id,
        data: isVideo ? [bytes] : bytes,
        ...(isVideo ? { pieces: [[bytes.subarray(0, 1), bytes.subarray(1)]] } : {}),
        dts,
        pts: dts,
        keyframe: !isVideo || keyframe || position === 0,
        ...(position === 0 ? { configuration: isVideo ? video : sound } : {}),
      }
    })
  })
}

const anySamples = fc
  .tuple(...[0, 1, 2].map((index) => arbitraryTrack(index)))
  .map((all) => all.flat().sort((a, b) => usOf(a) - usOf(b)))

interface Read {
  readonly at: number
  readonly type: string
  readonly payload: string
}

/** Packets by track, their times in ticks of `timescaleOf(track)`. */
async function readBack(bytes: Uint8Array, timescales: readonly number[]): Promise<Read[][]> {
  const input = new Input({ formats: [MP4, WEBM], source: new BufferSource(bytes) })
  const all: Read[][] = []
  for (const [index, track] of (await input.getTracks()).entries()) {
    const packets: Read[] = []
    for await (const packet of new EncodedPacketSink(track).packets()) {
      const at = Math.round(packet.timestamp * timescales[index]!)
      packets.push({ at, type: packet.type, payload: Buffer.from(packet.data).toString('hex') })
    }
    all.push(packets)
  }
  input.dispose()
  return all
}

/** By track, without the tracks that have none. */
function expected(samples: readonly EncodedSample[], at: (sample: EncodedSample, index: number) => number): Read[][] {
  return tracks
    .map(({ id }, index) =>
      samples
        .filter(({ trackId }) => trackId === id)
        .map((sample) => ({
          at: at(sample, index),
          type: sample.keyframe ? 'key' : 'delta',
          payload: Buffer.concat(sample.data instanceof Uint8Array ? [sample.data] : sample.data).toString('hex'),
        })),
    )
    .filter((packets) => packets.length > 0)
}

const used = (samples: readonly EncodedSample[]): number[] =>
  [0, 1, 2].filter((index) => samples.some((sample) => trackOf(sample) === index))

describe('whatever the samples', () => {
  let folder: { path: string; remove: () => void }
  beforeAll(() => {
    folder = temporaryFolder()
  })
  afterAll(() => folder.remove())

  test('CMAF segments, cut anywhere, have every sample at its tick, byte for byte', async () => {
    const cuts = fc.array(fc.boolean(), { minLength: 1, maxLength: 20 })
    const fragmentDuration = fc.constantFrom(undefined, 0.1, 2)
    await fc.assert(
      fc.asyncProperty(anySamples, cuts, fragmentDuration, async (samples, cuts, fragmentDuration) => {
        const format = cmafFormat(tracks, {
          offsetUs: 0,
          originUs: -1_000_000,
          ...(fragmentDuration === undefined ? {} : { fragmentDuration }),
        })
        const parts: Uint8Array[] = []
        const emit = (bytes: Uint8Array): void => void parts.push(bytes)
        for (const [index, sample] of samples.entries()) {
          const isCut = index === 0 || cuts[index % cuts.length]
          if (isCut && index > 0) format.end(emit)
          if (isCut) format.begin({ discontinuity: false }, emit)
          format.push(sample, emit)
        }
        format.end(emit)
        const timescales = used(samples).map((index) => TIMESCALES[index]!)
        expect(await readBack(Buffer.concat([format.initialization(), ...parts]), timescales)).toEqual(
          expected(samples, (sample, index) => sample.pts + TIMESCALES[index]!),
        )
      }),
      { numRuns: 150 },
    )
  })

  test('a WebM file has every sample at its millisecond, byte for byte', async () => {
    const path = join(folder.path, 'any.webm')
    await fc.assert(
      fc.asyncProperty(anySamples, fc.constantFrom(0.1, 1, 5), async (samples, clusterDuration) => {
        const writer = await createWebmWriter({ path, tracks, originUs: -1_000_000, clusterDuration })
        for (const sample of samples) await writer.write(sample)
        const summary = await writer.finish()
        const bytes = readFileSync(path)
        expect(summary.bytes).toBe(bytes.length)
        const timescales = used(samples).map(() => 1000)
        expect(await readBack(bytes, timescales)).toEqual(
          expected(samples, (sample, index) => Math.round((sample.pts * 1000) / TIMESCALES[index]!) + 1000),
        )
      }),
      { numRuns: 150 },
    )
  })
})
