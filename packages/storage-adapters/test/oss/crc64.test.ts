import { describe, expect, it } from 'vitest'
import { Crc64, Crc64Chain } from '../../src/oss/crc64.js'

describe('CRC-64', () => {
  // The check value of CRC-64/XZ in the catalogue of parametrised CRC algorithms.
  it.each([
    ['', 0n],
    ['123456789', 0x995d_c9bb_df19_39fan],
  ])('of %j', (text, expected) => {
    const crc64 = new Crc64()
    crc64.update(new TextEncoder().encode(text))
    expect(crc64.digest()).toBe(expected)
  })

  it('of no parts is that of no bytes', () => {
    expect(new Crc64Chain().digest()).toBe(new Crc64().digest())
  })
})
