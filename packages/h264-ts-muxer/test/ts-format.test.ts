import type { EncodedSample, SegmentFormat, Track } from '@rushes/media'
import { checkTransportStream, formatFindings, readTransportStream } from '@rushes/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tsFormat } from '../src/index.js'
import { aacConfiguration } from './aac-configuration.js'
import { arbitraryProgram } from './arbitrary-program.js'
import { capturedSamples } from './captured-samples.js'
import { demuxWithMuxJs } from './mux-js.js'

const camera: Track = { id: 'v', kind: 'video', codec: 'h264', clockRate: 90_000 }
const sound: Track = { id: 'a', kind: 'audio', codec: 'aac', clockRate: 48_000 }

function segment(format: SegmentFormat, samples: readonly EncodedSample[], discontinuity = false): Buffer {
  const out: Uint8Array[] = []
  const emit = (bytes: Uint8Array): void => void out.push(bytes)
  format.begin({ discontinuity }, emit)
  for (const sample of samples) format.push(sample, emit)
  format.end(emit)
  return Buffer.concat(out)
}

/** Segments that begin with a keyframe. */
function atKeyframes(samples: readonly EncodedSample[]): EncodedSample[][] {
  const segments: EncodedSample[][] = []
  for (const sample of samples) {
    if (sample.keyframe) segments.push([])
    segments.at(-1)!.push(sample)
  }
  return segments
}

describe('tsFormat', () => {
  it('describes itself', () => {
    const format = tsFormat([camera])
    expect(format).toMatchObject({ container: 'mpeg-ts', contentType: 'video/mp2t', extension: 'ts', tracks: [camera] })
    expect(format.initialization).toBeUndefined()
  })

  it.each(['solo', 'ramp', 'mutes'])('segments of %s stand alone, and their counters and clocks run on', (take) => {
    const samples = capturedSamples(take, 'v')
    const format = tsFormat([camera])
    const segments = atKeyframes(samples).map((part) => segment(format, part))
    expect(segments.length).toBeGreaterThan(2)
    expect(formatFindings(checkTransportStream(segments, { independentSegments: true }))).toBe('')
    for (const bytes of segments)
      expect(formatFindings(checkTransportStream(bytes, { independentSegments: true }))).toBe('')
    expect(format.stats.tables).toBe(segments.length)
    expect(demuxWithMuxJs(Buffer.concat(segments)).map(({ pts }) => pts)).toEqual(
      samples.map(({ pts }) => pts + 900_000),
    )
  })

  it('begins with the tables, even where nothing follows', () => {
    const bytes = segment(tsFormat([camera]), [])
    expect(bytes.length).toBe(2 * 188)
    expect([bytes.readUInt16BE(1) & 0x1fff, bytes.readUInt16BE(189) & 0x1fff]).toEqual([0, 0x1000])
  })

  it('has a PCR at the start of a segment that begins with sound', () => {
    const format = tsFormat([camera, sound])
    const [first, second] = atKeyframes(capturedSamples('solo', 'v')) as [EncodedSample[], EncodedSample[]]
    const start = Math.round((second[0]!.dts * 48) / 90) - 10
    const frame: EncodedSample = {
      type: 'sample',
      trackId: 'a',
      data: Buffer.alloc(9),
      pts: start,
      dts: start,
      keyframe: true,
    }
    segment(format, first)
    const bytes = segment(format, [{ ...frame, configuration: aacConfiguration(48_000, 2) }, ...second])
    const { pcrs } = readTransportStream(bytes)
    expect(pcrs[0]).toMatchObject({ pid: 0x100, offset: 2 * 188 })
  })

  it('a track that starts late: a new version of the PMT, and the discontinuity that the segmenter declares', () => {
    const format = tsFormat([sound])
    const [pictures] = atKeyframes(capturedSamples('solo', 'v')) as [EncodedSample[]]
    const frames = Array.from({ length: 40 }, (_, i): EncodedSample => {
      const time = i * 1024
      const configuration = i === 0 ? { configuration: aacConfiguration(48_000, 2) } : {}
      return {
        type: 'sample',
        trackId: 'a',
        data: Buffer.alloc(50, 3),
        pts: time,
        dts: time,
        keyframe: true,
        ...configuration,
      }
    })
    const first = segment(format, frames.slice(0, 20))
    format.addTrack(camera)
    expect(format.tracks).toEqual([sound, camera])
    const offset = Math.round((20 * 1024 * 90) / 48)
    const later = [
      ...frames.slice(20),
      ...pictures.map((sample) => ({ ...sample, pts: sample.pts + offset, dts: sample.dts + offset })),
    ].sort((a, b) => a.dts / (a.trackId === 'a' ? 48 : 90) - b.dts / (b.trackId === 'a' ? 48 : 90))
    const second = segment(format, later, true)
    expect(formatFindings(checkTransportStream([first, second], { discontinuities: [1] }))).toBe('')
    expect(readTransportStream(second).streams.map(({ pid }) => pid)).toEqual([0x100, 0x101])
  })

  it('cut anywhere: the oracle finds nothing, and nothing is lost', () => {
    fc.assert(
      fc.property(arbitraryProgram, fc.array(fc.nat(30), { maxLength: 4 }), ({ tracks, samples }, cuts) => {
        const format = tsFormat(tracks)
        const bounds = [...new Set([0, ...cuts.filter((at) => at < samples.length), samples.length])].sort(
          (a, b) => a - b,
        )
        const segments = bounds.slice(1).map((end, i) => segment(format, samples.slice(bounds[i], end)))
        const options = { allowAudioGaps: true, allowIdle: true }
        expect(formatFindings(checkTransportStream(segments, options))).toBe('')
        const { streams } = readTransportStream(segments)
        expect(streams.reduce((sum, stream) => sum + stream.accessUnits.length + stream.audioFrames.length, 0)).toBe(
          samples.length,
        )
      }),
      { numRuns: 300 },
    )
  })
})
