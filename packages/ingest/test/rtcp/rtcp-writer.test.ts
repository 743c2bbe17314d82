import { parseRtcpCompound } from '@rushes/rtp-depacketizer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  GenericNack,
  PictureLossIndication,
  ReceiverEstimatedMaxBitrate,
  RtcpPacketConverter,
  type RtcpPayloadSpecificFeedback,
  type RtcpTransportLayerFeedback,
} from 'werift'
import { type ReportBlock, type RtcpMessage, serializeRtcp } from '../../src/index.js'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const senderSsrc = 0x0102_0304
const mediaSsrc = 0x0a0b_0c0d

describe('serializeRtcp', () => {
  test.each<[string, RtcpMessage, string]>([
    ['an empty report', { type: 'receiver-report', senderSsrc, reports: [] }, '80c9000101020304'],
    [
      'a CNAME that fills its words still ends with a zero',
      { type: 'source-description', senderSsrc, cname: 'ab' },
      '81ca000301020304' + '0102616200000000',
    ],
    ['a CNAME of three', { type: 'source-description', senderSsrc, cname: 'abc' }, '81ca0003010203040103616263000000'],
    ['BYE', { type: 'bye', senderSsrc }, '81cb000101020304'],
    ['PLI', { type: 'pli', senderSsrc, mediaSsrc }, '81ce0002010203040a0b0c0d'],
    ['FIR', { type: 'fir', senderSsrc, mediaSsrc, commandNumber: 258 }, '84ce000401020304000000000a0b0c0d02000000'],
    [
      'NACK: the seventeenth begins a new pair',
      { type: 'nack', senderSsrc, mediaSsrc, sequenceNumbers: [10, 11, 26, 27] },
      '81cd0004010203040a0b0c0d' + '000a8001' + '001b0000',
    ],
    [
      'NACK over the wrap',
      { type: 'nack', senderSsrc, mediaSsrc, sequenceNumbers: [65_535, 0, 2] },
      '81cd0003010203040a0b0c0d' + 'ffff0005',
    ],
    [
      'a reference time',
      { type: 'receiver-reference-time', senderSsrc, timeUs: 2_500_000 },
      '80cf0004010203040400000200000002' + '80000000',
    ],
    [
      'REMB with an exponent',
      { type: 'remb', senderSsrc, bitrateBps: 1_000_000, ssrcs: [mediaSsrc] },
      '8fce0005010203040000000052454d42010bd0900a0b0c0d',
    ],
  ])('%s', (_, message, expected) => {
    expect(hex(serializeRtcp([message]))).toBe(expected)
  })

  test('another implementation reads the feedback', () => {
    // It takes the rest of a compound for its own, and numbers not modulo 2^16: one at a time.
    const read = (message: RtcpMessage): unknown => {
      const head: RtcpMessage[] = [
        { type: 'receiver-report', senderSsrc, reports: [] },
        { type: 'source-description', senderSsrc, cname: 'someone' },
      ]
      const packets = RtcpPacketConverter.deSerialize(Buffer.from(serializeRtcp([...head, message])))
      expect(packets.map(({ type }) => type).slice(0, 2)).toEqual([201, 202])
      return (packets[2] as RtcpPayloadSpecificFeedback | RtcpTransportLayerFeedback).feedback
    }
    const pli = read({ type: 'pli', senderSsrc, mediaSsrc })
    expect(pli).toBeInstanceOf(PictureLossIndication)
    expect(pli).toMatchObject({ senderSsrc, mediaSsrc })
    const remb = read({ type: 'remb', senderSsrc, bitrateBps: 2_500_000, ssrcs: [mediaSsrc] })
    expect(remb).toBeInstanceOf(ReceiverEstimatedMaxBitrate)
    expect(remb).toMatchObject({ ssrcFeedbacks: [mediaSsrc] })
    expect(Number((remb as ReceiverEstimatedMaxBitrate).bitrate)).toBe(2_500_000)
    const nack = read({ type: 'nack', senderSsrc, mediaSsrc, sequenceNumbers: [65_530, 65_534, 3, 40] })
    expect(nack).toBeInstanceOf(GenericNack)
    expect((nack as GenericNack).lost.map((number) => number & 0xffff)).toEqual([65_530, 65_534, 3, 40])
  })

  test('report blocks come back as they were, in packets of at most 31', () => {
    const word = fc.nat(0xffff_ffff)
    const block: fc.Arbitrary<ReportBlock> = fc.record({
      ssrc: word,
      fractionLost: fc.nat(255),
      cumulativeLost: fc.integer({ min: -0x80_0000, max: 0x7f_ffff }),
      extendedHighestSequenceNumber: word,
      jitter: word,
      lastSenderReport: word,
      delaySinceLastSenderReport: word,
    })
    fc.assert(
      fc.property(fc.array(block, { maxLength: 70 }), fc.string({ maxLength: 60 }), (reports, cname) => {
        const bytes = serializeRtcp([
          { type: 'receiver-report', senderSsrc, reports },
          { type: 'source-description', senderSsrc, cname },
        ])
        expect(bytes.byteLength % 4).toBe(0)
        const { packets, damaged } = parseRtcpCompound(bytes)
        expect(damaged).toBe(false)
        const read = packets.flatMap((packet) => (packet.type === 'receiver-report' ? packet.reports : []))
        expect(read).toEqual(
          reports.map(({ lastSenderReport: _last, delaySinceLastSenderReport: _delay, ...rest }) => rest),
        )
        for (const packet of packets) if (packet.type === 'receiver-report') expect(packet.ssrc).toBe(senderSsrc)
        const description = packets.at(-1)
        if (description?.type !== 'source-description') throw new Error('no description')
        // A lone surrogate cannot be written.
        expect(description.chunks).toEqual([
          { ssrc: senderSsrc, cname: new TextDecoder().decode(new TextEncoder().encode(cname)) },
        ])
      }),
      { numRuns: 300 },
    )
  })

  test('NACK names exactly what is missing', () => {
    fc.assert(
      fc.property(fc.nat(65_535), fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }), (first, steps) => {
        const sequenceNumbers = [first]
        for (const step of steps) sequenceNumbers.push((sequenceNumbers.at(-1)! + step) & 0xffff)
        const bytes = Buffer.from(serializeRtcp([{ type: 'nack', senderSsrc, mediaSsrc, sequenceNumbers }]))
        const named: number[] = []
        for (let at = 12; at < bytes.length; at += 4) {
          const id = bytes.readUInt16BE(at)
          named.push(id)
          for (let bit = 0; bit < 16; bit++)
            if ((bytes.readUInt16BE(at + 2) & (1 << bit)) !== 0) named.push((id + bit + 1) & 0xffff)
        }
        expect(named).toEqual(sequenceNumbers)
      }),
    )
  })
})
