import { RtpPacket, type RtpPacketFields, serializeRtpPacket } from '@rushes/rtp-depacketizer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { originalSequenceNumber, unwrapRtx } from '../../src/repair/rtx.js'

function read(bytes: Uint8Array): RtpPacket {
  const packet = new RtpPacket()
  if (packet.read(bytes) !== undefined) throw new Error('no RTP')
  return packet
}

test('a retransmission is the original again, whatever surrounds it', () => {
  const original = fc.record<RtpPacketFields>({
    payloadType: fc.constant(96),
    sequenceNumber: fc.nat(65_535),
    rtpTimestamp: fc.nat(0xffff_ffff),
    ssrc: fc.constant(11),
    marker: fc.boolean(),
    csrcs: fc.array(fc.nat(0xffff_ffff), { maxLength: 15 }),
    headerExtensions: fc.array(
      fc.record({ id: fc.integer({ min: 1, max: 14 }), data: fc.uint8Array({ minLength: 1, maxLength: 16 }) }),
      { maxLength: 3 },
    ),
    payload: fc.uint8Array({ maxLength: 100 }),
  })
  fc.assert(
    fc.property(original, fc.nat(255), fc.nat(65_535), (fields, paddingBytes, rtxNumber) => {
      const osn = [fields.sequenceNumber >> 8, fields.sequenceNumber & 0xff]
      const rtx = serializeRtpPacket({
        ...fields,
        ssrc: 22,
        payloadType: 97,
        sequenceNumber: rtxNumber,
        payload: Uint8Array.of(...osn, ...fields.payload),
        paddingBytes,
      })
      // A Buffer, whose slices are views: what comes out must be a copy all the same.
      const packet = read(Buffer.from(rtx))
      expect(originalSequenceNumber(packet)).toBe(fields.sequenceNumber)
      expect(unwrapRtx(packet, 11, 96)).toEqual(serializeRtpPacket(fields))
      expect(new Uint8Array(packet.bytes)).toEqual(rtx)
    }),
  )
})

test('padding is nothing to unwrap', () => {
  const fields = { payloadType: 97, sequenceNumber: 5, rtpTimestamp: 0, ssrc: 22, payload: new Uint8Array(0) }
  expect(originalSequenceNumber(read(serializeRtpPacket({ ...fields, paddingBytes: 255 })))).toBe(-1)
  expect(originalSequenceNumber(read(serializeRtpPacket({ ...fields, payload: Uint8Array.of(1) })))).toBe(-1)
})
