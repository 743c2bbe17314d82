import { ConfigurationError } from '@rushes/media'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseNumber, parseTime, parseWord, parseWords } from '../src/option-values.js'
import { formatTime } from '../src/text/quantities.js'

describe('parseTime', () => {
  it.each([
    ['0', 0],
    ['12.5', 12_500_000],
    ['90', 90_000_000],
    ['0.000001', 1],
    ['0.1', 100_000],
    ['1:30', 90_000_000],
    ['01:30.250', 90_250_000],
    ['90:00', 5_400_000_000],
    ['1:02:03.004', 3_723_004_000],
    ['100:00:00', 360_000_000_000],
    [' 7 ', 7_000_000],
  ])('reads %s as %d us', (text, us) => {
    expect(parseTime('--from', text)).toBe(us)
  })

  it.each([
    '',
    'now',
    '-1',
    '+1',
    '1.',
    '.5',
    '1e3',
    '1:60',
    '1:60:00',
    '1:2:3:4',
    '1:-2',
    '0x10',
    '1.0000001',
    '1,5',
    '9999999999999999',
  ])('refuses %j and names the option', (text) => {
    expect(() => parseTime('--from', text)).toThrow(ConfigurationError)
    expect(() => parseTime('--from', text)).toThrow(/^--from: /)
  })

  it('reads back what is shown of any time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000_000 }), (ms) => {
        expect(parseTime('--from', formatTime(ms * 1000))).toBe(ms * 1000)
      }),
    )
  })
})

describe('other values', () => {
  it('reads numbers, and nothing that only begins as one', () => {
    expect(parseNumber('--segment', '4')).toBe(4)
    expect(parseNumber('--segment', '0.5')).toBe(0.5)
    for (const text of ['', '4s', '-4', 'NaN', 'Infinity', '1e1']) {
      expect(() => parseNumber('--segment', text)).toThrow(/--segment: must be a number/)
    }
  })

  it('reads words and lists of them, each once', () => {
    expect(parseWord('--audio', 'opus', ['aac', 'opus'])).toBe('opus')
    expect(parseWords('--format', 'mp4, hls,mp4', ['hls', 'mp4'])).toEqual(['mp4', 'hls'])
    expect(() => parseWords('--format', 'hls,webm', ['hls', 'mp4'])).toThrow(
      '--format: must be one of hls, mp4, got "webm"',
    )
    expect(() => parseWords('--format', '', ['hls', 'mp4'])).toThrow(ConfigurationError)
  })
})
