import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  avcDecoderConfigurationRecord,
  BitstreamError,
  joinLengthPrefixed,
  NalUnitType,
  nalUnitTypeOf,
  splitAnnexB,
  splitLengthPrefixed,
} from '../../src/index.js'
import { capturedAccessUnits } from '../captured-access-units.js'
import { hasFfmpeg } from './x264.js'

describe('length prefixes', () => {
  it('round trip, whatever the pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.uint8Array())), (nalPieces) => {
        const whole = nalPieces.map((pieces) => [...Buffer.concat(pieces)])
        expect(splitLengthPrefixed(joinLengthPrefixed(nalPieces)).map((unit) => [...unit])).toEqual(whole)
      }),
    )
  })

  it.each([
    [1, [2, 7, 7, 1, 8]],
    [2, [0, 2, 7, 7, 0, 1, 8]],
  ] as const)('reads lengths of %i bytes', (lengthSize, bytes) => {
    expect(splitLengthPrefixed(Uint8Array.from(bytes), lengthSize).map((unit) => [...unit])).toEqual([[7, 7], [8]])
  })

  it.each([
    ['a length past the end', [0, 0, 0, 5, 1]],
    ['a length cut short', [0, 0, 0, 1, 7, 0, 0]],
    ['a huge length', [255, 255, 255, 255, 7]],
  ])('refuses %s', (_, bytes) => {
    expect(() => splitLengthPrefixed(Uint8Array.from(bytes))).toThrow(
      expect.objectContaining({ code: 'AVCC_BAD_LENGTH' }),
    )
  })

  it('throws nothing else, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ max: 5 }), fc.constantFrom(1 as const, 2 as const, 4 as const), (bytes, size) => {
        try {
          expect(splitLengthPrefixed(bytes, size).reduce((sum, unit) => sum + size + unit.byteLength, 0)).toBe(
            bytes.length,
          )
        } catch (error) {
          expect(error).toBeInstanceOf(BitstreamError)
        }
      }),
    )
  })
})

describe('avcDecoderConfigurationRecord', () => {
  const sets = (nalUnits: readonly Uint8Array[]): { sps: Uint8Array[]; pps: Uint8Array[] } => ({
    sps: nalUnits.filter((unit) => nalUnitTypeOf(unit) === NalUnitType.sps),
    pps: nalUnits.filter((unit) => nalUnitTypeOf(unit) === NalUnitType.pps),
  })

  it('of a Chromium stream (constrained baseline)', () => {
    const { sps, pps } = sets(capturedAccessUnits('solo')[0]!)
    const record = avcDecoderConfigurationRecord({ sps, pps })
    const spsLength = sps[0]!.byteLength
    expect([...record.subarray(0, 8)]).toEqual([1, 0x42, 0xc0, 0x1f, 0xff, 0xe1, 0, spsLength])
    expect([...record.subarray(8, 8 + spsLength)]).toEqual([...sps[0]!])
    expect([...record.subarray(8 + spsLength)]).toEqual([1, 0, pps[0]!.byteLength, ...pps[0]!])
  })

  it.skipIf(!hasFfmpeg && !process.env['CI']).each([
    ['high', 'yuv420p'],
    ['high422', 'yuv422p10le'],
    ['high444', 'yuv444p'],
  ])('is what ffmpeg writes into MP4: %s', (profile, format) => {
    const dir = mkdtempSync(join(tmpdir(), 'avcc-'))
    try {
      const source = ['-f', 'lavfi', '-i', 'testsrc=size=320x240:rate=5', '-frames:v', '2', '-pix_fmt', format]
      execFileSync('ffmpeg', ['-v', 'error', ...source, '-c:v', 'libx264', '-profile:v', profile, join(dir, 'a.mp4')])
      const file = readFileSync(join(dir, 'a.mp4'))
      const at = file.indexOf('avcC')
      const box = file.subarray(at + 4, at - 4 + file.readUInt32BE(at - 4))
      const stream = execFileSync('ffmpeg', [
        '-v',
        'error',
        '-i',
        join(dir, 'a.mp4'),
        '-c',
        'copy',
        '-bsf:v',
        'h264_mp4toannexb',
        '-f',
        'h264',
        '-',
      ])
      expect(Buffer.from(avcDecoderConfigurationRecord(sets(splitAnnexB(stream)))).equals(box)).toBe(true)
    } finally {
      rmSync(dir, { recursive: true })
    }
  })

  it('refuses what does not fit', () => {
    const { sps, pps } = sets(capturedAccessUnits('solo')[0]!)
    const refusal = expect.objectContaining({ code: 'AVCC_BAD_PARAMETER_SETS' })
    expect(() => avcDecoderConfigurationRecord({ sps: [], pps })).toThrow(refusal)
    expect(() => avcDecoderConfigurationRecord({ sps, pps: [] })).toThrow(refusal)
    expect(() => avcDecoderConfigurationRecord({ sps: Array(32).fill(sps[0]), pps })).toThrow(refusal)
    expect(() => avcDecoderConfigurationRecord({ sps, pps: [new Uint8Array(65_536)] })).toThrow(refusal)
    expect(() => avcDecoderConfigurationRecord({ sps: pps, pps })).toThrow(
      expect.objectContaining({ code: 'H264_BAD_SPS' }),
    )
  })
})
