import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isRtcp, ntpToUnixUs, parseRtcpCompound } from '../src/index.js'

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
}

const SR = '80c80006 0000002a ec2d8000 80000000 fffffff0 00000001 00000002'
const SDES = '81ca0003 0000002a 0103616263 000000'

describe('ntpToUnixUs', () => {
  test.each([
    ['1970, the Unix epoch', 2_208_988_800, 0, 0],
    ['half a second', 2_208_988_800, 0x8000_0000, 500_000],
    ['the last second of era 0', 0xffff_ffff, 0, Date.UTC(2036, 1, 7, 6, 28, 15) * 1000],
    ['the first second of era 1', 0, 0, Date.UTC(2036, 1, 7, 6, 28, 16) * 1000],
    ['era 1 goes on', 1_000_000_000, 0, (Date.UTC(2036, 1, 7, 6, 28, 16) / 1000 + 1e9) * 1e6],
    ['the last fraction rounds up', 2_208_988_800, 0xffff_ffff, 1_000_000],
  ])('%s', (_, seconds, fraction, us) => {
    expect(ntpToUnixUs(seconds, fraction)).toBe(us)
    expect(Number.isSafeInteger(us)).toBe(true)
  })
})

describe('isRtcp (RFC 5761)', () => {
  test.each([
    ['SR', '80c80000', true],
    ['192', '80c00000', true],
    ['223', '80df0000', true],
    ['RTP with marker and type 97', '80e10000', false],
    ['RTP with marker and type 63', '80bf0000', false],
    ['RTP without marker', '80480000', false],
    ['another version', '40c80000', false],
    ['too short', '80c800', false],
  ])('%s', (_, hex, is) => {
    expect(isRtcp(bytes(hex))).toBe(is)
  })
})

describe('parseRtcpCompound', () => {
  test('SR and SDES', () => {
    expect(parseRtcpCompound(bytes(SR + SDES))).toEqual({
      damaged: false,
      packets: [
        {
          type: 'sender-report',
          ssrc: 42,
          ntpUs: ntpToUnixUs(0xec2d8000, 0x8000_0000),
          rtpTimestamp: 0xfffffff0,
          packetCount: 1,
          octetCount: 2,
          reports: [],
        },
        { type: 'source-description', chunks: [{ ssrc: 42, cname: 'abc' }] },
      ],
    })
  })

  test('report blocks, with a negative loss', () => {
    const block = '00000007 40fffffe 00010002 00000003 00000000 00000000'
    expect(parseRtcpCompound(bytes(`81c90007 00000001 ${block}`)).packets).toEqual([
      {
        type: 'receiver-report',
        ssrc: 1,
        reports: [{ ssrc: 7, fractionLost: 64, cumulativeLost: -2, extendedHighestSequenceNumber: 0x10002, jitter: 3 }],
      },
    ])
  })

  test('BYE with and without a reason; APP, RTPFB, PSFB and XR are passed over', () => {
    const hex =
      '82cb0003 00000001 00000002 03627965 81cc0002 00000001 41424344 81cd0002 00000001 00000002 81ce0002 00000001 00000002 80cf0001 00000001 80cb0000'
    expect(parseRtcpCompound(bytes(hex))).toEqual({
      damaged: false,
      packets: [
        { type: 'bye', ssrcs: [1, 2] },
        ...[204, 205, 206, 207].map((packetType) => ({ type: 'other', packetType })),
        { type: 'bye', ssrcs: [] },
      ],
    })
  })

  test('two SDES chunks, of which the first has other items too', () => {
    const chunk1 = '00000001 0201ff 0101 61 0000'
    const chunk2 = '00000002 010162 00'
    expect(parseRtcpCompound(bytes(`82ca0005 ${chunk1} ${chunk2}`)).packets).toEqual([
      {
        type: 'source-description',
        chunks: [
          { ssrc: 1, cname: 'a' },
          { ssrc: 2, cname: 'b' },
        ],
      },
    ])
  })

  test('an SR without a time', () => {
    const [report] = parseRtcpCompound(bytes('80c80006 0000002a 00000000 00000000 00000001 00000001 00000002')).packets
    expect(report).toMatchObject({ type: 'sender-report', ntpUs: undefined })
  })

  test.each([
    ['nothing', '', 0],
    ['half a header', '80c8', 0],
    ['an SR cut short', '80c80005 0000002a ec2d8000 80000000 fffffff0 00000001', 0],
    ['an SR whose blocks are not there', '81c80006 0000002a ec2d8000 80000000 fffffff0 00000001 00000002', 0],
    ['a length beyond the end', '80c80009 0000002a', 0],
    ['an SDES without an end', '81ca0002 0000002a 01026162', 0],
    ['an SDES item beyond the end', '81ca0002 0000002a 01ff6100', 0],
    ['a BYE of sources that are not there', '82cb0001 00000001', 0],
    ['padding longer than the packet', 'a0c90001 000000ff', 0],
    ['a wrong version behind an SR', `${SR} 00ca0000`, 1],
  ])('%s: what can be read, and damage', (_, hex, packets) => {
    const compound = parseRtcpCompound(bytes(hex))
    expect(compound.damaged).toBe(true)
    expect(compound.packets).toHaveLength(packets)
  })

  test('any bytes, and any bytes in place of one of a good compound, are read without a throw', () => {
    const good = bytes(SR + SDES)
    const property = fc.property(
      fc.uint8Array({ maxLength: 100 }),
      fc.array(fc.tuple(fc.nat({ max: good.byteLength - 1 }), fc.nat({ max: 255 })), { maxLength: 4 }),
      (noise, changes) => {
        parseRtcpCompound(noise)
        const changed = Uint8Array.from(good)
        for (const [at, value] of changes) changed[at] = value
        expect(parseRtcpCompound(changed).packets.length).toBeLessThanOrEqual(changed.byteLength / 4)
      },
    )
    fc.assert(property)
  })
})
