import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Crc64, Crc64Chain } from '../../src/oss/crc64.js'

/** The definition: a bit at a time. */
function byDefinition(bytes: Uint8Array): bigint {
  let crc = 0xffff_ffff_ffff_ffffn
  for (const byte of bytes) {
    crc ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ 0xc96c_5795_d787_0f42n : crc >> 1n
  }
  return crc ^ 0xffff_ffff_ffff_ffffn
}

function crc64Of(...parts: readonly Uint8Array[]): bigint {
  const crc64 = new Crc64()
  for (const part of parts) crc64.update(part)
  return crc64.digest()
}

describe('CRC-64', () => {
  it('is what its definition says, however the bytes come', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, at) => {
        const expected = byDefinition(bytes)
        expect(crc64Of(bytes)).toBe(expected)
        expect(crc64Of(bytes.subarray(0, at), bytes.subarray(at))).toBe(expected)
      }),
    )
  })

  it('of parts that were hashed apart is that of all of them', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 8 }), (parts) => {
        const chain = new Crc64Chain()
        for (const part of parts) chain.append(crc64Of(part), part.byteLength)
        expect(chain.digest()).toBe(crc64Of(...parts))
      }),
    )
  })
})
