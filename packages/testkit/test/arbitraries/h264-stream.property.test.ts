import { execFileSync, spawnSync } from 'node:child_process'
import { parsePps, parseSliceHeader, parseSps } from '@rushes/bitstream'
import type { EncodedSample } from '@rushes/media'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AccessUnitChecker } from '../../src/h264/access-unit-rules.js'
import { arbitraries, type H264Stream, type H264StreamOptions } from '../../src/index.js'

const variants: [string, H264StreamOptions][] = [
  ['plain', {}],
  ['B pictures', { bFrames: true }],
  ['wraps and changes', { bFrames: true, wraps: true, sizeChanges: true }],
]

function nalUnitsOf(sample: EncodedSample): readonly Uint8Array[] {
  return sample.data as readonly Uint8Array[]
}

describe.each(variants)('h264Stream, %s', (_, options) => {
  it('gives access units that break no rule', () => {
    fc.assert(
      fc.property(arbitraries.h264Stream({ ...options, maxPictureBytes: 3000 }), ({ accessUnits }) => {
        const checker = new AccessUnitChecker({ delimiter: 'optional', parameterSetsInBand: true })
        const findings: string[] = []
        for (const { nalUnits, keyframe, configuration } of accessUnits) {
          const facts = checker.check(nalUnits, (rule, message) => findings.push(`${rule}: ${message}`))
          expect(facts.keyframe).toBe(keyframe)
          if (configuration === undefined) continue
          expect(facts.sps).toMatchObject({ width: configuration.width, height: configuration.height })
        }
        expect(findings).toEqual([])
      }),
    )
  })

  it('gives times in order, and output order by them', () => {
    fc.assert(
      fc.property(arbitraries.h264Stream({ ...options, maxPictureBytes: 100 }), (stream) => {
        const { samples, accessUnits, reorderDepth } = stream
        expect(samples.length).toBe(accessUnits.length)
        for (const [index, { pts, dts }] of samples.entries()) {
          expect(pts).toBeGreaterThanOrEqual(dts)
          if (index > 0) expect(dts).toBeGreaterThan((samples[index - 1] as EncodedSample).dts)
          const later = samples.slice(0, index).filter((other) => other.pts > pts)
          expect(later.length).toBeLessThanOrEqual(reorderDepth)
        }
        expect(new Set(samples.map(({ pts }) => pts)).size).toBe(samples.length)
        expect(outputOrder(stream)).toEqual([...samples].sort((a, b) => a.pts - b.pts).map((s) => samples.indexOf(s)))
        if (options.wraps === true) {
          expect(Math.max(...samples.map(({ pts }) => pts))).toBeGreaterThanOrEqual(2 ** 33)
          expect(Math.min(...samples.map(({ dts }) => dts))).toBeLessThanOrEqual(2 ** 33)
          expect(Math.max(...accessUnits.map((unit) => unit.rtpTimestamp))).toBeGreaterThanOrEqual(2 ** 32)
        }
      }),
      { numRuns: 300 },
    )
  })
})

/** Indexes of the samples in output order by picture order count (types 1 and 2: decoding order), from IDR to IDR. */
function outputOrder({ samples }: H264Stream): number[] {
  const sps = new Map<number, ReturnType<typeof parseSps>>()
  const pps = new Map<number, ReturnType<typeof parsePps>>()
  const keys: { index: number; gop: number; count: number }[] = []
  let gop = 0
  let msb = 0
  let previous = 0
  for (const [index, sample] of samples.entries()) {
    for (const nalUnit of nalUnitsOf(sample)) {
      const type = (nalUnit[0] as number) & 31
      if (type === 7) sps.set(parseSps(nalUnit).id, parseSps(nalUnit))
      if (type === 8) pps.set(parsePps(nalUnit).id, parsePps(nalUnit))
      if (type !== 1 && type !== 5) continue
      const header = parseSliceHeader(nalUnit, { sps: (id) => sps.get(id), pps: (id) => pps.get(id) })
      const active = sps.get(pps.get(header.ppsId)?.spsId as number)
      const max = 2 ** (active?.log2MaxPicOrderCntLsb ?? 4)
      const lsb = header.picOrderCntLsb
      if (type === 5) {
        gop++
        msb = 0
        previous = 0
      }
      if (lsb === undefined) keys.push({ index, gop, count: index })
      else {
        // ITU-T H.264 8.2.1.1
        let countMsb = msb
        if (lsb < previous && previous - lsb >= max / 2) countMsb += max
        else if (lsb > previous && lsb - previous > max / 2) countMsb -= max
        keys.push({ index, gop, count: countMsb + lsb })
        if ((nalUnit[0] as number) >= 0x20) {
          msb = countMsb
          previous = lsb
        }
      }
      break
    }
  }
  return keys.sort((a, b) => a.gop - b.gop || a.count - b.count).map(({ index }) => index)
}

describe.skipIf(spawnSync('ffmpeg', ['-version']).error !== undefined && !process.env['CI'])('ffmpeg', () => {
  it('parses every header', () => {
    const streams = fc.sample(arbitraries.h264Stream({ bFrames: true, sizeChanges: true, maxPictureBytes: 500 }), {
      numRuns: 40,
      seed: 264,
    })
    for (const { samples } of streams) {
      const bytes = Buffer.concat(
        samples.flatMap((sample) => nalUnitsOf(sample).flatMap((nalUnit) => [Buffer.from([0, 0, 0, 1]), nalUnit])),
      )
      const args = '-v verbose -f h264 -i pipe:0 -c copy -bsf:v trace_headers -f null -'.split(' ')
      const { stderr } = spawnSync('ffmpeg', args, { input: bytes, encoding: 'utf8' })
      const slices = stderr.split('\n').filter((line) => line.includes('] Slice Header'))
      const complaints = stderr
        .split('\n')
        .filter((line) => /trace_headers.*(fail|invalid|missing|out of range|not available)/i.test(line))
      expect(complaints.join('\n')).toBe('')
      const expected = samples.flatMap(nalUnitsOf).filter((nalUnit) => [1, 5].includes((nalUnit[0] as number) & 31))
      expect(slices.length).toBe(expected.length)
    }
  })

  it('is there', () => {
    expect(execFileSync('ffmpeg', ['-version'], { encoding: 'utf8' })).toContain('ffmpeg version')
  })
})
