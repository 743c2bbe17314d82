import { RtpPacket, serializeRtpPacket } from '@rushes/rtp-depacketizer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Red } from 'werift'
import { emptyPacket, parseRed, primaryOf } from '../../src/repair/red.js'
import { RedRestorer } from '../../src/repair/red-restorer.js'
import { sequenceNumberOf } from '../memory-target.js'

function read(bytes: Uint8Array): RtpPacket {
  const packet = new RtpPacket()
  if (packet.read(bytes) !== undefined) throw new Error('no RTP')
  return packet
}

interface Block {
  readonly offset: number
  readonly payload: Uint8Array
}

/** A redundant packet, oldest block first. */
function redPacket(
  sequenceNumber: number,
  rtpTimestamp: number,
  redundant: readonly Block[],
  primary: Uint8Array,
): RtpPacket {
  const heads = redundant.flatMap(({ offset, payload }) => {
    const rest = (offset << 10) | payload.byteLength
    return [0x80 | 111, (rest >> 16) & 0xff, (rest >> 8) & 0xff, rest & 0xff]
  })
  const payload = Uint8Array.of(...heads, 111, ...redundant.flatMap((block) => [...block.payload]), ...primary)
  return read(
    serializeRtpPacket({ payloadType: 63, sequenceNumber: sequenceNumber & 0xffff, rtpTimestamp, ssrc: 5, payload }),
  )
}

describe('parseRed', () => {
  test('blocks as another implementation writes them', () => {
    const red = new Red()
    red.blocks = [
      { block: Buffer.from([1, 2, 3]), blockPT: 111, timestampOffset: 960 },
      { block: Buffer.from([4, 5]), blockPT: 111 },
    ]
    const packet = read(
      serializeRtpPacket({ payloadType: 63, sequenceNumber: 1, rtpTimestamp: 0, ssrc: 5, payload: red.serialize() }),
    )
    expect(
      parseRed(packet)?.map(({ start, end, ...block }) => ({
        ...block,
        bytes: [...packet.bytes.subarray(start, end)],
      })),
    ).toEqual([
      { payloadType: 111, timestampOffset: 960, bytes: [1, 2, 3] },
      { payloadType: 111, timestampOffset: 0, bytes: [4, 5] },
    ])
  })

  test.each([
    ['nothing', []],
    ['a head that ends', [0x80 | 111, 0]],
    ['heads without a last one', [0x80 | 111, 0, 0, 0]],
    ['a block longer than the packet', [0x80 | 111, 0, 0, 9, 111, 1, 2]],
  ])('%s is no redundant payload', (_, bytes) => {
    const payload = Uint8Array.from(bytes)
    expect(
      parseRed(read(serializeRtpPacket({ payloadType: 63, sequenceNumber: 1, rtpTimestamp: 0, ssrc: 5, payload }))),
    ).toBeUndefined()
  })

  test('the primary packet keeps header and extensions, and the empty one changes nothing of its model', () => {
    const bytes = Buffer.from(
      serializeRtpPacket({
        payloadType: 63,
        sequenceNumber: 9,
        rtpTimestamp: 77,
        ssrc: 5,
        marker: true,
        headerExtensions: [{ id: 1, data: Uint8Array.of(8) }],
        payload: Uint8Array.of(111, 1, 2),
        paddingBytes: 3,
      }),
    )
    const before = bytes.toString('hex')
    const packet = read(bytes)
    const blocks = parseRed(packet)!
    expect(primaryOf(packet, blocks[0]!)).toEqual(
      serializeRtpPacket({
        payloadType: 111,
        sequenceNumber: 9,
        rtpTimestamp: 77,
        ssrc: 5,
        marker: true,
        headerExtensions: [{ id: 1, data: Uint8Array.of(8) }],
        payload: Uint8Array.of(1, 2),
      }),
    )
    expect(emptyPacket(packet, 111)).toEqual(
      serializeRtpPacket({
        payloadType: 111,
        sequenceNumber: 9,
        rtpTimestamp: 77,
        ssrc: 5,
        payload: new Uint8Array(0),
      }),
    )
    expect(bytes.toString('hex')).toBe(before)
  })
})

describe('RedRestorer', () => {
  test('with two redundant blocks every loss of up to two in a row is restored, exactly', () => {
    fc.assert(
      fc.property(
        fc.nat(65_535),
        fc.nat(0xffff_ffff),
        fc.array(fc.nat(9), { minLength: 4, maxLength: 60 }),
        (first, start, dice) => {
          const payloads = dice.map((_, index) => Uint8Array.of(index, index + 1, index + 2))
          const timestamp = (index: number): number => (start + index * 960) % 2 ** 32
          const restorer = new RedRestorer()
          const got = new Map<number, Uint8Array>()
          let run = 0
          for (const [index, die] of dice.entries()) {
            // The first ones come, and never more than two in a row are lost; the last comes.
            const isLost = index > 1 && index < dice.length - 1 && run < 2 && die < 4
            run = isLost ? run + 1 : 0
            if (isLost) continue
            const redundant = [2, 1]
              .filter((distance) => index >= distance)
              .map((distance) => ({ offset: distance * 960, payload: payloads[index - distance]! }))
            const packet = redPacket(first + index, timestamp(index), redundant, payloads[index]!)
            restorer.received(packet.sequenceNumber, packet.rtpTimestamp)
            got.set(index, payloads[index]!)
            restorer.restore(packet, parseRed(packet)!, (bytes) => {
              const restored = read(bytes)
              const at = (sequenceNumberOf(bytes) - first) & 0xffff
              expect(got.has(at)).toBe(false)
              expect(restored).toMatchObject({ payloadType: 111, ssrc: 5, rtpTimestamp: timestamp(at) })
              got.set(at, restored.payload)
            })
          }
          expect(payloads.map((_, index) => got.get(index))).toEqual(payloads)
          expect(restorer.stats.ambiguous).toBe(0)
        },
      ),
    )
  })

  test('a sender that repeats only the packet before the last; two lost of even spacing; uneven ones are left', () => {
    const restorer = new RedRestorer()
    const emitted: number[] = []
    const take = (number: number, time: number, offset: number): void => {
      const packet = redPacket(number, time, [{ offset, payload: Uint8Array.of(number) }], Uint8Array.of(0))
      restorer.received(number, time)
      restorer.restore(packet, parseRed(packet)!, (bytes) => emitted.push(sequenceNumberOf(bytes)))
    }
    take(1, 960, 1920)
    take(2, 1920, 1920)
    take(5, 4800, 1920)
    take(6, 5760, 1920)
    expect(emitted).toEqual([3, 4])
    // After silence: two are missing, and where the third of a second went cannot be known.
    take(9, 30_000, 1920)
    expect(emitted).toEqual([3, 4])
    expect(restorer.stats).toEqual({ restored: 2, ambiguous: 1 })
  })

  test('a block that cannot be the packet of its place is not made one', () => {
    const restorer = new RedRestorer()
    const emitted: Uint8Array[] = []
    restorer.received(10, 9600)
    // Between two packets in a row there is no place.
    const packet = redPacket(11, 10_560, [{ offset: 480, payload: Uint8Array.of(1) }], Uint8Array.of(2))
    restorer.received(11, 10_560)
    restorer.restore(packet, parseRed(packet)!, (bytes) => emitted.push(bytes))
    expect(emitted).toEqual([])
    expect(restorer.stats).toEqual({ restored: 0, ambiguous: 1 })
  })
})
