import { describe, expect, it } from 'vitest'
import {
  h264CodecString,
  h264ReorderDepth,
  joinAnnexB,
  NalUnitType,
  nalUnitTypeOf,
  parseSps,
  type Sps,
  splitAnnexB,
} from '../../src/index.js'
import { capturedAccessUnits } from '../captured-access-units.js'
import { encode, hasFfmpeg, probe } from './x264.js'

const PROFILE_NAMES: Record<string, (sps: Sps) => boolean> = {
  'Constrained Baseline': (sps) => sps.profileIdc === 66 && (sps.constraintFlags & 0x40) !== 0,
  Baseline: (sps) => sps.profileIdc === 66,
  Main: (sps) => sps.profileIdc === 77,
  High: (sps) => sps.profileIdc === 100,
  'High 10': (sps) => sps.profileIdc === 110,
  'High 4:2:2': (sps) => sps.profileIdc === 122,
  'High 4:4:4 Predictive': (sps) => sps.profileIdc === 244,
}

function firstSps(nalUnits: readonly Uint8Array[]): Sps {
  return parseSps(nalUnits.find((unit) => nalUnitTypeOf(unit) === NalUnitType.sps)!)
}

function expectAsProbed(byteStream: Uint8Array): Sps {
  const sps = firstSps(splitAnnexB(byteStream))
  const probed = probe(byteStream)
  expect({ width: sps.width, height: sps.height, level: sps.levelIdc }).toEqual({
    width: probed.width,
    height: probed.height,
    level: probed.level,
  })
  expect(PROFILE_NAMES[probed.profile]?.(sps), probed.profile).toBe(true)
  expect(h264ReorderDepth(sps)).toBe(probed.has_b_frames)
  return sps
}

describe.skipIf(!hasFfmpeg && !process.env['CI'])('parseSps on x264, as ffprobe sees it', () => {
  it.each([
    ['1920x1080, cropped from 1088, B-frames', '1920x1080', ['-bf', '3', '-b_strategy', '0'], {}],
    ['without B-frames', '640x360', ['-bf', '0'], {}],
    ['constrained baseline', '640x360', ['-profile:v', 'baseline'], {}],
    ['main', '352x288', ['-profile:v', 'main', '-bf', '1'], {}],
    ['one pixel of cropping where chroma allows it', '639x359', ['-pix_fmt', 'yuv444p'], { chromaFormatIdc: 3 }],
    [
      '4:2:2, 10 bits',
      '638x359',
      ['-pix_fmt', 'yuv422p10le'],
      { chromaFormatIdc: 2, bitDepthLuma: 10, bitDepthChroma: 10 },
    ],
    ['4:2:0, 10 bits', '638x358', ['-pix_fmt', 'yuv420p10le'], { bitDepthLuma: 10 }],
    ['monochrome', '638x358', ['-pix_fmt', 'gray'], { chromaFormatIdc: 0 }],
    [
      'interlaced',
      '720x564',
      ['-flags', '+ildct+ilme', '-x264opts', 'tff=1'],
      { frameMbsOnly: false, codedHeight: 576 },
    ],
    [
      'interlaced 4:2:2',
      '718x567',
      ['-pix_fmt', 'yuv422p', '-flags', '+ildct+ilme', '-x264opts', 'tff=1', '-vf', 'crop=718:566'],
      { frameMbsOnly: false },
    ],
    ['HRD in the VUI', '640x360', ['-x264opts', 'nal-hrd=cbr', '-b:v', '1M', '-maxrate', '1M', '-bufsize', '1M'], {}],
    ['scaling lists', '640x360', ['-x264opts', 'cqm=jvt'], {}],
    ['custom scaling lists', '640x360', ['-x264opts', `cqm4iy=${list(16)}:cqm8i=${list(64)}`], {}],
    ['intra only', '640x360', ['-g', '1'], {}],
  ] as const)('%s', (_, size, options, expected) => {
    expect(expectAsProbed(encode(size, 5, ...options))).toMatchObject(expected)
  })

  it('sample aspect ratio, range and timing', () => {
    const byteStream = encode('720x576', 2, '-vf', 'setsar=64/45', '-color_range', 'pc', '-pix_fmt', 'yuvj420p')
    const { vui } = firstSps(splitAnnexB(byteStream))
    expect(vui).toMatchObject({ sampleAspectRatio: { width: 64, height: 45 }, fullRange: true })
    expect(vui!.timing!.timeScale / vui!.timing!.numUnitsInTick).toBe(50)
    expect(probe(byteStream)).toMatchObject({ sample_aspect_ratio: '64:45', color_range: 'pc' })
  })
})

/** A scaling list that rises, as x264 takes it. */
function list(length: number): string {
  return Array.from({ length }, (_, i) => 10 + i).join(',')
}

describe('parseSps on Chromium', () => {
  it.each([
    ['solo', ['640x360 avc1.42c01f', '960x540 avc1.42c020']],
    ['ramp', ['640x360 avc1.42c01f', '960x540 avc1.42c020', '1280x720 avc1.42c020']],
  ])('%s', (take, expected) => {
    const seen = new Set<string>()
    for (const accessUnit of capturedAccessUnits(take)) {
      const nalUnit = accessUnit.find((unit) => nalUnitTypeOf(unit) === NalUnitType.sps)
      if (nalUnit === undefined) continue
      const sps = parseSps(nalUnit)
      expect(sps.id).toBe(0)
      expect(h264ReorderDepth(sps)).toBe(0)
      seen.add(`${sps.width}x${sps.height} ${h264CodecString(sps)}`)
    }
    expect([...seen]).toEqual(expected)
  })

  it.skipIf(!hasFfmpeg && !process.env['CI']).each(['solo', 'ramp', 'mutes'])(
    'every keyframe of %s as ffprobe',
    (take) => {
      const keyframes = capturedAccessUnits(take).filter((unit) =>
        unit.some((nal) => nalUnitTypeOf(nal) === NalUnitType.sps),
      )
      const differing = new Map(keyframes.map((unit) => [Buffer.from(unit[0]!).toString('hex'), unit]))
      expect(differing.size).toBeGreaterThan(1)
      for (const accessUnit of differing.values()) expectAsProbed(joinAnnexB(accessUnit))
    },
  )
})

describe('parseSps refuses', () => {
  const good = capturedAccessUnits('solo')[0]!.find((unit) => nalUnitTypeOf(unit) === NalUnitType.sps)!
  it.each([
    ['another NAL unit', Uint8Array.of(0x68, 1, 2, 3)],
    ['nothing', new Uint8Array(0)],
    ['one that ends early', good.subarray(0, 6)],
  ])('%s', (_, nalUnit) => {
    expect(() => parseSps(nalUnit)).toThrow(expect.objectContaining({ code: 'H264_BAD_SPS' }))
  })
})
