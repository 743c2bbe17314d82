import { Event, type GenericNack, RtcpPacketConverter, RtcpTransportLayerFeedback, RtpPacket } from 'werift'
import type { WeriftCodec, WeriftPeer, WeriftReceiver, WeriftRtcpPacket, WeriftTrack } from '../../src/werift/index.js'

/** werift's own events and packets, without a network. */
export interface FakeTrack extends WeriftTrack {
  readonly onReceiveRtp: Event<[RtpPacket]>
  readonly onReceiveRtcp: Event<[WeriftRtcpPacket]>
}

export const h264: WeriftCodec = {
  mimeType: 'video/H264',
  payloadType: 97,
  clockRate: 90_000,
  parameters: 'packetization-mode=1;profile-level-id=42e01f',
}

export function fakeTrack(fields: Partial<WeriftTrack> = {}): FakeTrack {
  return { kind: 'video', codec: h264, ...fields, onReceiveRtp: new Event(), onReceiveRtcp: new Event() }
}

/** A peer with one receiver of these tracks. */
export function fakePeer(tracks: readonly FakeTrack[], codecs: readonly WeriftCodec[] = []) {
  const plis: number[] = []
  const requests: Uint8Array[] = []
  const onRtcp = new Event<[WeriftRtcpPacket]>()
  const onStateChange = new Event<[string]>()
  const receiver = {
    tracks,
    sdesMid: '0',
    codecs: Object.fromEntries(codecs.map((codec) => [codec.payloadType, codec])),
    rtcpSsrc: 77,
    dtlsTransport: {
      onRtcp,
      onStateChange,
      sendRtcp: async (packets: { serialize(): Buffer }[]) => {
        for (const packet of packets) requests.push(packet.serialize())
      },
    },
    sendRtcpPLI: async (ssrc: number) => plis.push(ssrc),
  } satisfies WeriftReceiver & { codecs: unknown }
  const peer: WeriftPeer = { extIdUriMap: { 3: 'urn:3gpp:video-orientation' }, getReceivers: () => [receiver] }
  /** What was asked for through the connection. */
  const sent = () =>
    requests
      .flatMap((bytes) => RtcpPacketConverter.deSerialize(Buffer.from(bytes)))
      .map((packet) => {
        if (!(packet instanceof RtcpTransportLayerFeedback)) throw new Error('it is no feedback')
        const { senderSsrc, mediaSourceSsrc, lost } = packet.feedback as GenericNack
        // werift does not wrap what it reads.
        return { senderSsrc, mediaSourceSsrc, lost: lost.map((sequenceNumber) => sequenceNumber & 0xffff) }
      })
  return { peer, receiver, plis, sent, onRtcp, onStateChange }
}

/** As werift hands it over. */
export const weriftPacket = (bytes: Uint8Array): RtpPacket => RtpPacket.deSerialize(Buffer.from(bytes)).clone()
