import { parseRtcpCompound, RtpPacket, serializeRtpPacket } from '@rushes/rtp-depacketizer'
import { describe, expect, test } from 'vitest'
import {
  RtcpSenderInfo,
  RtcpSourceDescriptionPacket,
  RtcpSrPacket,
  SourceDescriptionChunk,
  SourceDescriptionItem,
} from 'werift'
import { FakeClock } from '../../../media/test/fake-clock.js'
import type { IngestEvent } from '../../src/index.js'
import { recordWeriftTrack } from '../../src/werift/index.js'
import { fixturePackets } from '../fixture-packets.js'
import { memoryTarget } from '../memory-target.js'
import { depacketize } from '../whip/pictures.js'
import { fakePeer, fakeTrack, h264, weriftPacket } from './fake-werift.js'

const packetOf = (fields: Partial<Parameters<typeof serializeRtpPacket>[0]> = {}): Uint8Array =>
  serializeRtpPacket({
    payloadType: 97,
    sequenceNumber: 1,
    rtpTimestamp: 3000,
    ssrc: 0xabc,
    payload: Uint8Array.of(0x67, 1, 2, 3),
    ...fields,
  })

const report = (ssrc: number): RtcpSrPacket =>
  new RtcpSrPacket({
    ssrc,
    senderInfo: new RtcpSenderInfo({
      ntpTimestamp: 0xe9_00_00_00_80_00_00_00n,
      rtpTimestamp: 3000,
      packetCount: 1,
      octetCount: 2,
    }),
  })

const nameOf = (source: number, text: string): RtcpSourceDescriptionPacket =>
  new RtcpSourceDescriptionPacket({
    chunks: [new SourceDescriptionChunk({ source, items: [new SourceDescriptionItem({ type: 1, text })] })],
  })

describe('a werift track', () => {
  test('comes out as it was sent: real packets, padding and header extensions included', () => {
    const [target, track] = [memoryTarget(), fakeTrack()]
    recordWeriftTrack(target, track, { participantId: 'alice' })
    const packets = fixturePackets('mutes/alice-video.rtpdump')
    for (const bytes of packets) track.onReceiveRtp.execute(weriftPacket(bytes))
    const parts = (bytes: Uint8Array): unknown => {
      const packet = new RtpPacket()
      expect(packet.read(bytes)).toBeUndefined()
      const { marker, payloadType, sequenceNumber, rtpTimestamp, ssrc, payload, headerExtensions, paddingBytes } =
        packet
      const extensions = headerExtensions.map(({ id, data }) => [id, Buffer.from(data).toString('hex')])
      const content = Buffer.from(payload).toString('base64')
      return { marker, payloadType, sequenceNumber, rtpTimestamp, ssrc, paddingBytes, extensions, content }
    }
    expect(target.tracks).toHaveLength(1)
    expect(target.tracks[0]!.rtp.map(parts)).toEqual(packets.map(parts))
    expect(depacketize(target.tracks[0]!).units.length).toBeGreaterThan(100)
  })

  test('is announced with what was negotiated, at its first packet', () => {
    const [target, track] = [memoryTarget(), fakeTrack({ codec: { ...h264, mimeType: 'video/VP8', payloadType: 96 } })]
    // werift tells the first of what was negotiated, and the sender takes another.
    const { peer } = fakePeer([track], [h264])
    const recorded = recordWeriftTrack(target, track, { participantId: 'alice', peer })
    expect(target.tracks).toEqual([])
    expect(recorded.sink).toBeUndefined()
    track.onReceiveRtp.execute(weriftPacket(packetOf()))
    expect(target.tracks).toMatchObject([
      {
        participantId: 'alice',
        kind: 'video',
        codec: 'h264',
        payloadType: 97,
        clockRate: 90_000,
        fmtp: 'packetization-mode=1;profile-level-id=42e01f',
        headerExtensions: { 3: 'urn:3gpp:video-orientation' },
      },
    ])
    expect(recorded.sink?.id).toBe(target.tracks[0]?.id)
    expect(recorded.stats).toEqual({ packets: 1, reports: 0, repaired: 0, malformed: 0, pressed: 0, layer: undefined })
  })

  test('asks for lost packets again and again, where NACK was negotiated', () => {
    const codec = { ...h264, rtcpFeedback: [{ type: 'nack' }] }
    const [target, track, clock] = [memoryTarget(), fakeTrack({ codec }), new FakeClock()]
    const { peer, sent } = fakePeer([track], [codec])
    const recorded = recordWeriftTrack(target, track, { participantId: 'alice', peer, clock })
    const receive = (sequenceNumber: number): void =>
      track.onReceiveRtp.execute(weriftPacket(packetOf({ sequenceNumber })))
    for (const sequenceNumber of [65_534, 1, 3]) receive(sequenceNumber)
    for (let round = 1; round <= 3; round++) clock.advanceTo(round * 100_000)
    expect(sent()[0]).toEqual({ senderSsrc: 77, mediaSourceSsrc: 0xabc, lost: [65_535, 0, 2] })
    expect(sent().length).toBeGreaterThanOrEqual(3)
    const before = sent().length
    for (const sequenceNumber of [65_535, 0, 2]) receive(sequenceNumber)
    clock.advanceTo(clock.nowUs() + 1_000_000)
    expect(sent()).toHaveLength(before)
    expect(recorded.stats.repaired).toBe(3)
    receive(5)
    recorded.stop()
    clock.advanceTo(clock.nowUs() + 1_000_000)
    expect(sent()).toHaveLength(before)
  })

  test.each([
    [[], undefined],
    [[{ type: 'nack' }], false],
    [[{ type: 'nack', parameter: 'pli' }], undefined],
  ])('asks for none with %j and the option %j', (rtcpFeedback, nack) => {
    const [track, clock] = [fakeTrack({ codec: { ...h264, rtcpFeedback } }), new FakeClock()]
    const { peer, sent } = fakePeer([track])
    recordWeriftTrack(memoryTarget(), track, {
      participantId: 'alice',
      peer,
      clock,
      ...(nack === undefined ? {} : { nack }),
    })
    for (const sequenceNumber of [1, 3]) track.onReceiveRtp.execute(weriftPacket(packetOf({ sequenceNumber })))
    clock.advanceTo(clock.nowUs() + 1_000_000)
    expect(sent()).toEqual([])
  })

  test.for([
    ['audio', 'audio/opus', 'opus'],
    ['audio', 'audio/PCMU', 'pcmu'],
    ['video', 'video/VP9', 'vp9'],
    ['video', 'video/AV1X', 'av1'],
    ['video', 'video/H265', 'h265'],
  ] as const)('%s %s is %s', ([kind, mimeType, codec]) => {
    const [target, track] = [memoryTarget(), fakeTrack({ kind, codec: { ...h264, mimeType } })]
    recordWeriftTrack(target, track, { participantId: 'alice' })
    track.onReceiveRtp.execute(weriftPacket(packetOf()))
    expect(target.tracks).toMatchObject([{ kind, codec }])
  })

  test('keyframes are asked for through the peer', () => {
    const [target, track] = [memoryTarget(), fakeTrack()]
    const { peer, plis } = fakePeer([track], [h264])
    const told: number[] = []
    recordWeriftTrack(target, track, { participantId: 'alice', peer, onKeyframeNeeded: (ssrc) => told.push(ssrc) })
    track.onReceiveRtp.execute(weriftPacket(packetOf()))
    target.tracks[0]?.onKeyframeNeeded?.({ type: 'keyframe-needed', trackId: 'x', reason: 'loss' })
    expect(plis).toEqual([0xabc])
    expect(told).toEqual([0xabc])
  })

  test('sender reports keep the name that sound and picture share', () => {
    const [target, track] = [memoryTarget(), fakeTrack()]
    const { peer, onRtcp } = fakePeer([track], [h264])
    recordWeriftTrack(target, track, { participantId: 'alice', peer })
    track.onReceiveRtp.execute(weriftPacket(packetOf()))
    // One compound, as werift takes it apart; and one of a source that is not ours.
    onRtcp.execute(report(0xabc))
    onRtcp.execute(nameOf(0xabc, 'desk'))
    onRtcp.execute(report(0xdef))
    onRtcp.execute(nameOf(0xdef, 'other'))
    onRtcp.execute(report(0xabc))
    const compounds = target.tracks[0]!.rtcp.map((bytes) => parseRtcpCompound(bytes))
    expect(compounds).toHaveLength(2)
    for (const { packets, damaged } of compounds) {
      expect(damaged).toBe(false)
      expect(packets).toMatchObject([
        { type: 'sender-report', ssrc: 0xabc, rtpTimestamp: 3000 },
        { type: 'source-description', chunks: [{ ssrc: 0xabc, cname: 'desk' }] },
      ])
    }
  })

  test('reports without a name go on with the next packet', () => {
    const [target, track] = [memoryTarget(), fakeTrack()]
    recordWeriftTrack(target, track, { participantId: 'alice' })
    track.onReceiveRtp.execute(weriftPacket(packetOf()))
    track.onReceiveRtcp.execute(report(0xabc))
    expect(target.tracks[0]?.rtcp).toHaveLength(0)
    track.onReceiveRtp.execute(weriftPacket(packetOf({ sequenceNumber: 2 })))
    expect(target.tracks[0]?.rtcp).toHaveLength(1)
  })

  test.for([
    ['the track stops', ({ track }) => track.onReceiveRtp.complete()],
    ['the connection is closed', ({ onStateChange }) => onStateChange.execute('closed')],
    ['the connection fails', ({ onStateChange }) => onStateChange.execute('failed')],
    ['the host stops it', ({ recorded }) => recorded.stop()],
  ] as [
    string,
    (of: {
      track: ReturnType<typeof fakeTrack>
      onStateChange: ReturnType<typeof fakePeer>['onStateChange']
      recorded: ReturnType<typeof recordWeriftTrack>
    }) => void,
  ][])('it ends when %s', ([, end]) => {
    const [target, track] = [memoryTarget(), fakeTrack()]
    const { peer, onStateChange } = fakePeer([track], [h264])
    const events: IngestEvent[] = []
    const recorded = recordWeriftTrack(target, track, {
      participantId: 'a',
      peer,
      onEvent: (event) => events.push(event),
    })
    track.onReceiveRtp.execute(weriftPacket(packetOf()))
    onStateChange.execute('connected')
    expect(target.tracks[0]?.ended).toBe(false)
    end({ track, onStateChange, recorded })
    expect(target.tracks[0]?.ended).toBe(true)
    expect(recorded.sink).toBeUndefined()
    expect(events.map(({ type }) => type)).toEqual(['track-started', 'track-ended'])
    // What still comes is nobody's: the target would throw.
    track.onReceiveRtp.execute(weriftPacket(packetOf({ sequenceNumber: 2 })))
    recorded.stop()
  })

  test.for([
    ['participantId', { participantId: '' }, {}],
    ['track.codec', {}, { codec: { ...h264, mimeType: 'video/H263' } }],
    ['track.codec', {}, { codec: undefined }],
    ['track.kind', {}, { kind: 'data' }],
    ['rid', { rid: 'h' }, {}],
    ['peer', { peer: fakePeer([]).peer }, {}],
  ] as const)('%s is checked', ([field, options, fields]) => {
    expect(() => recordWeriftTrack(memoryTarget(), fakeTrack(fields), { participantId: 'a', ...options })).toThrow(
      expect.objectContaining({ code: 'BAD_CONFIGURATION', field }),
    )
  })
})

describe('several encodings', () => {
  /** Two real streams stand for two encodings: each is whole in itself. */
  const real = fixturePackets('solo/alice-video.rtpdump')
  const large = fixturePackets('ramp/alice-video.rtpdump')

  function layers() {
    const [h, l] = [fakeTrack({ rid: 'h' }), fakeTrack({ rid: 'l' })]
    return { h, l, ...fakePeer([h, l], [h264]) }
  }

  test('one of them, by its rid', () => {
    const target = memoryTarget()
    const { h, l, peer } = layers()
    recordWeriftTrack(target, h, { participantId: 'a', peer, rid: 'l' })
    h.onReceiveRtp.execute(weriftPacket(packetOf({ ssrc: 1 })))
    l.onReceiveRtp.execute(weriftPacket(packetOf({ ssrc: 2 })))
    expect(target.tracks).toHaveLength(1)
    expect(target.tracks[0]!.rtp.map((bytes) => bytes[11])).toEqual([2])
  })

  test('all of them become one stream, whose requests go to the encoding that is put out', () => {
    const target = memoryTarget()
    const { h, l, peer, plis } = layers()
    let nowUs = 0
    const clock = { nowUs: () => nowUs, schedule: () => () => {} }
    const recorded = recordWeriftTrack(target, h, { participantId: 'a', peer, clock })
    for (let i = 0; i < 600; i++) {
      nowUs += 4000
      l.onReceiveRtp.execute(weriftPacket(real[i]!))
      h.onReceiveRtp.execute(weriftPacket(large[i]!))
    }
    expect(recorded.stats.layer).toMatch(/^[hl]$/)
    expect(target.tracks).toHaveLength(1)
    const ssrcs = new Set(target.tracks[0]!.rtp.map((bytes) => Buffer.from(bytes).readUInt32BE(8)))
    expect(ssrcs.size).toBe(1)
    const { units } = depacketize(target.tracks[0]!)
    expect(units.length).toBeGreaterThan(50)
    expect(units.some(({ lossBefore }) => lossBefore)).toBe(false)
    plis.length = 0
    target.tracks[0]?.onKeyframeNeeded?.({ type: 'keyframe-needed', trackId: 'x', reason: 'loss' })
    const chosen = recorded.stats.layer === 'h' ? large : real
    expect(plis).toEqual([Buffer.from(chosen[0]!).readUInt32BE(8)])
    recorded.stop()
  })
})
