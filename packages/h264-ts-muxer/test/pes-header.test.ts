import { expect, it } from 'vitest'
import { pesHeaderBytes, writePesHeader } from '../src/pes-header.js'

function header(streamId: number, pts90k: number, dts90k: number, payloadBytes: number): string {
  const out = new Uint8Array(pesHeaderBytes(pts90k, dts90k))
  writePesHeader(out, 0, streamId, pts90k, dts90k, payloadBytes)
  return Buffer.from(out).toString('hex')
}

it.each([
  ['PTS only', 0xe0, 0, 0, 10, '000001e0 0012 848005 2100010001'],
  ['PTS and DTS', 0xe0, 90_000, 0, 10, '000001e0 0017 84c00a 310005bf21 1100010001'],
  ['the largest time', 0xc0, 2 ** 33 - 1, 2 ** 33 - 1, 0, '000001c0 0008 848005 2fffffffff'],
  ['wrapped', 0xc0, 2 ** 33, 2 ** 33, 0, '000001c0 0008 848005 2100010001'],
  ['wrapped far', 0xc0, 5 * 2 ** 33 + 1, 5 * 2 ** 33 + 1, 0, '000001c0 0008 848005 2100010003'],
  ['before zero', 0xc0, -1, -1, 0, '000001c0 0008 848005 2fffffffff'],
  ['each of the 33 bits in its place', 0xe0, 0x155555555, 0x0aaaaaaaa, 0, '000001e0 000d 84c00a 3b5555aaab 15aaab5555'],
  ['the longest payload with a length', 0xe0, 0, 0, 65_527, '000001e0 ffff 848005 2100010001'],
  ['one byte more', 0xe0, 0, 0, 65_528, '000001e0 0000 848005 2100010001'],
])('%s', (_, streamId, pts, dts, bytes, expected) => {
  expect(header(streamId, pts, dts, bytes)).toBe(expected.replaceAll(' ', ''))
})
