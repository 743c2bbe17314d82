import { createHash } from 'node:crypto'
import { joinAnnexB, NalUnitType, nalUnitTypeOf, splitAnnexB } from '@rushes/bitstream'
import type { Track } from '@rushes/media'
import { checkTransportStream, formatFindings } from '@rushes/testkit'
import { describe, expect, it } from 'vitest'
import { TsMuxer } from '../src/index.js'
import { capturedSamples } from './captured-samples.js'
import { aacSamples, x264Samples } from './encoded-samples.js'
import { decode, frameHashes, hasFfmpeg, probe } from './ffmpeg.js'
import { interleave } from './interleave.js'
import { muxAll } from './mux-all.js'
import { demuxWithMuxJs } from './mux-js.js'

const video: Track = { id: 'v', kind: 'video', codec: 'h264', clockRate: 90_000 }
const millis: Track = { id: 'x', kind: 'video', codec: 'h264', clockRate: 90_000, timescale: 1000 }

const aac = (id: string, sampleRate: number): Track => ({ id, kind: 'audio', codec: 'aac', clockRate: sampleRate })
/** A short name for NAL units without delimiters and without the zero that Chromium puts behind its SPS. */
function digest(nalUnits: readonly Uint8Array[]): string {
  const hash = createHash('sha1')
  for (const nalUnit of splitAnnexB(joinAnnexB(nalUnits))) {
    if (nalUnitTypeOf(nalUnit) !== NalUnitType.accessUnitDelimiter)
      hash.update(`${nalUnit.byteLength} `).update(nalUnit)
  }
  return hash.digest('hex')
}

/** What every oracle but the decoder has to say: nothing. */
function expectSound(bytes: Buffer): void {
  expect(formatFindings(checkTransportStream(bytes))).toBe('')
  expect(probe(bytes).warnings).toBe('')
  expect(decode(bytes)).toBe('')
}

describe.skipIf(!hasFfmpeg && !process.env['CI'])('takes from Chromium', () => {
  it.each(['solo', 'ramp', 'mutes'])('%s: all oracles are content, and nothing of the pictures changes', (take) => {
    const samples = capturedSamples(take, 'v')
    const muxer = new TsMuxer([video])
    const bytes = muxAll(muxer, samples)
    expect(muxer.stats).toMatchObject({
      samples: samples.length,
      bytes: bytes.byteLength,
      packets: bytes.byteLength / 188,
      insertedAccessUnitDelimiters: samples.length,
      insertedParameterSets: 0,
      lateSamples: 0,
    })
    expect(Object.values(muxer.stats.dropped)).toEqual([0, 0, 0, 0, 0, 0])
    expectSound(bytes)
    const { packets } = probe(bytes)
    expect(packets.map((packet) => packet.pts)).toEqual(samples.map((sample) => sample.pts + 900_000))
    expect(packets.map((packet) => packet.flags.startsWith('K'))).toEqual(samples.map((sample) => sample.keyframe))
    const pes = demuxWithMuxJs(bytes)
    expect(pes.map(({ data }) => digest(splitAnnexB(data)))).toEqual(
      samples.map((sample) => digest(sample.data as Uint8Array[])),
    )
    expect(frameHashes(bytes, 'mpegts')).toEqual(
      frameHashes(joinAnnexB(samples.flatMap((sample) => sample.data as Uint8Array[])), 'h264'),
    )
  })

  it('with sound at 44.1 kHz and at 48 kHz', () => {
    const tracks = [video, aac('a', 44_100), aac('b', 48_000)]
    const samples = [
      ...capturedSamples('ramp', 'v'),
      ...aacSamples('a', 17, 44_100, 2),
      ...aacSamples('b', 17, 48_000, 1),
    ]
    const bytes = muxAll(new TsMuxer(tracks), interleave(tracks, samples))
    expectSound(bytes)
    const { streams, packets } = probe(bytes)
    expect(streams).toMatchObject([
      { id: '0x100', codec_name: 'h264', profile: 'Constrained Baseline' },
      { id: '0x101', codec_name: 'aac', sample_rate: '44100', channels: 2 },
      { id: '0x102', codec_name: 'aac', sample_rate: '48000', channels: 1 },
    ])
    // Rounded from the absolute sample each time: after 17 s still within half a tick.
    for (const [index, rate] of [
      [1, 44_100],
      [2, 48_000],
    ] as const) {
      const times = packets.filter((packet) => packet.stream_index === index).map((packet) => packet.pts)
      expect(times.length).toBeGreaterThan(700)
      expect(times).toEqual(times.map((_, i) => 900_000 + Math.round((i * 1024 * 90_000) / rate)))
    }
  })
})

describe.skipIf(!hasFfmpeg && !process.env['CI'])('x264 with B-frames', () => {
  it.each([
    ['720p', '1280x720', ['-b:v', '4M', '-g', '50', '-bf', '3']],
    ['slices', '640x360', ['-g', '30', '-bf', '2', '-slices', '4']],
    ['1080p of high rate, with a picture over 64 kB', '1280x720', ['-qp', '4', '-g', '25', '-bf', '2']],
    ['interlaced', '352x288', ['-flags', '+ildct+ilme', '-x264opts', 'tff=1', '-bf', '2', '-g', '25']],
  ])('%s', (_, size, options) => {
    const samples = x264Samples('x', size, 30, ...options)
    const muxer = new TsMuxer([millis])
    const bytes = muxAll(muxer, samples)
    expectSound(bytes)
    const { packets, streams } = probe(bytes)
    expect(streams[0]?.has_b_frames).toBeGreaterThan(0)
    expect(packets.map(({ pts, dts }) => [pts, dts])).toEqual(
      samples.map(({ pts, dts }) => [pts * 90 + 900_000, dts * 90 + 900_000]),
    )
    expect(frameHashes(bytes, 'mpegts')).toEqual(
      frameHashes(joinAnnexB(samples.flatMap((sample) => sample.data as Uint8Array[])), 'h264'),
    )
  })

  it('two cameras and a sound track', () => {
    const second: Track = { ...millis, id: 'y' }
    const tracks = [millis, second, aac('a', 48_000)]
    const samples = [
      ...x264Samples('x', '640x360', 50, '-g', '25', '-bf', '2'),
      ...x264Samples('y', '320x240', 50, '-g', '20', '-bf', '0'),
      ...aacSamples('a', 2, 48_000, 2),
    ]
    const bytes = muxAll(new TsMuxer(tracks), interleave(tracks, samples))
    expectSound(bytes)
    expect(probe(bytes).streams).toMatchObject([
      { id: '0x100', width: 640, height: 360 },
      { id: '0x101', width: 320, height: 240 },
      { id: '0x102', codec_name: 'aac' },
    ])
  })

  it('over the wrap of the 33-bit clock', () => {
    const samples = x264Samples('x', '320x240', 60, '-g', '25', '-bf', '2')
    const bytes = muxAll(new TsMuxer([millis], { ptsOffset90k: 2 ** 33 - 90_000 }), samples)
    expect(formatFindings(checkTransportStream(bytes))).toBe('')
    expect(decode(bytes)).toBe('')
    expect(demuxWithMuxJs(bytes).map(({ pts, dts }) => [pts, dts])).toEqual(
      samples.map(({ pts, dts }) => [pts, dts].map((time) => (time * 90 + 2 ** 33 - 90_000) % 2 ** 33)),
    )
  })
})

describe.skipIf(!hasFfmpeg && !process.env['CI'])('sound alone', () => {
  it.each([
    [48_000, 2],
    [44_100, 1],
    [16_000, 1],
  ])('%i Hz, %i channels', (sampleRate, channels) => {
    const samples = aacSamples('a', 3, sampleRate, channels)
    const bytes = muxAll(new TsMuxer([aac('a', sampleRate)]), samples)
    expectSound(bytes)
    const { streams, packets } = probe(bytes)
    expect(streams).toMatchObject([{ codec_name: 'aac', sample_rate: String(sampleRate), channels }])
    expect(packets).toHaveLength(samples.length)
  })
})
