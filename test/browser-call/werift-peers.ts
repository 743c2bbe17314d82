import { type RecordedWeriftTrack, recordWeriftTrack, type WeriftTrackStats } from '@rushes/ingest/werift'
import type { TrackTarget, VideoCodec } from '@rushes/media'
import * as werift from 'werift'

/** The receiving half of a forwarding unit made of werift: a peer for each publisher, every track recorded in one line. */
export class WeriftPeers {
  readonly #target: TrackTarget
  readonly #codec: VideoCodec
  readonly #peers = new Map<string, werift.RTCPeerConnection>()
  readonly #recorded: RecordedWeriftTrack[] = []

  constructor(target: TrackTarget, codec: VideoCodec) {
    this.#target = target
    this.#codec = codec
  }

  get stats(): readonly WeriftTrackStats[] {
    return this.#recorded.map(({ stats }) => stats)
  }

  /** Takes an offer, resolves with the answer. */
  async publish(participantId: string, offer: string): Promise<string> {
    const video = videoCodecs(this.#codec)
    const extensions = [werift.useSdesMid(), werift.useTransportWideCC()]
    const peer = new werift.RTCPeerConnection({
      codecs: { audio: [werift.useOPUS()], video },
      headerExtensions: { audio: extensions, video: extensions },
      iceServers: [],
      iceUseIpv4: false,
      iceUseIpv6: false,
      iceAdditionalHostAddresses: ['127.0.0.1'],
      iceInterfaceAddresses: { udp4: '127.0.0.1' },
      bundlePolicy: 'max-bundle',
    })
    this.#peers.set(participantId, peer)
    peer.onTrack.subscribe((track) => {
      this.#recorded.push(recordWeriftTrack(this.#target, track, { participantId, peer }))
    })
    await peer.setRemoteDescription({ type: 'offer', sdp: offer })
    // It would ask a server of the outside world for its address, and wait.
    for (const { connection } of peer.iceTransports) delete connection.stunServer
    await peer.setLocalDescription(await peer.createAnswer())
    return peer.localDescription?.sdp ?? ''
  }

  async hangUp(participantId: string): Promise<void> {
    const peer = this.#peers.get(participantId)
    this.#peers.delete(participantId)
    await peer?.close()
  }

  async close(): Promise<void> {
    for (const id of [...this.#peers.keys()]) await this.hangUp(id)
  }
}

function videoCodecs(codec: VideoCodec): werift.RTCRtpCodecParameters[] {
  const rtcpFeedback = [werift.useNACK(), werift.usePLI(), werift.useTWCC()]
  const named: Partial<Record<VideoCodec, () => werift.RTCRtpCodecParameters>> = {
    h264: () => werift.useH264({ rtcpFeedback }),
    vp8: () => werift.useVP8({ rtcpFeedback }),
    vp9: () => werift.useVP9({ rtcpFeedback }),
    av1: () => new werift.RTCRtpCodecParameters({ mimeType: 'video/AV1', clockRate: 90_000, rtcpFeedback }),
  }
  const media = named[codec]
  if (media === undefined) throw new Error(`no video codec ${codec}`)
  return [media(), new werift.RTCRtpCodecParameters({ mimeType: 'video/rtx', clockRate: 90_000 })]
}
