import { expect, it } from 'vitest'
import { crc32Mpeg2 } from '../src/crc32-mpeg2.js'

it('has the check value of CRC-32/MPEG-2', () => {
  expect(crc32Mpeg2(Buffer.from('123456789'))).toBe(0x0376e6e7)
})

it('is 0 over bytes with their CRC', () => {
  const bytes = Buffer.from('02b00d0001c100000001f000', 'hex')
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(crc32Mpeg2(bytes))
  expect(crc32Mpeg2(Buffer.concat([bytes, crc]))).toBe(0)
})
