import fc from 'fast-check'
import { expect, test } from 'vitest'
import { serializeRtcp } from '../../src/index.js'
import {
  middleOf,
  type ReferenceTimeEcho,
  readClockEchoes,
  roundTripUs,
  type SenderClock,
} from '../../src/rtcp/clock-echo.js'

function read(bytes: Uint8Array): (SenderClock | ReferenceTimeEcho)[] {
  const items: (SenderClock | ReferenceTimeEcho)[] = []
  readClockEchoes(bytes, (item) => items.push(item))
  return items
}

const senderReport = Buffer.from(`80c8000601020304aabbccdd11223344${'00000000'.repeat(3)}`, 'hex')
const dlrr = Buffer.from('80cf0005' + '01020304' + '05000003' + '0a0b0c0d' + '00018000' + '00004000', 'hex')

test('the middle of the NTP time, and where the report is', () => {
  const other = serializeRtcp([{ type: 'bye', senderSsrc: 9 }])
  expect(read(Buffer.concat([other, senderReport]))).toEqual([
    { type: 'sender-clock', ssrc: 0x0102_0304, ntpMiddle: 0xccdd_1122, offset: 8 },
  ])
})

test('the echo of a reference time is a round trip', () => {
  const [echo] = read(dlrr)
  expect(echo).toEqual({ type: 'reference-time-echo', ssrc: 0x0a0b_0c0d, lastReferenceTime: 0x1_8000, delay: 0x4000 })
  // Sent at 1.5 s, kept for 0.25 s, back at 1.8 s.
  expect(Math.abs(roundTripUs(echo as ReferenceTimeEcho, 1_800_000)! - 50_000)).toBeLessThan(20)
  expect(roundTripUs(echo as ReferenceTimeEcho, 1_000_000)).toBeUndefined()
})

test('the time that is sent is the time that is echoed', () => {
  const sent = Buffer.from(serializeRtcp([{ type: 'receiver-reference-time', senderSsrc: 1, timeUs: 123_456_789 }]))
  expect(sent.readUInt32BE(14)).toBe(middleOf(123_456_789))
})

test('bytes of any kind are read to their end and no further', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(7), (bytes, type) => {
      const forged = Buffer.concat([Buffer.from([0x80, 200 + type, 0, Math.floor(bytes.length / 4)]), bytes])
      expect(() => read(forged)).not.toThrow()
      expect(() => read(bytes)).not.toThrow()
    }),
  )
})
