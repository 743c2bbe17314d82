import { serializeRtpPacket } from '@rushes/rtp-depacketizer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { UlpfecDecoder } from '../../src/index.js'
import { mutableExtensionIds, protectedCopy } from '../../src/repair/mutable-extensions.js'
import { sequenceNumberOf } from '../memory-target.js'

/** Parity over packets, written from RFC 5109 §7 and §8.1 for these tests. */
function protect(packets: readonly Uint8Array[], long = false): Uint8Array {
  const base = Math.min(...packets.map(sequenceNumberOf))
  const length = Math.max(...packets.map(({ byteLength }) => byteLength)) - 12
  const maskBytes = long ? 6 : 2
  const fec = Buffer.alloc(12 + maskBytes + length)
  const bits = Buffer.alloc(10)
  for (const packet of packets) {
    for (let at = 0; at < 8; at++) bits[at]! ^= packet[at]!
    bits.writeUInt16BE(bits.readUInt16BE(8) ^ (packet.byteLength - 12), 8)
    for (let at = 12; at < packet.byteLength; at++) fec[at + maskBytes]! ^= packet[at]!
    const bit = sequenceNumberOf(packet) - base
    fec[12 + (bit >> 3)]! |= 0x80 >> (bit & 7)
  }
  bits.copy(fec, 0)
  fec[0] = (bits[0]! & 0x3f) | (long ? 0x40 : 0)
  fec.writeUInt16BE(base, 2)
  fec.writeUInt16BE(length, 10)
  return fec
}

function media(sequenceNumber: number, payload: Uint8Array, marker = false): Uint8Array {
  return serializeRtpPacket({
    payloadType: 96,
    sequenceNumber,
    rtpTimestamp: sequenceNumber * 3000,
    ssrc: 77,
    marker,
    payload,
  })
}

describe('UlpfecDecoder', () => {
  test('any one lost packet of a group comes back as it was, in any order of arrival', () => {
    const packets = fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(packets, fc.nat(), fc.boolean(), fc.boolean(), (payloads, seed, fecFirst, marker) => {
        const sent = payloads.map((payload, index) => media(1000 + index, payload, marker))
        const lost = seed % sent.length
        const fec = protect(sent, sent.length > 16)
        const decoder = new UlpfecDecoder(77)
        const out: Uint8Array[] = []
        const emit = (bytes: Uint8Array): void => void out.push(bytes)
        if (fecFirst) decoder.fec(fec, emit)
        for (const [index, packet] of sent.entries()) if (index !== lost) decoder.media(1000 + index, packet, emit)
        if (!fecFirst) decoder.fec(fec, emit)
        expect(out).toEqual([sent[lost]])
      }),
    )
  })

  test('a packet that is recovered completes another group', () => {
    const [a, b, c] = [media(1, Uint8Array.of(1, 2, 3)), media(2, Uint8Array.of(4)), media(3, Uint8Array.of(5, 6))]
    const decoder = new UlpfecDecoder(77)
    const out: Uint8Array[] = []
    const emit = (bytes: Uint8Array): void => void out.push(bytes)
    decoder.media(1, a, emit)
    decoder.fec(protect([a, b, c]), emit)
    expect(out).toEqual([])
    decoder.fec(protect([a, b]), emit)
    expect(out).toEqual([b, c])
    expect(decoder.stats).toMatchObject({ packets: 2, recovered: 2, unused: 0 })
  })

  test('groups over the wrap of sequence numbers', () => {
    const sent = [65_535, 0].map((sequenceNumber) => media(sequenceNumber, Uint8Array.of(sequenceNumber & 0xff)))
    const fec = Buffer.from(protect([media(10, Uint8Array.of(255)), media(11, Uint8Array.of(0))]))
    // The same group, moved.
    fec.writeUInt16BE(65_535, 2)
    for (let at = 4; at < 8; at++) fec[at] = sent[0]![at]! ^ sent[1]![at]!
    const decoder = new UlpfecDecoder(77)
    const out: Uint8Array[] = []
    decoder.media(65_535, sent[0]!, (bytes) => out.push(bytes))
    decoder.fec(fec, (bytes) => out.push(bytes))
    expect(out).toEqual([sent[1]])
  })

  test('what waits for too much is given up, and what is no FEC packet is counted', () => {
    const decoder = new UlpfecDecoder(77)
    const emit = (): void => {}
    for (let group = 0; group < 100; group++) {
      decoder.fec(protect([media(group * 2, Uint8Array.of(1)), media(group * 2 + 1, Uint8Array.of(2))]), emit)
    }
    expect(decoder.stats).toMatchObject({ packets: 100, unused: 52 })
    decoder.fec(Uint8Array.of(1, 2, 3), emit)
    expect(decoder.stats.malformed).toBe(1)
  })

  test('no bytes make it throw', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 10, maxLength: 40 }), { maxLength: 20 }), (payloads) => {
        const decoder = new UlpfecDecoder(77)
        for (const payload of payloads) {
          decoder.fec(payload, (bytes) => expect(bytes.byteLength).toBeGreaterThanOrEqual(12))
          decoder.media(sequenceNumberOf(payload), media(sequenceNumberOf(payload), payload), () => {})
        }
      }),
    )
  })
})

test('extensions that are filled in after FEC are blanked, in a copy', () => {
  const ids = mutableExtensionIds({
    1: 'urn:ietf:params:rtp-hdrext:sdes:mid',
    2: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  })
  const fields = { payloadType: 96, sequenceNumber: 1, rtpTimestamp: 2, ssrc: 3, payload: Uint8Array.of(7) }
  const bytes = serializeRtpPacket({
    ...fields,
    headerExtensions: [
      { id: 1, data: Uint8Array.of(48) },
      { id: 2, data: Uint8Array.of(1, 2, 3) },
    ],
  })
  expect(protectedCopy(Buffer.from(bytes), ids)).toEqual(
    serializeRtpPacket({
      ...fields,
      headerExtensions: [
        { id: 1, data: Uint8Array.of(48) },
        { id: 2, data: new Uint8Array(3) },
      ],
    }),
  )
})
