import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import {
  BitstreamError,
  H265NalUnitType,
  h265CodecString,
  h265Configuration,
  parseH265Pps,
  parseH265Sps,
  parseH265Vps,
} from '../../src/index.js'
import { encode, hasX265, ofType } from './x265.js'

/** Main profile, level 3.1. */
const PROFILE_MAIN = {
  profileSpace: 0,
  highTier: false,
  profileIdc: 1,
  profileCompatibility: 0x6000_0000,
  constraintBytes: Uint8Array.of(0xb0, 0, 0, 0, 0, 0),
  levelIdc: 93,
}

describe('h265CodecString (ISO/IEC 14496-15 Annex E)', () => {
  it.each<[string, Partial<typeof PROFILE_MAIN>]>([
    ['hvc1.1.6.L93.B0', {}],
    ['hvc1.2.4.L153.B0', { profileIdc: 2, profileCompatibility: 0x2000_0000, levelIdc: 153 }],
    [
      'hvc1.A1.6.H120.90',
      { profileSpace: 1, highTier: true, levelIdc: 120, constraintBytes: Uint8Array.of(0x90, 0, 0, 0, 0, 0) },
    ],
    [
      'hvc1.4.10.L30.B9.88',
      {
        profileIdc: 4,
        profileCompatibility: 0x0800_0000,
        levelIdc: 30,
        constraintBytes: Uint8Array.of(0xb9, 0x88, 0, 0, 0, 0),
      },
    ],
    ['hvc1.1.6.L93', { constraintBytes: new Uint8Array(6) }],
    ['hvc1.1.6.L93.0.0.0.0.0.1', { constraintBytes: Uint8Array.of(0, 0, 0, 0, 0, 1) }],
    ['hvc1.1.80000001.L93.B0', { profileCompatibility: 0x8000_0001 }],
  ])('%s', (expected, change) => {
    expect(h265CodecString({ profileTierLevel: { ...PROFILE_MAIN, ...change } })).toBe(expected)
  })

  it('hev1 where that is asked for', () => {
    expect(h265CodecString({ profileTierLevel: PROFILE_MAIN }, 'hev1')).toBe('hev1.1.6.L93.B0')
  })
})

interface Probed {
  readonly width: number
  readonly height: number
  readonly coded_width: number
  readonly profile: string
  readonly level: number
  readonly has_b_frames: number
  readonly pix_fmt: string
  readonly color_range?: string
  readonly color_space?: string
}

function probe(byteStream: Uint8Array): Probed {
  const output = execFileSync('ffprobe', ['-v', 'error', '-f', 'hevc', '-show_streams', '-of', 'json', '-'], {
    input: byteStream,
  })
  return JSON.parse(output.toString()).streams[0]
}

describe.skipIf(!hasX265 && !process.env['CI'])('parameter sets of x265, as ffprobe sees them', () => {
  it.each<[string, string, string, string[]]>([
    ['one slice, B pictures', '320x240', 'bframes=3', []],
    ['cropped on two sides', '322x182', 'bframes=0', []],
    ['cropped, 4:4:4', '324x182', 'bframes=0', ['-pix_fmt', 'yuv444p']],
    ['cropped, 4:2:2', '322x182', 'bframes=0', ['-pix_fmt', 'yuv422p']],
    ['monochrome', '320x180', 'bframes=0', ['-pix_fmt', 'gray']],
    ['ten bits', '320x240', 'bframes=4:b-pyramid=1', ['-pix_fmt', 'yuv420p10le']],
    ['temporal sub-layers', '320x240', 'temporal-layers=1:bframes=3:b-adapt=0', []],
    ['default scaling lists', '320x240', 'scaling-list=default', []],
    [
      'VUI with HRD',
      '320x240',
      'hrd=1:vbv-maxrate=500:vbv-bufsize=500:sar=2:range=full:colorprim=bt709:transfer=bt709:colormatrix=bt709:videoformat=pal',
      ['-b:v', '300k'],
    ],
    ['level and tier given', '320x240', 'level-idc=5.1:high-tier=1:vbv-maxrate=500:vbv-bufsize=500', []],
    ['many reference pictures', '320x240', 'ref=6:bframes=0', []],
    ['lossless, small blocks', '160x96', 'ctu=16:min-cu-size=8:lossless=1', []],
  ])('%s', (_, size, params, options) => {
    const byteStream = encode(size, 8, params, ...options)
    const [sps] = ofType(byteStream, H265NalUnitType.sps)
    const parsed = parseH265Sps(sps!)
    const probed = probe(byteStream)
    const { width, height, coded_width: codedWidth } = probed
    expect(parsed).toMatchObject({ width, height, codedWidth })
    expect(parsed.profileTierLevel.levelIdc).toBe(probed.level)
    expect(parsed.maxNumReorderPics).toBe(probed.has_b_frames)
    expect(parsed.chromaFormatIdc).toBe(
      { '420': 1, '422': 2, '444': 3 }[/yuvj?(\d+)/.exec(probed.pix_fmt)?.[1] ?? ''] ?? 0,
    )
    expect(parsed.bitDepthLuma).toBe(probed.pix_fmt.includes('10le') ? 10 : 8)
    // x265 writes a VUI with timing always: to get there every field before it has been read.
    expect(parsed.vui?.timing).toEqual({ numUnitsInTick: 1, timeScale: 25 })
    expect(parsed.vui?.fullRange ?? false).toBe(probed.color_range === 'pc')
    const [vps] = ofType(byteStream, H265NalUnitType.vps).map(parseH265Vps)
    expect(vps).toMatchObject({ id: parsed.vpsId, maxSubLayers: parsed.maxSubLayers })
    expect(vps!.profileTierLevel).toEqual(parsed.profileTierLevel)
    expect(ofType(byteStream, H265NalUnitType.pps).map(parseH265Pps)).toEqual([
      expect.objectContaining({ id: 0, spsId: parsed.id }),
    ])
  })

  it('a configuration', () => {
    const byteStream = encode('320x240', 3, 'bframes=2:b-adapt=0:level-idc=3.1')
    const sets = [H265NalUnitType.vps, H265NalUnitType.sps, H265NalUnitType.pps].map((type) => ofType(byteStream, type))
    const [vps, sps, pps] = sets as [Uint8Array[], Uint8Array[], Uint8Array[]]
    expect(h265Configuration(vps, sps, pps)).toEqual({
      kind: 'video',
      codec: 'h265',
      codecString: 'hvc1.1.6.L93.90',
      width: 320,
      height: 240,
      rotation: 0,
      reorderDepth: 2,
      parameterSets: { vps, sps, pps },
    })
    const refusal = expect.objectContaining({ code: 'H265_BAD_SPS' })
    expect(() => h265Configuration(vps, [], pps)).toThrow(refusal)
    expect(() => h265Configuration(vps, sps, pps, 7)).toThrow(refusal)
    expect(() => h265Configuration(vps, pps, sps)).toThrow(refusal)
  })
})

it.each([
  ['nothing', []],
  ['one byte', [0x42]],
  ['another type', [0x44, 1, 1, 2, 3]],
  ['an enhancement layer', [0x42, 0x09, 1, 2, 3]],
  ['a cut', [0x42, 1, 1, 1, 0x60]],
])('an SPS that is %s is refused', (_, bytes) => {
  for (const parse of [parseH265Sps, parseH265Pps, parseH265Vps]) {
    expect(() => parse(Uint8Array.from(bytes))).toThrow(BitstreamError)
  }
})
