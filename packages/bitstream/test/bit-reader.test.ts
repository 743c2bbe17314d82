import { describe, expect, it } from 'vitest'
import { BitReader, BitstreamError } from '../src/index.js'

describe('BitReader', () => {
  it('reads fixed lengths across bytes, 32 bits unsigned', () => {
    const bits = new BitReader(Uint8Array.of(0b1010_1100, 0xff, 0xff, 0xff, 0xff, 0b0000_0001))
    expect(bits.u(3)).toBe(5)
    expect(bits.u(0)).toBe(0)
    expect(bits.u(5)).toBe(12)
    expect(bits.u(32)).toBe(0xffffffff)
    expect(bits.positionBits).toBe(40)
    expect(bits.u(8)).toBe(1)
    expect(bits.remainingBits).toBe(0)
  })

  // ITU-T H.264 Table 9-2 and Table 9-3.
  it.each([
    ['1', 0, 0],
    ['010', 1, 1],
    ['011', 2, -1],
    ['00100', 3, 2],
    ['00101', 4, -2],
    ['00110', 5, 3],
    ['00111', 6, -3],
    ['0001000', 7, 4],
  ])('reads %s as ue %i and se %i', (code, unsigned, signed) => {
    const bytes = Uint8Array.of(Number.parseInt(code.padEnd(8, '0'), 2))
    expect(new BitReader(bytes).ue()).toBe(unsigned)
    expect(new BitReader(bytes).se()).toBe(signed)
  })

  it('throws BITSTREAM_END past the end, without moving', () => {
    const bits = new BitReader(Uint8Array.of(0x80))
    expect(() => bits.u(9)).toThrow(expect.objectContaining({ code: 'BITSTREAM_END', name: 'BitstreamError' }))
    expect(() => bits.skip(9)).toThrow(BitstreamError)
    expect(bits.u(8)).toBe(0x80)
  })

  it('refuses an Exp-Golomb code of over 31 zeros', () => {
    expect(() => new BitReader(new Uint8Array(20)).ue()).toThrow(
      expect.objectContaining({ code: 'BITSTREAM_BAD_EXP_GOLOMB' }),
    )
  })

  it.each([
    ['only the stop bit', [0x80], 0, false],
    ['a bit before the stop bit', [0xc0], 0, true],
    ['the stop bit is next', [0xc0], 1, false],
    ['zero bytes behind', [0xc0, 0, 0], 0, true],
    ['nothing but zeros', [0, 0], 0, false],
  ])('tells whether RBSP data follows: %s', (_, bytes, position, expected) => {
    const bits = new BitReader(Uint8Array.from(bytes))
    bits.skip(position)
    expect(bits.moreRbspData()).toBe(expected)
  })
})
