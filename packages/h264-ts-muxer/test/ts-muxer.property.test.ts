import { NalUnitType, nalUnitTypeOf, splitAdts, splitAnnexB } from '@rushes/bitstream'
import { type EncodedSample, type Track, timescaleOf } from '@rushes/media'
import { checkTransportStream, formatFindings, readTransportStream } from '@rushes/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TsMuxer } from '../src/index.js'
import { arbitraryProgram, type Program, parameterSets } from './arbitrary-program.js'
import { hasFfmpeg, probe } from './ffmpeg.js'
import { muxAll } from './mux-all.js'
import { demuxWithMuxJs } from './mux-js.js'

const WRAP = 2n ** 33n
/** The wire's 33 bits of a time, by exact arithmetic. */
function ticks33(time: number, track: Track): number {
  const timescale = BigInt(timescaleOf(track))
  const doubled = 2n * BigInt(time) * 90_000n + timescale // for rounding half up
  const quotient = doubled / (2n * timescale) - (doubled < 0n && doubled % (2n * timescale) !== 0n ? 1n : 0n)
  return Number((((quotient + 900_000n) % WRAP) + WRAP) % WRAP)
}

const hex = (bytes: Uint8Array): string =>
  bytes.byteLength < 64
    ? Buffer.from(bytes).toString('hex')
    : `${bytes.byteLength} ${Buffer.from(bytes).toString('latin1')}`

/** NAL units without what a muxer may put in: delimiters, and parameter sets of an access unit that had none. */
function essence(nalUnits: readonly Uint8Array[], hadSets: boolean): string[] {
  return nalUnits
    .filter((nalUnit) => nalUnitTypeOf(nalUnit) !== NalUnitType.accessUnitDelimiter)
    .filter((nalUnit) => hadSets || ![NalUnitType.sps, NalUnitType.pps].some((type) => type === nalUnitTypeOf(nalUnit)))
    .map(hex)
}

const hasSets = (sample: EncodedSample): boolean =>
  (sample.data as readonly Uint8Array[]).some((nalUnit) => nalUnitTypeOf(nalUnit) === NalUnitType.sps)

function samplesOf(program: Program, track: Track | undefined): EncodedSample[] {
  return program.samples.filter((sample) => sample.trackId === track?.id)
}

it('mux.js reads back what went in', () => {
  fc.assert(
    fc.property(arbitraryProgram, (program) => {
      const pes = demuxWithMuxJs(muxAll(new TsMuxer(program.tracks), program.samples))
      const video = program.tracks.find((track) => track.kind === 'video')
      const audio = program.tracks.find((track) => track.kind === 'audio')
      const pictures = pes.filter((packet) => packet.type === 'video')
      const frames = pes.filter((packet) => packet.type === 'audio')
      expect(pictures.map(({ pts, dts }) => [pts, dts])).toEqual(
        samplesOf(program, video).map(({ pts, dts }) => [ticks33(pts, video!), ticks33(dts, video!)]),
      )
      for (const [i, sample] of samplesOf(program, video).entries()) {
        const nalUnits = splitAnnexB(pictures[i]!.data)
        expect(nalUnits.map(nalUnitTypeOf).filter((type) => type === NalUnitType.accessUnitDelimiter)).toHaveLength(1)
        expect(essence(nalUnits, hasSets(sample))).toEqual(
          essence(sample.data as readonly Uint8Array[], hasSets(sample)),
        )
        if (sample.keyframe) {
          expect(nalUnits.slice(1, 3).map(hex)).toEqual([hex(parameterSets.sps), hex(parameterSets.pps)])
        }
      }
      expect(frames.map(({ pts }) => pts)).toEqual(samplesOf(program, audio).map(({ pts }) => ticks33(pts, audio!)))
      for (const [i, sample] of samplesOf(program, audio).entries()) {
        const [frame, ...more] = splitAdts(frames[i]!.data)
        expect(more).toEqual([])
        expect(hex(frame!.data)).toBe(hex(sample.data as Uint8Array))
        expect(frame!.header.sampleRate).toBe(timescaleOf(audio!))
      }
    }),
  )
})

it('the oracle finds nothing, and lists every track whole', () => {
  fc.assert(
    fc.property(arbitraryProgram, (program) => {
      const muxer = new TsMuxer(program.tracks)
      const bytes = muxAll(muxer, program.samples)
      expect(formatFindings(checkTransportStream(bytes, { allowAudioGaps: true }))).toBe('')
      expect(muxer.stats).toMatchObject({
        samples: program.samples.length,
        bytes: bytes.byteLength,
        packets: bytes.byteLength / 188,
        lateSamples: 0,
      })
      const { streams } = readTransportStream(bytes)
      expect(streams.map((stream) => stream.accessUnits.length + stream.audioFrames.length)).toEqual(
        program.tracks.map((track) => samplesOf(program, track).length),
      )
    }),
  )
})

it('one buffer a sample, which nothing else writes into', () => {
  fc.assert(
    fc.property(arbitraryProgram, ({ tracks, samples }) => {
      const muxer = new TsMuxer(tracks)
      const emitted: { bytes: Uint8Array; copy: Buffer }[] = []
      for (const sample of samples)
        muxer.push(sample, (bytes) => void emitted.push({ bytes, copy: Buffer.from(bytes) }))
      expect(emitted).toHaveLength(samples.length)
      for (const { bytes, copy } of emitted) {
        expect(copy.equals(bytes)).toBe(true)
        expect(bytes.byteLength % 188).toBe(0)
      }
    }),
    { numRuns: 200 },
  )
})

describe.skipIf(!hasFfmpeg && !process.env['CI'])('ffprobe, in batches', () => {
  it('reads back times and sizes of every track', () => {
    for (const program of fc.sample(arbitraryProgram, { numRuns: 25, seed: 264 })) {
      const bytes = muxAll(new TsMuxer(program.tracks), program.samples)
      const { streams, packets } = probe(bytes)
      expect(streams.map((stream) => stream.id)).toEqual(program.tracks.map((_, i) => `0x${(0x100 + i).toString(16)}`))
      for (const [i, track] of program.tracks.entries()) {
        const found = packets.filter((packet) => packet.stream_index === i)
        const wrapped = (time: number): number => Number(((BigInt(time) % WRAP) + WRAP) % WRAP)
        expect(found.map(({ pts, dts }) => [wrapped(pts), wrapped(dts)])).toEqual(
          samplesOf(program, track).map(({ pts, dts }) => [ticks33(pts, track), ticks33(dts, track)]),
        )
      }
    }
  })
})
