import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { H265NalUnitType, hevcDecoderConfigurationRecord } from '../../src/index.js'
import { minimalSps, writePps } from './syntax.js'
import { encode, hasX265, ofType } from './x265.js'

/** The hvcC box that ffmpeg writes for a byte stream, without its header. */
function hvccOfFfmpeg(byteStream: Uint8Array): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'hvcc-'))
  try {
    const [source, mp4] = [join(folder, 'in.hevc'), join(folder, 'out.mp4')]
    writeFileSync(source, byteStream)
    execFileSync('ffmpeg', ['-v', 'error', '-f', 'hevc', '-i', source, '-c', 'copy', '-tag:v', 'hvc1', mp4])
    const file = readFileSync(mp4)
    const at = file.indexOf('hvcC')
    return file.subarray(at + 4, at - 4 + file.readUInt32BE(at - 4))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe.skipIf(!hasX265 && !process.env['CI'])('hevcDecoderConfigurationRecord', () => {
  it.each<[string, string, string[]]>([
    ['Main', 'bframes=2', []],
    ['Main 10', 'bframes=0', ['-pix_fmt', 'yuv420p10le']],
    ['4:2:2', 'wpp=0:bframes=0', ['-pix_fmt', 'yuv422p']],
    ['high tier', 'level-idc=5.1:high-tier=1:vbv-maxrate=500:vbv-bufsize=500', []],
    ['sub-layers', 'temporal-layers=1:bframes=3:b-adapt=0', []],
  ])('%s: as ffmpeg writes it', (_, params, options) => {
    const byteStream = encode('320x240', 4, params, ...options)
    const [vps, sps, pps] = [H265NalUnitType.vps, H265NalUnitType.sps, H265NalUnitType.pps].map((type) =>
      ofType(byteStream, type).slice(0, 1),
    ) as [Uint8Array[], Uint8Array[], Uint8Array[]]
    const record = hevcDecoderConfigurationRecord({ vps, sps, pps })
    const theirs = hvccOfFfmpeg(byteStream)
    // ffmpeg adds an array with x265's SEI message; the number of arrays is the last byte before them.
    expect(Buffer.from(record).subarray(0, 22)).toEqual(theirs.subarray(0, 22))
    expect(record[22]).toBe(3)
    expect(theirs.subarray(23, record.byteLength)).toEqual(Buffer.from(record).subarray(23))
  })

  it.each([
    ['slices', 3, [[false, false]], 1],
    ['tiles', 3, [[true, false]], 2],
    ['wavefronts', 3, [[false, true]], 3],
    ['tiles with wavefronts', 3, [[true, true]], 0],
    [
      'different pictures',
      3,
      [
        [true, false],
        [false, true],
      ],
      0,
    ],
    ['wavefronts, no segmentation', 0, [[false, true]], 0],
  ])('parallelism by %s', (_, segmentation, kinds, expected) => {
    const pps = kinds.map(([tiles = false, wavefronts = false], id) =>
      writePps({
        id,
        spsId: 0,
        dependentSlices: false,
        outputFlagPresent: false,
        extraBits: 0,
        cuQpDelta: false,
        tiles,
        wavefronts,
      }),
    )
    const record = hevcDecoderConfigurationRecord({
      vps: [Uint8Array.of(0x40, 1)],
      sps: [minimalSps(segmentation)],
      pps,
    })
    expect([(record[13]! & 15) * 256 + record[14]!, record[15]! & 3]).toEqual([segmentation, expected])
  })

  it('refuses what it cannot hold', () => {
    const byteStream = encode('320x240', 1, 'bframes=0')
    const [vps, sps, pps] = [32, 33, 34].map((type) => ofType(byteStream, type)) as [
      Uint8Array[],
      Uint8Array[],
      Uint8Array[],
    ]
    const refusal = expect.objectContaining({ code: 'HVCC_BAD_PARAMETER_SETS' })
    expect(() => hevcDecoderConfigurationRecord({ sps, pps })).toThrow(refusal)
    expect(() => hevcDecoderConfigurationRecord({ vps, sps: [], pps })).toThrow(refusal)
    expect(() => hevcDecoderConfigurationRecord({ vps, sps, pps: [] })).toThrow(refusal)
    expect(() => hevcDecoderConfigurationRecord({ vps: [new Uint8Array(65_536)], sps, pps })).toThrow(refusal)
    expect(() => hevcDecoderConfigurationRecord({ vps, sps: pps, pps })).toThrow(
      expect.objectContaining({ code: 'H265_BAD_SPS' }),
    )
  })
})
