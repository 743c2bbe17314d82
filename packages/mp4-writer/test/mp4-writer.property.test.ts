import { readFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { avcDecoderConfigurationRecord } from '@rushes/bitstream'
import type { AudioConfiguration, EncodedSample, Track, VideoConfiguration } from '@rushes/media'
import { usToTicks } from '@rushes/media'
import fc from 'fast-check'
import { BufferSource, EncodedPacketSink, Input, MP4 } from 'mediabunny'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMp4Writer } from '../src/index.js'
import { temporaryFolder } from './media.js'

/** Baseline, 64 by 48: enough for a sample entry; the pictures here are not decoded. */
const parameterSets = {
  sps: [Uint8Array.from([0x67, 0x42, 0xc0, 0x1f, 0xda, 0x10, 0x9b, 0x01, 0x10])],
  pps: [Uint8Array.from([0x68, 0xce, 0x3c, 0x80])],
}
const video: VideoConfiguration = {
  kind: 'video',
  codec: 'h264',
  codecString: 'avc1.42c01f',
  width: 64,
  height: 48,
  rotation: 0,
  reorderDepth: 2,
  parameterSets,
}
const sound: AudioConfiguration = { kind: 'audio', codec: 'opus', codecString: 'opus', sampleRate: 48_000, channels: 2 }
const tracks: readonly Track[] = [
  { id: 'camera', kind: 'video', codec: 'h264', clockRate: 90_000 },
  { id: 'voice', kind: 'audio', codec: 'opus', clockRate: 48_000 },
  { id: 'second', kind: 'audio', codec: 'opus', clockRate: 48_000, timescale: 44_100 },
]
const TIMESCALES = [90_000, 48_000, 44_100]

interface Case {
  readonly originUs: number
  readonly fastStart: 'end' | false
  readonly fragmentDuration: number
  readonly samples: readonly EncodedSample[]
}

/** Samples of up to three tracks: odd starts, jitter, holes up to minutes, B-frames, payloads in pieces. */
const cases: fc.Arbitrary<Case> = fc.record({
  originUs: fc.integer({ min: 0, max: 40_000_000_000 }),
  fastStart: fc.constantFrom('end' as const, false as const),
  fragmentDuration: fc.constantFrom(0.1, 1, 5),
  samples: fc
    .tuple(...[0, 1, 2].map((track) => arbitraryTrack(track)))
    .map((all) => all.flat().sort((a, b) => a.dts / TIMESCALES[trackOf(a)]! - b.dts / TIMESCALES[trackOf(b)]!)),
})

function trackOf({ trackId }: EncodedSample): number {
  return tracks.findIndex(({ id }) => id === trackId)
}

function arbitraryTrack(track: number): fc.Arbitrary<EncodedSample[]> {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 1, max: 6_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 90_000, max: 20_000_000 }) },
  )
  const sample = fc.record({
    step,
    reorder: fc.nat(3),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
    keyframe: fc.boolean(),
  })
  return fc
    .record({ start: fc.nat(500_000), steps: fc.array(sample, { minLength: track === 0 ? 1 : 0, maxLength: 30 }) })
    .map(({ start, steps }) => {
      let dts = start
      return steps.map(({ step, reorder, bytes, keyframe }, index): EncodedSample => {
        dts += step
        const isVideo = track === 0
        return {
          type: 'sample',
          trackId: tracks[track]!.id,
          data: isVideo ? [bytes, bytes] : bytes,
          ...(isVideo ? { pieces: [[bytes], [bytes.subarray(0, 1), bytes.subarray(1)]] } : {}),
          dts,
          pts: isVideo ? dts + reorder * 3000 : dts,
          keyframe: !isVideo || keyframe || index === 0,
          ...(index === 0 ? { configuration: isVideo ? video : sound } : {}),
        }
      })
    })
}

/** The bytes of a sample as they must stand in the file. */
function payloadOf({ data }: EncodedSample): string {
  if (data instanceof Uint8Array) return Buffer.from(data).toString('hex')
  return data.map((bytes) => bytes.length.toString(16).padStart(8, '0') + Buffer.from(bytes).toString('hex')).join('')
}

describe('whatever the samples', () => {
  let folder: { path: string; remove: () => void }
  beforeAll(() => {
    folder = temporaryFolder()
  })
  afterAll(() => folder.remove())

  async function expectSamples(path: string, { samples, originUs }: Case): Promise<void> {
    const input = new Input({ formats: [MP4], source: new BufferSource(readFileSync(path)) })
    const found = await input.getTracks()
    const used = [0, 1, 2].filter((track) => samples.some((sample) => trackOf(sample) === track))
    expect(found).toHaveLength(used.length)
    for (const [position, track] of used.entries()) {
      const timescale = TIMESCALES[track]!
      const read: unknown[] = []
      for await (const packet of new EncodedPacketSink(found[position]!).packets()) {
        const ticks = packet.timestamp * timescale
        expect(Math.abs(ticks - Math.round(ticks))).toBeLessThan(0.01)
        const type = packet.type
        read.push({ pts: Math.round(ticks), type, payload: Buffer.from(packet.data).toString('hex') })
      }
      const origin = usToTicks(originUs, timescale)
      const want = samples
        .filter((sample) => trackOf(sample) === track)
        .map((sample) => ({
          pts: sample.pts - origin,
          type: sample.keyframe ? 'key' : 'delta',
          payload: payloadOf(sample),
        }))
      expect(read).toEqual(want)
    }
    input.dispose()
  }

  test('the finished file and the unfinished one have every sample at its tick, byte for byte', async () => {
    const path = join(folder.path, 'any.mp4')
    await fc.assert(
      fc.asyncProperty(cases, async (given) => {
        const shifted = { ...given, samples: given.samples.map((sample) => moved(sample, given.originUs)) }
        const { originUs, fastStart, fragmentDuration, samples } = shifted
        const writer = await createMp4Writer({ path, tracks, originUs, fastStart, fragmentDuration })
        for (const sample of samples) await writer.write(sample)
        const last = samples.at(-1)!
        // Time moves on, so that the last fragment is written too.
        const ahead = Math.ceil(6 * TIMESCALES[trackOf(last)]!)
        await writer.write({ type: 'watermark', trackId: last.trackId, dts: last.dts + ahead })
        await writer.write({ type: 'watermark', trackId: last.trackId, dts: last.dts + 2 * ahead })
        expect(writer.stats.samples).toBe(samples.length)
        const left = join(folder.path, 'left.mp4')
        await eventually(async () => {
          await copyFile(join(folder.path, '.any.mp4.part'), left)
          await expectSamples(left, shifted)
        })
        const summary = await writer.finish()
        expect(summary.bytes).toBe(readFileSync(path).length)
        await expectSamples(path, shifted)
      }),
      { numRuns: 150 },
    )
  })

  test('its parameter sets make a sample entry', () => {
    expect(avcDecoderConfigurationRecord(parameterSets)[0]).toBe(1)
  })
})

function moved(sample: EncodedSample, originUs: number): EncodedSample {
  const ticks = usToTicks(originUs, TIMESCALES[trackOf(sample)]!)
  return { ...sample, pts: sample.pts + ticks, dts: sample.dts + ticks }
}

/** The last fragment is on its way to the disk, and nothing tells when it is there. */
async function eventually(check: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + 20_000
  for (;;) {
    try {
      await check()
      return
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
}
