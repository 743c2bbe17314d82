import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CardFile, makeCardFile } from './card-file.js'
import { checkSender } from './check-sender.js'
import { hasPrograms, start, stopPrograms, words } from './processes.js'
import { recordSender } from './record-sender.js'
import { twoAtATime } from './two-at-a-time.js'

interface SenderCase {
  readonly encoder: string
  readonly live: string
  readonly later: { readonly format: 'mp4' | 'webm'; readonly streams: string }
  readonly segments: 'ts' | 'cmaf'
}

const CASES: Record<string, SenderCase> = {
  'H264 with B pictures': {
    encoder: '-c:v libx264 -preset veryfast -bf 2 -g 60',
    segments: 'ts',
    live: 'video:h264,audio:aac',
    later: { format: 'mp4', streams: 'video:h264,audio:opus' },
  },
  'H265 with B pictures': {
    encoder: '-c:v libx265 -preset ultrafast -bf 2 -g 60 -x265-params log-level=error',
    segments: 'cmaf',
    live: 'video:hevc,audio:aac',
    later: { format: 'mp4', streams: 'video:hevc,audio:opus' },
  },
  VP8: {
    encoder: '-c:v libvpx -deadline realtime -cpu-used 8 -b:v 800k -g 60',
    segments: 'ts',
    live: 'video:h264,audio:aac',
    later: { format: 'webm', streams: 'video:vp8,audio:opus' },
  },
  'VP9 with hidden pictures': {
    encoder:
      '-c:v libvpx-vp9 -deadline good -cpu-used 8 -auto-alt-ref 1 -lag-in-frames 16 -b:v 800k -g 60 -strict experimental',
    segments: 'cmaf',
    live: 'video:vp9,audio:aac',
    later: { format: 'webm', streams: 'video:vp9,audio:opus' },
  },
}

let folder = ''
let card: CardFile
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rushes-ffmpeg-'))
  card = await makeCardFile(folder, 6)
})
afterAll(() => {
  stopPrograms()
  rmSync(folder, { recursive: true, force: true })
})

describe.skipIf(!hasPrograms('ffmpeg', 'ffprobe') && !process.env['CI'])('ffmpeg', () => {
  test.concurrent.each(Object.entries(CASES))('%s: all of it, in sync', async (name, sent) => {
    const dir = join(folder, name)
    mkdirSync(dir)
    const sdp = join(dir, 'sender.sdp')
    const send = (how: string, ports: readonly { readonly port: number; readonly rtcpPort: number }[]) => {
      const [video, audio] = ports.map(({ port, rtcpPort }) => `rtp://127.0.0.1:${port}?rtcpport=${rtcpPort}`)
      const input = `-nostdin -v error -y -re -i ${card.path} ${how}`
      return start('ffmpeg', [
        ...words(`${input} -map 0:v ${sent.encoder} -f rtp ${video} -map 0:a -c:a libopus -b:a 64k -f rtp ${audio}`),
        ...['-sdp_file', sdp],
      ])
    }
    // The description is known once it sends: the first pictures of all would be lost. It does not depend on what is sent.
    await send('-t 0.1', [
      { port: 9, rtcpPort: 9 },
      { port: 9, rtcpPort: 9 },
    ]).done
    const settings = { hls: { segmentDuration: 2, segments: sent.segments } } as const
    const recording = await twoAtATime(() =>
      recordSender(dir, settings, async (open) => {
        const ingest = await open({ sdp: readFileSync(sdp, 'utf8'), ports: [0, 0] })
        await send('', ingest.endpoints).done
      }),
    )
    const figures = await checkSender(recording, card, sent)
    expect(figures.offMs).toHaveLength(3)
  })
})
