import { RtpPacket, serializeRtpPacket } from '@rushes/rtp-depacketizer'
import { describe, expect, test } from 'vitest'
import { TransportFeedback, transportSequenceNumber } from '../../src/whip/transport-feedback.js'
import { readFeedback } from './read-feedback.js'

function flush(feedback: TransportFeedback): Uint8Array[] {
  const packets: Uint8Array[] = []
  feedback.flush(1, 2, (bytes) => packets.push(bytes))
  return packets
}

const told = (packets: readonly Uint8Array[]): [number, number][] =>
  packets.flatMap((bytes) => [...readFeedback(bytes)])

describe('transport-wide feedback', () => {
  test('as the draft draws it', () => {
    const feedback = new TransportFeedback()
    feedback.received(10, 64_000_000)
    feedback.received(11, 64_001_000)
    feedback.received(13, 64_100_000)
    const [bytes] = flush(feedback)
    expect(Buffer.from(bytes!).toString('hex')).toBe(
      // Header, 1 to 2, from 10 on 4 packets, 1000 times 64 ms, the first feedback.
      'afcd0006' +
        '00000001' +
        '00000002' +
        '000a0004' +
        '0003e800' +
        // Small, small, lost, large, nothing more; 0 ms, 1 ms, 99 ms; padding.
        'd480' +
        '00' +
        '04' +
        '018c' +
        '0002',
    )
  })
  test('nothing is told twice, and nothing of nothing', () => {
    const feedback = new TransportFeedback()
    expect(flush(feedback)).toEqual([])
    feedback.received(1, 1000)
    expect(flush(feedback)).toHaveLength(1)
    expect(flush(feedback)).toEqual([])
  })
  test('a loss is told with what came behind it, and told again when it came after all', () => {
    const feedback = new TransportFeedback()
    feedback.received(65_534, 0)
    expect(told(flush(feedback))).toEqual([[65_534, 0]])
    feedback.received(1, 5000)
    expect(told(flush(feedback))).toEqual([
      [65_535, Number.NaN],
      [0, Number.NaN],
      [1, 5000],
    ])
    feedback.received(0, 9000)
    expect(told(flush(feedback))).toEqual([
      [0, 9000],
      [1, 5000],
    ])
  })
  test('a pause that two bytes cannot hold begins another packet', () => {
    const feedback = new TransportFeedback()
    feedback.received(1, 0)
    feedback.received(2, 60_000_000)
    const packets = flush(feedback)
    expect(packets).toHaveLength(2)
    expect(told(packets)).toEqual([
      [1, 0],
      [2, 60_000_000],
    ])
  })
  test('what is too late, or there already, changes nothing', () => {
    const feedback = new TransportFeedback()
    for (let i = 0; i < 1000; i++) feedback.received(i, i * 1000)
    flush(feedback)
    feedback.received(100, 5_000_000)
    feedback.received(999, 5_000_000)
    expect(flush(feedback)).toEqual([])
  })
})

describe('the number of a packet', () => {
  const packetWith = (headerExtensions: { id: number; data: Uint8Array }[]): RtpPacket => {
    const packet = new RtpPacket()
    const fields = { payloadType: 96, sequenceNumber: 1, rtpTimestamp: 2, ssrc: 3, payload: new Uint8Array(4) }
    packet.read(serializeRtpPacket({ ...fields, headerExtensions }))
    return packet
  }
  test.for([
    ['one-byte form', [{ id: 4, data: Uint8Array.of(0xab, 0xcd) }], 0xabcd],
    [
      'behind others',
      [
        { id: 1, data: new Uint8Array(3) },
        { id: 4, data: Uint8Array.of(1, 2) },
      ],
      0x0102,
    ],
    [
      'two-byte form',
      [
        { id: 20, data: new Uint8Array(20) },
        { id: 4, data: Uint8Array.of(3, 4) },
      ],
      0x0304,
    ],
    ['of another length', [{ id: 4, data: new Uint8Array(3) }], -1],
    ['not there', [{ id: 5, data: new Uint8Array(2) }], -1],
    ['no extensions', [], -1],
  ] as const)('%s', ([, extensions, expected]) => {
    expect(transportSequenceNumber(packetWith([...extensions]), 4)).toBe(expected)
  })
})
