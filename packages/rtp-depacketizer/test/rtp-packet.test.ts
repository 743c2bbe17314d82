import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseRtpPacket, RtpPacket, type RtpPacketFields, serializeRtpPacket } from '../src/index.js'

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
}

const HEADER = '0007 00000009 0000000b'

describe('parseRtpPacket', () => {
  test.each([
    ['nothing', '', 'too-short'],
    ['eleven bytes', '80 60 0007 00000009 000000', 'too-short'],
    ['version 1', `40 60 ${HEADER}`, 'bad-version'],
    ['CSRCs cut short', `82 60 ${HEADER} 00000001`, 'truncated-header'],
    ['an extension without its length', `90 60 ${HEADER} bede`, 'truncated-header'],
    ['an extension cut short', `90 60 ${HEADER} bede0002 10ff0000`, 'truncated-header'],
    ['padding of no bytes', `a0 60 ${HEADER} aa00`, 'bad-padding'],
    ['padding over the header', `a0 60 ${HEADER} aa03`, 'bad-padding'],
  ])('%s', (_, hex, damage) => {
    expect(parseRtpPacket(bytes(hex))).toBe(damage)
  })

  test('every field', () => {
    const packet = parseRtpPacket(bytes('b1 e1 fffe fffffffd fffffffc 0000002a bede0001 12aabbcc 010203 000002'))
    expect(packet).toBeInstanceOf(RtpPacket)
    expect(packet).toMatchObject({
      version: 2,
      marker: true,
      payloadType: 97,
      sequenceNumber: 0xfffe,
      rtpTimestamp: 0xfffffffd,
      ssrc: 0xfffffffc,
      csrcs: [42],
      paddingBytes: 2,
      payload: bytes('01020300'),
    })
  })

  test('padding and nothing else', () => {
    expect(parseRtpPacket(bytes(`a0 60 ${HEADER} 000003`))).toMatchObject({ payload: bytes(''), paddingBytes: 3 })
  })

  test('the payload is a view', () => {
    const input = bytes(`80 60 ${HEADER} 0102`)
    const packet = parseRtpPacket(input) as RtpPacket
    expect(packet.payload.buffer).toBe(input.buffer)
  })
})

describe('header extensions (RFC 8285)', () => {
  const extensionsOf = (block: string): [number, string][] => {
    const packet = parseRtpPacket(bytes(`90 60 ${HEADER} ${block}`)) as RtpPacket
    return packet.headerExtensions.map(({ id, data }) => [id, Buffer.from(data).toString('hex')])
  }

  test.each<[string, string, [number, string][]]>([
    [
      'one-byte form',
      'bede0002 10aa 21bbcc 000000',
      [
        [1, 'aa'],
        [2, 'bbcc'],
      ],
    ],
    [
      'padding between',
      'bede0002 10aa 0000 21bbcc 00',
      [
        [1, 'aa'],
        [2, 'bbcc'],
      ],
    ],
    ['id 15 ends them', 'bede0002 10aa f0 20bb 20cc 00', [[1, 'aa']]],
    ['an element cut short', 'bede0001 10aa 21bb', [[1, 'aa']]],
    [
      'two-byte form',
      '10000002 01 01 aa 0f 02 bbcc 00',
      [
        [1, 'aa'],
        [15, 'bbcc'],
      ],
    ],
    [
      'two-byte form with application bits',
      '100f0001 01 00 02 00',
      [
        [1, ''],
        [2, ''],
      ],
    ],
    ['an unknown form', 'abcd0001 10aa0000', []],
  ])('%s', (_, block, extensions) => {
    expect(extensionsOf(block)).toEqual(extensions)
  })

  test.each([
    ['one-byte form', 'bede0002 10aa 21bbcc 000000', 2, 0xbb],
    ['two-byte form', '10000002 01 01 aa 0f 02 bbcc 00', 15, 0xbb],
    ['absent', 'bede0001 10aa0000', 2, -1],
    ['empty', '10000001 01 00 02 00', 2, -1],
    ['after id 15', 'bede0001 f0 20bb 00', 2, -1],
  ])('headerExtensionByte, %s', (_, block, id, byte) => {
    const packet = parseRtpPacket(bytes(`90 60 ${HEADER} ${block}`)) as RtpPacket
    expect(packet.headerExtensionByte(id)).toBe(byte)
  })
})

const octets = (max: number, min = 0) => fc.uint8Array({ minLength: min, maxLength: max })
const fields: fc.Arbitrary<Required<RtpPacketFields>> = fc.record({
  payloadType: fc.nat({ max: 127 }),
  sequenceNumber: fc.nat({ max: 65_535 }),
  rtpTimestamp: fc.nat({ max: 2 ** 32 - 1 }),
  ssrc: fc.nat({ max: 2 ** 32 - 1 }),
  marker: fc.boolean(),
  csrcs: fc.array(fc.nat({ max: 2 ** 32 - 1 }), { maxLength: 15 }),
  headerExtensions: fc.oneof(
    fc.array(fc.record({ id: fc.integer({ min: 1, max: 14 }), data: octets(16, 1) }), { maxLength: 6 }),
    fc.array(fc.record({ id: fc.integer({ min: 1, max: 255 }), data: octets(255) }), { maxLength: 6 }),
  ),
  payload: octets(100),
  paddingBytes: fc.nat({ max: 255 }),
})

test('what is serialized is parsed', () => {
  const property = fc.property(fields, (sent) => {
    const packet = parseRtpPacket(serializeRtpPacket(sent)) as RtpPacket
    const { payloadType, sequenceNumber, rtpTimestamp, ssrc, marker, csrcs, payload, paddingBytes } = packet
    const read = { payloadType, sequenceNumber, rtpTimestamp, ssrc, marker, csrcs, payload, paddingBytes }
    expect({ ...read, headerExtensions: packet.headerExtensions }).toEqual(sent)
    for (const { id } of sent.headerExtensions) {
      const first = sent.headerExtensions.find((extension) => extension.id === id && extension.data.byteLength > 0)
      expect(packet.headerExtensionByte(id)).toBe(first?.data[0] ?? -1)
    }
  })
  fc.assert(property)
})

test('any bytes are a packet within their bounds, or damage', () => {
  const property = fc.property(octets(80), fc.boolean(), (input, versionTwo) => {
    if (versionTwo && input.byteLength > 0) input[0] = (input[0]! & 0x3f) | 0x80
    const packet = parseRtpPacket(input)
    if (typeof packet === 'string') return
    expect(packet.payloadOffset).toBeLessThanOrEqual(packet.payloadEnd)
    expect(packet.payloadEnd + packet.paddingBytes).toBe(input.byteLength)
    for (const { id, data } of packet.headerExtensions) {
      expect(id).toBeGreaterThan(0)
      expect(data.byteOffset + data.byteLength).toBeLessThanOrEqual(packet.payloadOffset)
    }
    for (let id = 0; id < 16; id++) packet.headerExtensionByte(id)
  })
  fc.assert(property)
})
