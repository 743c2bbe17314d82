import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  adtsHeader,
  BitstreamError,
  buildAudioSpecificConfig,
  parseAdtsHeader,
  parseAudioSpecificConfig,
  splitAdts,
} from '../../src/index.js'
import { hasFfmpeg } from '../h264/x264.js'

const RATES = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350]
const parameters = fc.record({
  objectType: fc.integer({ min: 1, max: 4 }),
  sampleRate: fc.constantFrom(...RATES),
  channels: fc.constantFrom(1, 2, 3, 4, 5, 6, 8),
})
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('AudioSpecificConfig', () => {
  it.each([
    [{ sampleRate: 48_000, channels: 1 }, '1188'],
    [{ sampleRate: 48_000, channels: 2 }, '1190'],
    [{ sampleRate: 44_100, channels: 2 }, '1210'],
    [{ objectType: 2, sampleRate: 8_000, channels: 8 }, '15b8'],
    [{ sampleRate: 50_000, channels: 2 }, '178061a810'],
  ])('of %j is %s', (given, expected) => {
    expect(hex(buildAudioSpecificConfig(given))).toBe(expected)
  })

  it.each([
    [
      'the native encoder of FFmpeg, with its sync extension',
      '118856e500',
      { objectType: 2, sampleRate: 48_000, channels: 1, frameLengthSamples: 1024 },
    ],
    [
      'HE-AAC, signalled explicitly',
      '2b92 0800',
      { objectType: 2, sampleRate: 22_050, channels: 2, extensionSampleRate: 44_100, frameLengthSamples: 1024 },
    ],
    ['960 samples', '1194', { objectType: 2, sampleRate: 48_000, channels: 2, frameLengthSamples: 960 }],
    ['channels in a program config element', '1180', { objectType: 2, sampleRate: 48_000, frameLengthSamples: 1024 }],
  ])('is read: %s', (_, bytes, expected) => {
    expect(parseAudioSpecificConfig(Buffer.from(bytes.replaceAll(' ', ''), 'hex'))).toEqual(expected)
  })

  it('round trips', () => {
    fc.assert(
      fc.property(parameters, fc.option(fc.integer({ min: 1, max: 2 ** 24 - 1 })), (given, rate) => {
        const wanted = { ...given, sampleRate: rate ?? given.sampleRate }
        expect(parseAudioSpecificConfig(buildAudioSpecificConfig(wanted))).toEqual({
          ...wanted,
          frameLengthSamples: 1024,
        })
      }),
    )
  })

  it.each([
    ['nothing', ''],
    ['cut short', '11'],
    ['a reserved rate', '1690'],
    ['reserved channels', '11d8'],
    ['not AAC', '4190'],
    ['an explicit rate of 0', '178000000010'],
  ])('refuses to read %s', (_, bytes) => {
    expect(() => parseAudioSpecificConfig(Buffer.from(bytes, 'hex'))).toThrow(
      expect.objectContaining({ code: 'AAC_BAD_CONFIG' }),
    )
  })

  it.each([
    { sampleRate: 48_000, channels: 7 },
    { sampleRate: 48_000, channels: 0 },
    { sampleRate: 0, channels: 2 },
    { sampleRate: 44_100.5, channels: 2 },
    { sampleRate: 48_000, channels: 2, objectType: 5 },
  ])('refuses to build %j', (given) => {
    expect(() => buildAudioSpecificConfig(given)).toThrow(expect.objectContaining({ code: 'AAC_BAD_CONFIG' }))
  })
})

describe('ADTS', () => {
  it('round trips', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(parameters, fc.uint8Array({ maxLength: 300, size: 'max' }))), (frames) => {
        const stream = Buffer.concat(frames.flatMap(([given, data]) => [adtsHeader(given, data.byteLength), data]))
        expect(splitAdts(stream).map(({ header, data }) => [header, [...data]])).toEqual(
          frames.map(([given, data]) => [
            { ...given, headerLengthBytes: 7, frameLengthBytes: 7 + data.byteLength, rawDataBlocks: 1 },
            [...data],
          ]),
        )
      }),
    )
  })

  it('reads a header with a CRC, and of MPEG-2', () => {
    const header = adtsHeader({ sampleRate: 48_000, channels: 2 }, 8184)
    header[1] = 0xf8
    expect(parseAdtsHeader(header)).toMatchObject({ headerLengthBytes: 9, frameLengthBytes: 8191 })
  })

  it.each([
    [{ sampleRate: 50_000, channels: 2 }, 1],
    [{ sampleRate: 48_000, channels: 7 }, 1],
    [{ sampleRate: 48_000, channels: 2, objectType: 5 }, 1],
    [{ sampleRate: 48_000, channels: 2 }, 8185],
    [{ sampleRate: 48_000, channels: 2 }, -1],
    [{ sampleRate: 48_000, channels: 2 }, Number.NaN],
  ])('refuses to write %j with %d bytes', (given, length) => {
    expect(() => adtsHeader(given, length)).toThrow(expect.objectContaining({ code: 'ADTS_BAD_HEADER' }))
  })

  it('throws BitstreamError or nothing, whatever the bytes', () => {
    fc.assert(
      fc.property(parameters, fc.uint8Array({ minLength: 1 }), fc.nat(6), fc.nat(255), (given, data, at, byte) => {
        const stream = Buffer.concat([adtsHeader(given, data.byteLength), data])
        stream[at] = byte
        for (const parse of [() => splitAdts(stream), () => splitAdts(data), () => parseAudioSpecificConfig(data)]) {
          try {
            parse()
          } catch (error) {
            expect(error).toBeInstanceOf(BitstreamError)
          }
        }
      }),
    )
  })

  it.skipIf(!hasFfmpeg && !process.env['CI']).each([
    [48_000, 1],
    [44_100, 2],
    [16_000, 6],
  ])('writes what ffmpeg writes: %i Hz, %i channels', (sampleRate, channels) => {
    const source = ['-f', 'lavfi', '-i', 'sine=duration=0.5', '-ar', String(sampleRate), '-ac', String(channels)]
    const stream = execFileSync('ffmpeg', ['-v', 'error', ...source, '-c:a', 'aac', '-f', 'adts', '-'])
    const frames = splitAdts(stream)
    expect(frames.length).toBeGreaterThan(5)
    const again = frames.flatMap(({ data }) => [adtsHeader({ sampleRate, channels }, data.byteLength), data])
    expect(Buffer.concat(again).equals(stream)).toBe(true)
  })
})
