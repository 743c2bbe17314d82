import { describe, expect, it } from 'vitest'
import { printable } from '../../src/text/printable.js'
import {
  formatBytes,
  formatCount,
  formatNumber,
  formatOffset,
  formatRate,
  formatTime,
} from '../../src/text/quantities.js'

describe('quantities', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [99_949, '99.9 kB'],
    [99_950, '100 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [1_234_567, '1.2 MB'],
    [48_800_000_000, '48.8 GB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })

  it.each([
    [0, 3, '0:00.000'],
    [178_000, 3, '0:00.178'],
    [59_999_600, 3, '1:00.000'],
    [59_940_000, 1, '0:59.9'],
    [59_960_000, 1, '1:00.0'],
    [3_723_004_000, 3, '1:02:03.004'],
    [3_723_504_000, 0, '1:02:04'],
    [-20_000, 3, '-0:00.020'],
  ] as const)('%d us with %d decimals are %s', (us, digits, text) => {
    expect(formatTime(us, digits)).toBe(text)
  })

  it('says differences, rates and counts', () => {
    expect(formatOffset(3200)).toBe('+3.2 ms')
    expect(formatOffset(-1_250_000)).toBe('-1.250 s')
    expect(formatRate(48_000)).toBe('48 kHz')
    expect(formatRate(44_100)).toBe('44.1 kHz')
    expect(formatCount(1, 'packet')).toBe('1 packet')
    expect(formatCount(1204, 'packet')).toBe('1,204 packets')
    expect(formatNumber(1_000_000)).toBe('1,000,000')
  })
})

describe('printable', () => {
  it('lets no text from a take steer the terminal', () => {
    expect(printable('bob\u001b[2J\u009b31m\r\u202eevil')).toBe('bob\ufffd[2J\ufffd31m\ufffd\ufffdevil')
    expect(printable('Zoë 李雷 👋')).toBe('Zoë 李雷 👋')
  })
})
