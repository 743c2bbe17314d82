import { ConfigurationError, type NewTrack } from '@rushes/media'
import { parseRtcpCompound, parseRtpPacket, type RtpPacket, serializeRtpPacket } from '@rushes/rtp-depacketizer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { serializeRtcp } from '../../src/index.js'
import { sequenceNumberOf } from '../memory-target.js'
import { ms, openSession, senderReport } from './session-harness.js'

const video = [
  'm=video 5004 RTP/AVPF 96 97',
  'a=rtcp-mux',
  'a=rtpmap:96 H264/90000',
  'a=rtcp-fb:96 nack',
  'a=rtcp-fb:96 nack pli',
]
const rtx = ['a=rtpmap:97 rtx/90000', 'a=fmtp:97 apt=96']
const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const packetOf = (bytes: Uint8Array): RtpPacket => {
  const packet = parseRtpPacket(bytes)
  if (typeof packet === 'string') throw new Error(packet)
  return packet
}

describe('a track', () => {
  test('begins with the second packet of a source, with what came before', () => {
    const { rtp, target, events } = openSession(video)
    rtp({ sequenceNumber: 65_535 }, 0)
    expect(target.tracks).toHaveLength(0)
    rtp({ sequenceNumber: 0 }, ms(5))
    expect(target.tracks).toMatchObject([
      { participantId: 'alice', kind: 'video', codec: 'h264', payloadType: 96, clockRate: 90_000 },
    ])
    expect(target.tracks[0]?.packets.map(({ bytes, arrivalUs }) => [sequenceNumberOf(bytes), arrivalUs])).toEqual([
      [65_535, 0],
      [0, ms(5)],
    ])
    expect(target.tracks[0]).not.toHaveProperty('ssrc')
    expect(events).toMatchObject([{ type: 'track-started', mid: '0', codec: 'h264' }])
  })

  test('begins with the first packet of a source that the description names', () => {
    const { rtp, target } = openSession([...video, 'a=ssrc:1111 cname:x'])
    rtp({ sequenceNumber: 1 }, 0)
    expect(target.tracks).toHaveLength(1)
  })

  test('hears a sender out that said BYE too early, for 2 s', () => {
    const { rtp, session, target, runTo } = openSession(video)
    for (const sequenceNumber of [1, 2, 3]) rtp({ sequenceNumber }, ms(10))
    session.receive(senderReport(1111, { bye: true }), ms(20))
    for (let sequenceNumber = 4; sequenceNumber <= 9; sequenceNumber++) {
      runTo(ms(20 + (sequenceNumber - 3) * 450))
      rtp({ sequenceNumber }, ms(20 + (sequenceNumber - 3) * 450))
    }
    runTo(ms(3000))
    expect(target.tracks).toHaveLength(1)
    expect(target.tracks[0]).toMatchObject({ ended: true })
    expect(target.tracks[0]?.rtp.map(sequenceNumberOf)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(session.stats.media[0]).toMatchObject({ afterBye: 2 })
  })

  test('ends after BYE, when what it overtook has had its time; a later source is another track', () => {
    const { rtp, session, target, events, runTo } = openSession(video)
    for (const sequenceNumber of [1, 2, 3]) rtp({ sequenceNumber }, ms(10))
    session.receive(senderReport(1111, { bye: true }), ms(20))
    rtp({ sequenceNumber: 4 }, ms(30))
    runTo(ms(700))
    expect(target.tracks[0]).toMatchObject({ ended: true })
    expect(target.tracks[0]?.rtp).toHaveLength(4)
    expect(target.tracks[0]?.rtcp).toHaveLength(2)
    expect(events.at(-1)).toMatchObject({ type: 'track-ended', reason: 'bye' })
    // A straggler begins nothing.
    rtp({ sequenceNumber: 5 }, ms(800))
    rtp({ sequenceNumber: 6 }, ms(801))
    expect(target.tracks).toHaveLength(1)
    expect(session.stats.media[0]).toMatchObject({ afterBye: 2, packets: 4 })
    for (const sequenceNumber of [70, 71]) rtp({ sequenceNumber, ssrc: 2222 }, ms(900))
    expect(target.tracks).toHaveLength(2)
    expect(target.tracks[1]?.rtp.map(sequenceNumberOf)).toEqual([70, 71])
  })

  test('ends after silence, unless sender reports go on', () => {
    const { rtp, session, target, events, runTo } = openSession(video)
    for (const sequenceNumber of [1, 2]) rtp({ sequenceNumber }, 0)
    for (let second = 1; second <= 15; second++) session.receive(senderReport(1111), ms(second * 1000))
    runTo(ms(20_000))
    expect(target.tracks[0]?.ended).toBe(false)
    runTo(ms(26_000))
    expect(events.at(-1)).toMatchObject({ type: 'track-ended', reason: 'timeout' })
    for (const sequenceNumber of [3, 4]) rtp({ sequenceNumber }, ms(27_000))
    expect(target.tracks).toHaveLength(2)
  })

  test('goes on with another source when the sender restarts, and loses no packet of it', () => {
    const { rtp, target, events } = openSession(video)
    for (let index = 0; index < 10; index++) rtp({ sequenceNumber: index }, ms(index * 10))
    for (let index = 0; index < 10; index++) rtp({ sequenceNumber: 500 + index, ssrc: 2222 }, ms(100 + index * 10))
    expect(target.tracks).toHaveLength(1)
    expect(target.tracks[0]?.rtp.map(sequenceNumberOf)).toEqual([
      ...Array.from({ length: 10 }, (_, index) => index),
      ...Array.from({ length: 10 }, (_, index) => 500 + index),
    ])
    expect(events.at(-1)).toMatchObject({ type: 'source-changed', ssrc: 2222 })
  })

  test('is not disturbed by a second sender on its port', () => {
    const { rtp, target, session } = openSession(video)
    for (let index = 0; index < 50; index++) {
      rtp({ sequenceNumber: index }, ms(index * 10))
      rtp({ sequenceNumber: 900 + index, ssrc: 2222 }, ms(index * 10 + 1))
    }
    expect(target.tracks[0]?.rtp).toHaveLength(50)
    // The last one is still on probation.
    expect(session.stats.media[0]?.strays).toBe(49)
  })

  test('that the target refuses is told once', () => {
    const refuse = {
      addTrack(_: NewTrack): never {
        throw new ConfigurationError('codec', 'is not recorded')
      },
    }
    const { rtp, events } = openSession(video, { target: refuse })
    for (const sequenceNumber of [1, 2, 3]) rtp({ sequenceNumber }, 0)
    expect(events).toMatchObject([{ type: 'error', mid: '0', error: { field: 'codec' } }])
  })

  test('of another codec is another track', () => {
    const { rtp, target } = openSession(['m=audio 5004 RTP/AVP 0 8 101', 'a=rtpmap:101 telephone-event/8000'])
    for (const sequenceNumber of [1, 2]) rtp({ sequenceNumber, payloadType: 0 }, 0)
    rtp({ sequenceNumber: 3, payloadType: 101 }, 0)
    for (const sequenceNumber of [4, 5]) rtp({ sequenceNumber, payloadType: 8 }, 0)
    expect(target.tracks).toMatchObject([
      { codec: 'pcmu', ended: true },
      { codec: 'pcma', ended: false },
    ])
    // Tones take up numbers of the track that they belong to.
    expect(target.tracks[0]?.rtp.map(sequenceNumberOf)).toEqual([1, 2, 3])
  })

  test('gets one name for reports that come without, where the host says so', () => {
    const nameOf = (bytes: Uint8Array | undefined): unknown =>
      parseRtcpCompound(bytes as Uint8Array).packets.flatMap((packet) =>
        packet.type === 'source-description' ? packet.chunks.map(({ ssrc, cname }) => [ssrc, cname]) : [],
      )
    const { rtp, session, target } = openSession(video, { senderCname: 'sender' })
    for (const sequenceNumber of [1, 2]) rtp({ sequenceNumber }, ms(5))
    session.receive(senderReport(1111), ms(6))
    expect(nameOf(target.tracks[0]?.rtcp[0])).toEqual([[1111, 'sender']])
    const own = serializeRtcp([{ type: 'source-description', senderSsrc: 1111, cname: 'own' }])
    session.receive(Buffer.concat([senderReport(1111), own]), ms(7))
    expect(nameOf(target.tracks[0]?.rtcp[1])).toEqual([[1111, 'own']])
    const { rtp: other, session: silent, target: bare } = openSession(video)
    for (const sequenceNumber of [1, 2]) other({ sequenceNumber }, ms(5))
    silent.receive(senderReport(1111), ms(6))
    expect(nameOf(bare.tracks[0]?.rtcp[0])).toEqual([])
  })

  test('gets the sender report that came before the first packet', () => {
    const { rtp, session, target } = openSession(video)
    session.receive(senderReport(1111), 0)
    session.receive(senderReport(9999), 0)
    for (const sequenceNumber of [1, 2]) rtp({ sequenceNumber }, ms(5))
    expect(target.tracks[0]?.rtcp).toHaveLength(1)
    expect(session.stats.rtcpPackets).toBe(2)
  })
})

describe('feedback', () => {
  test('reports go out early, then about every second, with what there is to say', () => {
    const { rtp, session, runTo, takeSent } = openSession(video)
    for (const sequenceNumber of [1, 2, 4]) rtp({ sequenceNumber }, ms(sequenceNumber))
    session.receive(senderReport(1111), ms(10))
    runTo(ms(9))
    runTo(ms(201))
    const reports = takeSent()
      .flatMap(({ packets }) => packets)
      .filter((packet) => packet.type === 'receiver-report' && packet.reports.length > 0)
    expect(reports).toMatchObject([
      { ssrc: 0x1234, reports: [{ ssrc: 1111, cumulativeLost: 1, extendedHighestSequenceNumber: 4 }] },
    ])
    rtp({ sequenceNumber: 5 }, ms(1000))
    runTo(ms(1300))
    expect(takeSent().at(-1)?.packets).toMatchObject([
      { type: 'receiver-report', reports: [{ fractionLost: 0, cumulativeLost: 1 }] },
      { type: 'source-description', chunks: [{ ssrc: 0x1234, cname: 'receiver' }] },
    ])
  })

  test('what is missing is asked for; nothing is where that is not agreed', () => {
    const agreed = openSession(video)
    const plain = openSession(['m=video 5004 RTP/AVP 96', 'a=rtpmap:96 H264/90000'])
    const forced = openSession(['m=video 5004 RTP/AVP 96', 'a=rtpmap:96 H264/90000'], { nack: true })
    for (const { rtp, runTo } of [agreed, plain, forced]) {
      for (const sequenceNumber of [1, 2, 5]) rtp({ sequenceNumber }, 0)
      runTo(ms(50))
    }
    expect(plain.sent).toEqual([])
    for (const { sent } of [agreed, forced]) {
      expect(sent).toHaveLength(1)
      // A report, a description, and the request: 3 and 4.
      expect(Buffer.from(sent[0]!).toString('hex')).toMatch(/^80c90001.*81ca.*81cd0003000012340000045700030001$/)
    }
  })

  test('keyframes: PLI to the source, or FIR where only that is offered, and not too often', () => {
    const pli = openSession([...video, 'a=rtcp-rsize'])
    const fir = openSession(['m=video 5004 RTP/AVPF 96', 'a=rtpmap:96 H264/90000', 'a=rtcp-fb:96 ccm fir'])
    for (const { rtp, target, session } of [pli, fir]) {
      for (const sequenceNumber of [1, 2]) rtp({ sequenceNumber }, ms(100))
      const { onKeyframeNeeded } = target.tracks[0]!
      const request = { type: 'keyframe-needed', trackId: 'x', reason: 'start' } as const
      onKeyframeNeeded?.(request)
      onKeyframeNeeded?.(request)
      rtp({ sequenceNumber: 3 }, ms(400))
      session.requestKeyframe('0')
      session.requestKeyframe('other')
    }
    // Reduced-size: PLI alone.
    expect(pli.sent.map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual(
      Array(2).fill('81ce00020000123400000457'),
    )
    expect(fir.sent.map((bytes) => Buffer.from(bytes).toString('hex').slice(-40))).toEqual([
      '84ce0004000012340000000000000457' + '01000000',
      '84ce0004000012340000000000000457' + '02000000',
    ])
    expect(pli.session.stats.media[0]?.keyframeRequestsSent).toBe(2)
  })

  test('BYE at the end, once, and nothing afterwards', () => {
    const { rtp, session, target, takeSent, sent } = openSession(video)
    for (const sequenceNumber of [1, 2]) rtp({ sequenceNumber }, 0)
    session.close()
    expect(takeSent().at(-1)?.packets.at(-1)).toEqual({ type: 'bye', ssrcs: [0x1234] })
    session.close()
    expect(rtp({ sequenceNumber: 3 }, 0)).toBe(false)
    expect(session.nextDeadline()).toBeUndefined()
    expect(sent).toEqual([])
    expect(target.tracks[0]).toMatchObject({ ended: true })
  })
})

describe('repair', () => {
  const osn = (sequenceNumber: number, ...payload: number[]): Uint8Array =>
    Uint8Array.of(sequenceNumber >> 8, sequenceNumber & 0xff, ...payload)

  test.each([
    ['its only source', [...video, ...rtx], {}],
    [
      'ssrc-group:FID',
      [...video, ...rtx, 'a=ssrc-group:FID 1111 5555', 'a=ssrc:1111 cname:x', 'a=ssrc:5555 cname:x'],
      {},
    ],
  ])('RTX by %s', (_, lines) => {
    const { rtp, session, target } = openSession(lines)
    for (const sequenceNumber of [1, 2, 4]) rtp({ sequenceNumber }, 0)
    const again = { ssrc: 5555, payloadType: 97, rtpTimestamp: 9000 }
    rtp({ ...again, sequenceNumber: 77, payload: osn(3, 0x61, 9) }, ms(50))
    rtp({ ...again, sequenceNumber: 78, payload: osn(3, 0x61, 9) }, ms(51))
    rtp({ ...again, sequenceNumber: 79, payload: new Uint8Array(0) }, ms(52))
    const packets = target.tracks[0]!.rtp
    expect(packets.map(sequenceNumberOf)).toEqual([1, 2, 4, 3])
    expect(packets[3]).toEqual(
      serializeRtpPacket({
        payloadType: 96,
        sequenceNumber: 3,
        rtpTimestamp: 9000,
        ssrc: 1111,
        payload: Uint8Array.of(0x61, 9),
      }),
    )
    expect(session.stats.media[0]).toMatchObject({ recovered: { rtx: 1 }, duplicates: 1, lost: 1, unrepaired: 0 })
  })

  test('a packet that comes again as it was is one packet', () => {
    const { rtp, session, target, runTo } = openSession(video)
    for (const sequenceNumber of [1, 2, 4]) rtp({ sequenceNumber }, 0)
    runTo(ms(15))
    rtp({ sequenceNumber: 3 }, ms(45))
    rtp({ sequenceNumber: 3 }, ms(46))
    expect(target.tracks[0]?.rtp.map(sequenceNumberOf)).toEqual([1, 2, 4, 3])
    expect(session.stats.media[0]).toMatchObject({ repairedOnRequest: 1, duplicates: 1, roundTripUs: ms(35) })
  })

  test('redundant audio gives what was lost, as plain packets', () => {
    const { rtp, session, target } = openSession([
      'm=audio 5004 RTP/AVP 111 63',
      'a=rtpmap:111 opus/48000/2',
      'a=rtpmap:63 red/48000/2',
      'a=fmtp:63 111/111',
    ])
    const red = (sequenceNumber: number): void => {
      const payload = Uint8Array.of(
        0x80 | 111,
        (960 >> 6) & 0xff,
        ((960 & 0x3f) << 2) & 0xff,
        1,
        111,
        sequenceNumber - 1,
        sequenceNumber,
      )
      rtp({ sequenceNumber, payloadType: 63, rtpTimestamp: sequenceNumber * 960, payload }, 0)
    }
    for (const sequenceNumber of [1, 2, 4]) red(sequenceNumber)
    const packets = target.tracks[0]!.rtp.map(packetOf)
    expect(target.tracks).toMatchObject([{ codec: 'opus', payloadType: 111 }])
    expect(
      packets.map(({ sequenceNumber, payloadType, payload }) => [sequenceNumber, payloadType, [...payload]]),
    ).toEqual([
      [1, 111, [1]],
      [2, 111, [2]],
      [3, 111, [3]],
      [4, 111, [4]],
    ])
    expect(session.stats.media[0]?.recovered).toEqual({ rtx: 0, red: 1, fec: 0 })
  })
})

describe('demultiplexing', () => {
  const bundle = [
    'a=group:BUNDLE a b',
    'm=audio 5004 RTP/AVPF 96',
    'a=mid:a',
    'a=rtcp-mux',
    'a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid',
    'a=rtpmap:96 opus/48000/2',
    'm=video 5004 RTP/AVPF 96 98',
    'a=mid:b',
    'a=rtcp-mux',
    'a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid',
    'a=rtpmap:96 VP8/90000',
    'a=rtpmap:98 H264/90000',
  ]

  test('by mid, then by the SSRC that it taught; by payload type where one section has it', () => {
    const { rtp, target, session } = openSession(bundle)
    const mid = (name: string) => ({ headerExtensions: [{ id: 3, data: text(name) }] })
    rtp({ sequenceNumber: 1, ssrc: 1, ...mid('a') }, 0)
    rtp({ sequenceNumber: 1, ssrc: 2, ...mid('b') }, 0)
    for (const ssrc of [1, 2]) rtp({ sequenceNumber: 2, ssrc }, 0)
    expect(target.tracks.map(({ codec }) => codec)).toEqual(['opus', 'vp8'])
    // 96 is of both sections.
    expect(rtp({ sequenceNumber: 1, ssrc: 3 }, 0)).toBe(false)
    expect(rtp({ sequenceNumber: 1, ssrc: 4, ...mid('nobody') }, 0)).toBe(false)
    expect(session.stats.unknownSsrc).toBe(2)
    expect(rtp({ sequenceNumber: 1, ssrc: 5, payloadType: 98 }, 0)).toBe(true)
  })

  test('a flood of made-up sources is counted, and hurts nobody', () => {
    const { rtp, target, session } = openSession(video)
    for (const sequenceNumber of [1, 2]) rtp({ sequenceNumber }, 0)
    for (let ssrc = 10_000; ssrc < 12_000; ssrc++) rtp({ sequenceNumber: 9, ssrc }, ms(1))
    rtp({ sequenceNumber: 3 }, ms(2))
    expect(target.tracks).toHaveLength(1)
    expect(target.tracks[0]?.rtp).toHaveLength(3)
    const { unknownSsrc, media } = session.stats
    expect(unknownSsrc + media[0]!.strays).toBe(2000)
  })

  test('simulcast by rid, and its retransmissions by the repaired rid', () => {
    const { rtp, target, session, events } = openSession([
      'm=video 5004 RTP/AVPF 96 97',
      'a=rtcp-mux',
      'a=rtpmap:96 VP8/90000',
      ...rtx,
      'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
      'a=extmap:5 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
      'a=rid:lo send',
      'a=rid:hi send',
      'a=simulcast:send lo;hi',
    ])
    const keyframe = (width: number): Uint8Array =>
      Uint8Array.of(0x10, 0x10, 0, 0, 0x9d, 1, 0x2a, width & 0xff, width >> 8, 90, 0)
    const inter = Uint8Array.of(0x10, 0x11, 0)
    for (let index = 0; index < 40; index++) {
      const rid = (name: string) => (index < 3 ? { headerExtensions: [{ id: 4, data: text(name) }] } : {})
      const common = { sequenceNumber: index, marker: true, rtpTimestamp: index * 3000 }
      rtp({ ...common, ssrc: 1, payload: index === 0 ? keyframe(160) : inter, ...rid('lo') }, ms(index * 33))
      if (index === 20) {
        const payload = Uint8Array.of(0, index, ...inter)
        const headerExtensions = [{ id: 5, data: text('hi') }]
        rtp(
          { sequenceNumber: 0, ssrc: 9, payloadType: 97, rtpTimestamp: index * 3000, payload, headerExtensions },
          ms(index * 33 + 1),
        )
      } else rtp({ ...common, ssrc: 2, payload: index === 0 ? keyframe(640) : inter, ...rid('hi') }, ms(index * 33))
      session.tick(ms(index * 33 + 10))
    }
    expect(target.tracks).toHaveLength(1)
    expect(session.stats.media[0]).toMatchObject({ layer: 'hi', ssrc: 2, recovered: { rtx: 1 } })
    expect(events).toContainEqual(expect.objectContaining({ type: 'layer-changed', layer: 'hi' }))
    const numbers = target.tracks[0]!.rtp.map(sequenceNumberOf)
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0]! + index) & 0xffff))
    // From the repaired packet's neighbours on nothing is asked for.
    expect(
      target.tracks[0]!.rtp.every((bytes) => packetOf(bytes).ssrc === packetOf(target.tracks[0]!.rtp[0]!).ssrc),
    ).toBe(true)
  })

  test('a FEC scheme that is not understood is passed over, and told', () => {
    const { rtp, target, session } = openSession([
      'm=video 5004 RTP/AVPF 96 35',
      'a=rtpmap:96 H264/90000',
      'a=rtpmap:35 flexfec-03/90000',
    ])
    for (const sequenceNumber of [1, 2]) {
      rtp({ sequenceNumber, ssrc: 50, payloadType: 35 }, 0)
      rtp({ sequenceNumber }, 0)
    }
    expect(target.tracks).toHaveLength(1)
    expect(target.tracks[0]?.rtp).toHaveLength(2)
    expect(session.stats.unknownSsrc).toBe(2)
  })
})

test('no bytes make it throw, and nothing that it holds grows', () => {
  const lines = [
    'a=group:BUNDLE a b',
    'm=audio 5004 RTP/AVPF 111 63',
    'a=mid:a',
    'a=rtpmap:111 opus/48000/2',
    'a=rtpmap:63 red/48000/2',
    'm=video 5004 RTP/AVPF 96 97 98 99',
    'a=mid:b',
    'a=rtpmap:96 H264/90000',
    ...rtx,
    'a=rtpmap:98 red/90000',
    'a=rtpmap:99 ulpfec/90000',
    'a=rtcp-fb:96 nack',
  ]
  const packet = fc.record({
    payloadType: fc.constantFrom(96, 97, 98, 99, 111, 63, 1),
    sequenceNumber: fc.nat(65_535),
    rtpTimestamp: fc.nat(0xffff_ffff),
    ssrc: fc.nat(4),
    payload: fc.uint8Array({ maxLength: 40 }),
  })
  const datagram = fc.oneof(
    packet.map(serializeRtpPacket),
    fc.uint8Array({ maxLength: 60 }),
    fc.nat(4).map((ssrc) => senderReport(ssrc, { bye: ssrc === 2 })),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(datagram, fc.nat(400)), { maxLength: 60 }), (datagrams) => {
      const { session, target, runTo } = openSession(lines)
      let nowUs = 0
      for (const [bytes, elapsedMs] of datagrams) {
        nowUs += ms(elapsedMs)
        runTo(nowUs)
        session.receive(new Uint8Array(bytes), nowUs)
      }
      session.close()
      expect(target.tracks.every(({ ended }) => ended)).toBe(true)
    }),
  )
})

test('a damaged report that comes before its source is counted once', () => {
  const { session, rtp } = openSession(['m=video 5004 RTP/AVPF 96', 'a=rtcp-mux', 'a=rtpmap:96 H264/90000'])
  session.receive(new Uint8Array(Buffer.concat([senderReport(1111), Buffer.alloc(4)])), 0)
  for (let sequenceNumber = 0; sequenceNumber < 3; sequenceNumber++) rtp({ sequenceNumber }, ms(1))
  expect(session.stats).toMatchObject({ rtcpPackets: 1, malformed: 1, packets: 3 })
})
