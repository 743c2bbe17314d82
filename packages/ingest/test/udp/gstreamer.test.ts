import type { SourceItem } from '@rushes/media'
import { H264Depacketizer, OpusDepacketizer } from '@rushes/rtp-depacketizer'
import { afterEach, describe, expect, test } from 'vitest'
import { createUdpIngest, type UdpIngest, type UdpIngestOptions } from '../../src/udp/index.js'
import { type MemoryTrack, memoryTarget, sequenceNumberOf } from '../memory-target.js'
import { freePort, freePorts } from './free-port.js'
import { type Impairment, lossyRelay, type Relay } from './lossy-relay.js'
import { gstreamer, hasTools, type Sender, stopSenders, until } from './senders.js'

const open: (UdpIngest | Relay)[] = []
afterEach(async () => {
  stopSenders()
  for (const one of open.splice(0)) await one.close()
})

async function ingestOf(options: Omit<UdpIngestOptions, 'target' | 'participantId'>) {
  const target = memoryTarget()
  const ingest = await createUdpIngest({ target, participantId: 'alice', ...options })
  open.push(ingest)
  return { ingest, target }
}

const WINDOW_US = 2_000_000

/** Everything that a depacketizer makes of a track. */
function depacketize(track: MemoryTrack) {
  const { clockRate, payloadType = 96 } = track
  // The window is wide because this machine may be busy with other things than this test.
  const options = { maxDelayUs: WINDOW_US }
  const depacketizer =
    track.kind === 'video'
      ? new H264Depacketizer(
          { id: 'x', kind: 'video', codec: 'h264', clockRate: clockRate ?? 90_000, payloadType },
          options,
        )
      : new OpusDepacketizer(
          { id: 'x', kind: 'audio', codec: 'opus', clockRate: clockRate ?? 48_000, payloadType },
          options,
        )
  const items: SourceItem[] = []
  for (const { bytes, arrivalUs } of track.packets)
    depacketizer.push({ data: bytes, arrivalUs }, (item) => items.push(item))
  depacketizer.flush((item) => items.push(item))
  return {
    stats: depacketizer.stats,
    items,
    units: items.filter(({ type }) => type === 'access-unit' || type === 'audio-frame'),
  }
}

/** What must arrive; the sender goes on a little, for what is lost at the very end is missed by nobody. */
const PICTURES = 120

/** All pictures up to the last that must arrive: after a loss none would come, for there is no second keyframe. */
function checkWhole(units: readonly SourceItem[]): void {
  expect(units.length).toBeGreaterThanOrEqual(PICTURES)
  expect(units.slice(0, PICTURES).some((unit) => unit.type === 'access-unit' && unit.lossBefore)).toBe(false)
}

const source = `videotestsrc is-live=true num-buffers=${PICTURES + 30} ! video/x-raw,width=320,height=240,framerate=30/1`
const encoder =
  'x264enc tune=zerolatency sliced-threads=true threads=2 key-int-max=900 bitrate=800 ! video/x-h264,stream-format=byte-stream'

describe.skipIf(!hasTools && !process.env['CI'])('GStreamer as the sender', () => {
  test('sound and pictures arrive whole; our reports and requests arrive there', async () => {
    const senderPort = await freePort()
    const target = memoryTarget()
    const [videoPort, audioPort] = [await freePorts(2), await freePorts(2)]
    // The ports where the sender takes RTCP are not those from which it sends.
    const pinned = await createUdpIngest({
      target,
      participantId: 'alice',
      streams: [{ kind: 'video', codec: 'h264', payloadType: 96, port: videoPort }],
      remote: { address: '127.0.0.1', rtcpPort: senderPort },
    })
    open.push(pinned)
    const sound = await createUdpIngest({
      target,
      participantId: 'alice',
      streams: [{ kind: 'audio', codec: 'opus', payloadType: 97, port: audioPort }],
    })
    open.push(sound)
    const sender = gstreamer(
      `rtpbin name=b rtp-profile=avpf
       ${source} ! ${encoder} ! rtph264pay pt=96 mtu=600 config-interval=-1 aggregate-mode=none ! b.send_rtp_sink_0
       b.send_rtp_src_0 ! udpsink host=127.0.0.1 port=${videoPort}
       b.send_rtcp_src_0 ! udpsink host=127.0.0.1 port=${videoPort + 1} sync=false async=false
       udpsrc address=127.0.0.1 port=${senderPort} ! b.recv_rtcp_sink_0
       audiotestsrc is-live=true num-buffers=200 samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=2 ! opusenc ! rtpopuspay pt=97
       ! b.send_rtp_sink_1 b.send_rtp_src_1 ! udpsink host=127.0.0.1 port=${audioPort}
       b.send_rtcp_src_1 ! udpsink host=127.0.0.1 port=${audioPort + 1} sync=false async=false`,
      { GST_DEBUG: 'rtpsource:5', GST_DEBUG_NO_COLOR: '1' },
    )
    await until(() => (target.tracks.find(({ kind }) => kind === 'video')?.rtp.length ?? 0) > 200)
    pinned.requestKeyframe()
    const log = await untilAllSent(sender, target)
    const pictures = depacketize(target.tracks.find(({ kind }) => kind === 'video')!)
    expect(pictures.units.length).toBeGreaterThanOrEqual(PICTURES)
    expect(pictures.stats).toMatchObject({ lost: 0, epochs: 1 })
    // The encoder makes none by itself but the first: ours, by PLI.
    const keyframes = pictures.units.filter((unit) => unit.type === 'access-unit' && unit.keyframe)
    expect(keyframes).toHaveLength(2)
    const frames = depacketize(target.tracks.find(({ kind }) => kind === 'audio')!)
    expect(frames.units.length).toBeGreaterThanOrEqual(190)
    expect(frames.stats).toMatchObject({ lost: 0 })
    for (const { items } of [pictures, frames]) expect(items.some(({ type }) => type === 'sender-report')).toBe(true)
    // GStreamer says what it reads in our reports.
    expect(log).toMatch(/got RB packet/)
    expect(pinned.stats).toMatchObject({ foreignAddress: 0, unknownSsrc: 0, malformed: 0 })
  })

  test('retransmission: what a bad network drops is asked for and comes', async () => {
    const { target, relay, ingest } = await throughBadNetwork(
      {
        nack: { maxAgeUs: WINDOW_US, maxTries: 20 },
        streams: [{ kind: 'video', codec: 'h264', payloadType: 96, rtx: { payloadType: 98 } }],
      },
      `${encoder} ! rtph264pay pt=96 mtu=600 config-interval=-1
       ! rtprtxsend payload-type-map=application/x-rtp-pt-map,96=(uint)98 max-size-packets=2000`,
      { loss: 0.05, delayed: 0.05, delayMs: 8, seed: 11, sparesFirst: 20 },
    )
    const { units } = depacketize(target.tracks[0]!)
    const media = ingest.stats.media[0]!
    expect(relay.stats.dropped).toBeGreaterThan(20)
    checkWhole(units)
    expect(media.recovered.rtx).toBeGreaterThan(15)
    expect(media.roundTripUs).toBeGreaterThan(0)
    expect(media.nacksSent).toBeGreaterThanOrEqual(media.recovered.rtx)
  })

  test('redundant sound gives back what is lost', async () => {
    const relay = await lossyRelay(9, { loss: 1, seed: 3, sparesFirst: 10, mayDrop: isolated() })
    open.push(relay)
    const { ingest, target } = await ingestOf({
      nack: false,
      streams: [{ kind: 'audio', codec: 'opus', payloadType: 97, red: 63 }],
    })
    relay.connect(ingest.endpoints[0]!)
    await gstreamer(
      `audiotestsrc is-live=true num-buffers=150 samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=2
       ! opusenc ! rtpopuspay pt=97 ! rtpredenc pt=63 distance=2 allow-no-red-blocks=true
       ! udpsink host=127.0.0.1 port=${relay.rtpPort}`,
    ).done
    await until(() => (ingest.stats.media[0]?.packets ?? 0) + relay.stats.dropped === relay.stats.rtp)
    const { units, stats } = depacketize(target.tracks[0]!)
    expect(relay.stats.dropped).toBeGreaterThan(8)
    // The very last may be lost, with nothing behind it to restore it.
    expect(units.length).toBeGreaterThanOrEqual(relay.stats.rtp - 2)
    expect(stats.lost).toBe(0)
    expect(ingest.stats.media[0]?.recovered.red).toBeGreaterThan(8)
  })

  test('parity: RED with ULPFEC recovers what is lost, without asking', async () => {
    const { target, relay, ingest } = await throughBadNetwork(
      {
        nack: false,
        streams: [{ kind: 'video', codec: 'h264', payloadType: 96, red: 122, ulpfec: 123 }],
      },
      `${encoder} ! rtph264pay pt=96 mtu=600 config-interval=-1
       ! rtpulpfecenc pt=123 percentage=50 percentage-important=50 ! rtpredenc pt=122 allow-no-red-blocks=true`,
      { loss: 1, seed: 5, sparesFirst: 20, mayDrop: isolated() },
    )
    const { units } = depacketize(target.tracks[0]!)
    expect(relay.stats.dropped).toBeGreaterThan(10)
    checkWhole(units)
    const { recovered, nacksSent } = ingest.stats.media[0]!
    expect(recovered.fec).toBeGreaterThan(5)
    expect(nacksSent).toBe(0)
    const numbers = new Set(target.tracks[0]!.rtp.map(sequenceNumberOf))
    expect(numbers.size).toBe(target.tracks[0]!.rtp.length)
  })
})

/** One of any twelve packets in a row: as much as the parity asked for can repair. */
function isolated(): (packet: Uint8Array) => boolean {
  let count = 0
  return () => ++count % 12 === 0
}

/**
 * Waits for the last picture, and the time that repair may take. The sender may not end by itself: rtpbin does not always
 * pass on the end of its streams.
 */
async function untilAllSent(sender: Sender, target: { readonly tracks: readonly MemoryTrack[] }): Promise<string> {
  await until(() => {
    const track = target.tracks.find(({ kind }) => kind === 'video')
    const ended = track?.rtp.filter((bytes) => bytes[1]! >= 0x80 && bytes.byteLength > 12).length ?? 0
    return ended >= PICTURES + 5 || sender.process.exitCode !== null
  })
  await new Promise((resolve) => setTimeout(resolve, 500))
  sender.process.kill('SIGKILL')
  return sender.done
}

async function throughBadNetwork(
  options: Omit<UdpIngestOptions, 'target' | 'participantId'>,
  protection: string,
  impairment: Impairment,
) {
  const senderPort = await freePort()
  const relay = await lossyRelay(senderPort, impairment)
  open.push(relay)
  // Requests must arrive before the sender's first report has shown where to.
  const { ingest, target } = await ingestOf({ ...options, remote: { rtcpPort: relay.rtcpPort } })
  relay.connect(ingest.endpoints[0]!)
  // Through rtpbin a protected stream never flows in GStreamer 1.22; parity needs no RTCP.
  const isParity = protection.includes('rtpredenc')
  const direct = `${source} ! ${protection} ! udpsink host=127.0.0.1 port=${relay.rtpPort}`
  const sender = gstreamer(
    isParity
      ? direct
      : `rtpbin name=b rtp-profile=avpf ${source} ! ${protection} ! b.send_rtp_sink_0
     b.send_rtp_src_0 ! udpsink host=127.0.0.1 port=${relay.rtpPort}
     b.send_rtcp_src_0 ! udpsink host=127.0.0.1 port=${relay.rtcpPort} sync=false async=false
     udpsrc address=127.0.0.1 port=${senderPort} ! b.recv_rtcp_sink_0`,
  )
  await untilAllSent(sender, target)
  return { ingest, target, relay }
}
