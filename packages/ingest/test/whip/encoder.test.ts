import { afterEach, describe, expect, test } from 'vitest'
import { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters } from 'werift'
import { startWhipServer, type WhipEvent, type WhipServerOptions, type WhipSession } from '../../src/whip/index.js'
import { fixturePackets } from '../fixture-packets.js'
import { memoryTarget } from '../memory-target.js'
import { until } from '../udp/senders.js'
import { depacketize, readCards } from './pictures.js'

/** An encoder that is no browser: the whole offer at once, no header extensions but mid. */

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

const h264 = (): RTCRtpCodecParameters =>
  new RTCRtpCodecParameters({
    mimeType: 'video/H264',
    clockRate: 90_000,
    rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }],
    parameters: 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1',
  })

async function serve(options: Partial<WhipServerOptions> = {}) {
  const target = memoryTarget()
  const events: WhipEvent[] = []
  const sessions: WhipSession[] = []
  const server = await startWhipServer({
    port: 0,
    ice: { addresses: ['127.0.0.1'] },
    onPublish: () => ({
      target,
      participantId: 'alice',
      onEvent: (event) => events.push(event),
      onSession: (session) => sessions.push(session),
    }),
    ...options,
  })
  open.push(server)
  return { server, target, events, sessions }
}

/** Publishes; `rewrite` changes what the server sees of the offer. */
async function publish(url: string, rewrite: (sdp: string) => string = (sdp) => sdp) {
  const peer = new RTCPeerConnection({
    codecs: { video: [h264()], audio: [] },
    iceAdditionalHostAddresses: ['127.0.0.1'],
    iceUseIpv6: false,
  })
  open.push(peer)
  const track = new MediaStreamTrack({ kind: 'video' })
  peer.addTransceiver(track, { direction: 'sendonly' })
  // It would ask a server of the outside world for its address.
  for (const { connection } of peer.iceTransports) delete connection.stunServer
  await peer.setLocalDescription(await peer.createOffer())
  const offer = rewrite(peer.localDescription!.sdp)
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: offer })
  const answer = await response.text()
  await peer.setRemoteDescription({ type: 'answer', sdp: answer })
  return { peer, track, offer, answer }
}

/** werift breaks packets with padding when it sends them: without them, numbered anew. */
function unpadded(packets: readonly Uint8Array[]): Uint8Array[] {
  const kept = packets.filter((bytes) => (bytes[0]! & 0x20) === 0)
  const first = Buffer.from(packets[0]!).readUInt16BE(2)
  for (const [index, bytes] of kept.entries()) new DataView(bytes.buffer).setUint16(2, (first + index) & 0xffff)
  return kept
}

/** Ten seconds of pictures in about one. */
async function send(track: MediaStreamTrack, packets: readonly Uint8Array[]): Promise<void> {
  for (const [index, packet] of packets.entries()) {
    track.writeRtp(Buffer.from(packet))
    if (index % 8 === 7) await new Promise((resolve) => setTimeout(resolve, 4))
  }
}

const isConnected = (events: readonly WhipEvent[]): boolean => events.some(({ type }) => type === 'connected')

describe('an encoder as the publisher', () => {
  test.for([
    ['as it comes', 'active', (sdp: string) => sdp],
    [
      'with DTLS begun by the publisher',
      'passive',
      (sdp: string) => sdp.replaceAll('a=setup:actpass', 'a=setup:active'),
    ],
    ['without SSRCs', 'active', (sdp: string) => sdp.replace(/a=ssrc.*\r\n/g, '')],
  ] as const)('%s: every picture arrives', async ([, setup, rewrite]) => {
    const { server, target, events, sessions } = await serve()
    const { peer, track, answer } = await publish(server.url, rewrite)
    expect(answer).toContain(`a=setup:${setup}`)
    // Whoever begins DTLS is through last, and sends nothing before.
    await until(() => isConnected(events) && peer.connectionState === 'connected')
    const packets = unpadded(fixturePackets('solo/alice-video.rtpdump').slice(0, 800))
    await send(track, packets)
    await until(() => target.tracks[0]?.rtp.length === packets.length)
    const { units } = depacketize(target.tracks[0]!)
    const cards = await readCards('h264', units)
    expect(units.some(({ lossBefore }) => lossBefore)).toBe(false)
    expect(cards.length).toBe(units.length)
    expect(cards.every(({ cardId }) => cardId === 1)).toBe(true)
    expect(sessions[0]!.stats.undecryptable).toBe(0)
  })

  test('a certificate that is not the one of the offer ends the session', async () => {
    const { server, target, events } = await serve()
    const change = (sdp: string): string =>
      sdp.replaceAll(
        /(a=fingerprint:sha-256 )(..)/g,
        (_, head: string, byte: string) => head + (byte === '00' ? '01' : '00'),
      )
    const { track } = await publish(server.url, change)
    await until(() => events.some(({ type }) => type === 'ended'))
    expect(events).toMatchObject([{ type: 'ended', reason: 'failed' }])
    await send(track, fixturePackets('solo/alice-video.rtpdump').slice(0, 50)).catch(() => {})
    expect(target.tracks).toEqual([])
  })

  test('a publisher that vanishes ends after the silence, and its tracks with it', async () => {
    const { server, target, events } = await serve({ idleTimeoutMs: 1000 })
    const { peer, track } = await publish(server.url)
    await until(() => isConnected(events) && peer.connectionState === 'connected')
    await send(track, unpadded(fixturePackets('solo/alice-video.rtpdump').slice(0, 100)))
    await until(() => (target.tracks[0]?.rtp.length ?? 0) > 0)
    expect(target.tracks[0]?.ended).toBe(false)
    await peer.close()
    await until(() => events.some(({ type }) => type === 'ended'))
    expect(events.at(-1)).toMatchObject({ reason: 'idle' })
    expect(target.tracks[0]?.ended).toBe(true)
  })
})
