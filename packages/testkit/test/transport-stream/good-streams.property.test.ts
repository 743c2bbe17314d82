import type { EncodedSample } from '@rushes/media'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  arbitraries,
  checkTransportStream,
  formatFindings,
  type Program,
  readTransportStream,
} from '../../src/index.js'
import { miniMux } from './mini-muxer.js'

const video = { maxPictures: 8, maxPictureBytes: 70_000 }

function segmentsOf({ tracks, samples }: Program): Uint8Array[] {
  const starts = samples.flatMap((sample, i) => (sample.keyframe && sample.trackId === 'video' ? [i] : []))
  return miniMux(tracks, samples, {}, starts)
}

describe.each([false, true])('any program, wraps: %s', (wraps) => {
  const program = arbitraries.program({ video: { bFrames: true, wraps, ...video }, audio: { wraps, maxFrames: 40 } })

  it('has no findings when muxed by the rules', () => {
    fc.assert(
      fc.property(program, (generated) => {
        const findings = checkTransportStream(segmentsOf(generated), { allowIdle: true })
        expect(formatFindings(findings)).toBe('')
      }),
      { numRuns: 200 },
    )
  })

  it('is listed as it was', () => {
    fc.assert(
      fc.property(program, (generated) => {
        const { streams } = readTransportStream(segmentsOf(generated))
        const pictures = streams.find(({ kind }) => kind === 'video')?.accessUnits ?? []
        const sent = generated.samples.filter(({ trackId }) => trackId === 'video')
        const first = sent[0] as EncodedSample
        expect(
          pictures.map(({ pts90k, dts90k }) => [
            pts90k - (pictures[0]?.dts90k ?? 0),
            dts90k - (pictures[0]?.dts90k ?? 0),
          ]),
        ).toEqual(sent.map(({ pts, dts }) => [pts - first.dts, dts - first.dts]))
        expect(pictures.map(({ keyframe }) => keyframe)).toEqual(sent.map(({ keyframe }) => keyframe))
        const sound = streams.find(({ kind }) => kind === 'audio')?.audioFrames ?? []
        const frames = generated.samples.filter(({ trackId }) => trackId === 'audio')
        expect(sound.map(({ data }) => Buffer.from(data).toString('hex'))).toEqual(
          frames.map(({ data }) => Buffer.from(data as Uint8Array).toString('hex')),
        )
      }),
      { numRuns: 100 },
    )
  })
})

it('survives anything', () => {
  const flips = fc.array(fc.record({ at: fc.nat(), to: fc.nat(255) }), { minLength: 1, maxLength: 30 })
  const [generated] = fc.sample(arbitraries.program({ video: { ...video, maxPictureBytes: 500 } }), {
    numRuns: 1,
    seed: 5,
  })
  const bytes = Buffer.concat(segmentsOf(generated as Program))
  fc.assert(
    fc.property(flips, (changes) => {
      const copy = Buffer.from(bytes)
      for (const { at, to } of changes) copy[at % copy.byteLength] = to
      expect(Array.isArray(checkTransportStream(copy))).toBe(true)
    }),
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => checkTransportStream(noise).length > 0))
})
