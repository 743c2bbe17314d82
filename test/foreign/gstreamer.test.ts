import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../../packages/ingest/test/udp/free-port.js'
import { type Impairment, lossyRelay, type Relay } from '../../packages/ingest/test/udp/lossy-relay.js'
import { type CardFile, makeCardFile } from './card-file.js'
import { checkSender } from './check-sender.js'
import { hasPrograms, type Program, start, stopPrograms, words } from './processes.js'
import { recordSender } from './record-sender.js'
import { twoAtATime } from './two-at-a-time.js'

interface SenderCase {
  readonly codec: 'h264' | 'h265' | 'vp8' | 'vp9'
  readonly encoder: string
  readonly payloader: string
  readonly live: string
  readonly later: { readonly format: 'mp4' | 'webm'; readonly streams: string }
  readonly segments?: 'ts' | 'cmaf'
  readonly network?: Impairment
  readonly mayLackLast?: number
}

const x264 =
  'x264enc tune=zerolatency speed-preset=ultrafast sliced-threads=true threads=4 key-int-max=60 ! video/x-h264,stream-format=byte-stream'
const rtph264pay = 'rtph264pay mtu=1200 config-interval=-1 aggregate-mode=none'
const h264 = {
  codec: 'h264',
  encoder: x264,
  payloader: rtph264pay,
  live: 'video:h264,audio:aac',
  later: { format: 'mp4', streams: 'video:h264,audio:opus' },
} as const

const CASES: Record<string, SenderCase> = {
  'H264 in four slices': h264,
  'H264 through a network that loses and reorders, with retransmission': {
    ...h264,
    network: { loss: 0.03, delayed: 0.05, delayMs: 8, seed: 7, sparesFirst: 20 },
    mayLackLast: 3,
  },
  H265: {
    codec: 'h265',
    encoder: 'x265enc speed-preset=ultrafast tune=zerolatency key-int-max=60 ! video/x-h265,stream-format=byte-stream',
    payloader: 'rtph265pay mtu=1200 config-interval=-1',
    segments: 'cmaf',
    live: 'video:hevc,audio:aac',
    later: { format: 'mp4', streams: 'video:hevc,audio:opus' },
  },
  VP8: {
    codec: 'vp8',
    encoder: 'vp8enc deadline=1 cpu-used=8 target-bitrate=800000 keyframe-max-dist=60',
    payloader: 'rtpvp8pay mtu=1200 picture-id-mode=15-bit',
    live: 'video:h264,audio:aac',
    later: { format: 'webm', streams: 'video:vp8,audio:opus' },
  },
  VP9: {
    codec: 'vp9',
    encoder: 'vp9enc deadline=1 cpu-used=8 target-bitrate=800000 keyframe-max-dist=60',
    payloader: 'rtpvp9pay mtu=1200 picture-id-mode=15-bit',
    segments: 'cmaf',
    live: 'video:vp9,audio:aac',
    later: { format: 'webm', streams: 'video:vp9,audio:opus' },
  },
}

// Where the offsets lie, so that all of them wrap: numbers after 36 packets, the picture's clock after 3 s, the sound's after 5.
const SEQUENCE = 65_500
const VIDEO_OFFSET = 2 ** 32 - 3 * 90_000
const AUDIO_OFFSET = 2 ** 32 - 5 * 48_000

/** The film is a small one: a queue that were full of one stream would keep the other from starting. */
const EVERYTHING = 'max-size-time=0 max-size-buffers=0 max-size-bytes=0'

let folder = ''
let card: CardFile
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rushes-gstreamer-'))
  card = await makeCardFile(folder, 6)
})
afterAll(() => {
  stopPrograms()
  rmSync(folder, { recursive: true, force: true })
})

describe.skipIf(!hasPrograms('gst-launch-1.0', 'ffmpeg', 'ffprobe') && !process.env['CI'])('GStreamer', () => {
  test.concurrent.each(Object.entries(CASES))(
    '%s, numbers and clocks that wrap: all of it, in sync',
    async (name, sent) => {
      const dir = join(folder, name)
      mkdirSync(dir)
      const settings = { hls: { segmentDuration: 2, segments: sent.segments ?? 'ts' } } as const
      let program: Program | undefined
      let relay: Relay | undefined
      const recording = await twoAtATime(() =>
        recordSender(dir, settings, async (open) => {
          const [videoBack, audioBack] = [await freePort(), await freePort()]
          relay = sent.network === undefined ? undefined : await lossyRelay(videoBack, sent.network)
          const video = await open({
            streams: [{ kind: 'video', codec: sent.codec, payloadType: 96, rtx: { payloadType: 98 } }],
            // Requests must arrive before the sender's first report has shown where to.
            remote: { rtcpPort: relay?.rtcpPort ?? videoBack },
          })
          const audio = await open({
            streams: [{ kind: 'audio', codec: 'opus', payloadType: 97 }],
            remote: { rtcpPort: audioBack },
          })
          const [picture, sound] = [video.endpoints[0], audio.endpoints[0]]
          if (picture === undefined || sound === undefined) throw new Error('no ports')
          relay?.connect(picture)
          const rtx =
            relay === undefined
              ? ''
              : '! rtprtxsend payload-type-map=application/x-rtp-pt-map,96=(uint)98 max-size-packets=2000'
          // It does not always end by itself: the recording says when everything has come.
          program = start(
            'gst-launch-1.0',
            words(`-q rtpbin name=b rtp-profile=avpf filesrc location=${card.path} ! qtdemux name=film
          film.video_0 ! queue ${EVERYTHING} ! h264parse ! avdec_h264 ! ${sent.encoder}
          ! ${sent.payloader} pt=96 seqnum-offset=${SEQUENCE} timestamp-offset=${VIDEO_OFFSET} ${rtx} ! b.send_rtp_sink_0
          b.send_rtp_src_0 ! udpsink host=127.0.0.1 port=${relay?.rtpPort ?? picture.port}
          b.send_rtcp_src_0 ! udpsink host=127.0.0.1 port=${relay?.rtcpPort ?? picture.rtcpPort} sync=false async=false
          udpsrc address=127.0.0.1 port=${videoBack} ! b.recv_rtcp_sink_0
          film.audio_0 ! queue ${EVERYTHING} ! audioconvert ! audioresample ! opusenc
          ! rtpopuspay pt=97 seqnum-offset=${SEQUENCE} timestamp-offset=${AUDIO_OFFSET} ! b.send_rtp_sink_1
          b.send_rtp_src_1 ! udpsink host=127.0.0.1 port=${sound.port}
          b.send_rtcp_src_1 ! udpsink host=127.0.0.1 port=${sound.rtcpPort} sync=false async=false
          udpsrc address=127.0.0.1 port=${audioBack} ! b.recv_rtcp_sink_1`),
          )
        }),
      )
      await program?.stop()
      relay?.close()
      const figures = await checkSender(recording, card, sent)
      expect(figures.offMs).toHaveLength(3)
      const recovered = recording.stats[0]?.media[0]?.recovered.rtx ?? 0
      expect(recovered > 20).toBe(sent.network !== undefined)
    },
  )
})
