import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { render } from '@rushes/render'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { importCaptures, openTake } from '@rushes/take'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../../packages/ingest/test/udp/free-port.js'
import { hasChromium, openChromium, openPublisher } from './card-publisher.js'
import { JanusRoom } from './janus-room.js'
import { startJanus } from './janus-server.js'
import { type JudgedOutput, judgeOutputs } from './judge-recording.js'
import { hasPrograms, stopPrograms, until } from './processes.js'
import { recordSender } from './record-sender.js'
import { sentPictures } from './sent-pictures.js'

/** Flash and beep of the page are of one clock. Janus forwards no sender reports: sync is by arrival, in the median. */
const SYNC_MS = 40

let folder = ''
let server = ''
let browser: Browser | undefined
const isPossible = (hasPrograms('janus', 'ffmpeg', 'ffprobe') && hasChromium) || process.env['CI'] !== undefined
beforeAll(async () => {
  if (!isPossible) return
  folder = mkdtempSync(join(tmpdir(), 'rushes-janus-'))
  const port = await freePort()
  await startJanus(folder, port)
  server = `http://127.0.0.1:${port}/janus`
  browser = await openChromium()
})
afterAll(async () => {
  await browser?.close()
  stopPrograms()
  if (folder !== '') rmSync(folder, { recursive: true, force: true })
})

describe.skipIf(!isPossible)('Janus', () => {
  test.each([
    { codec: 'h264', mimeType: 'video/H264', segments: 'ts', stream: 'video:h264,audio:aac' },
    { codec: 'av1', mimeType: 'video/AV1', segments: 'cmaf', stream: 'video:av1,audio:aac' },
  ] as const)(
    '$codec of a VideoRoom: forwarded, and its own recording',
    async ({ codec, mimeType, segments, stream }) => {
      if (browser === undefined) throw new Error('no browser')
      const dir = join(folder, codec)
      const recordings = join(dir, 'mjr')
      mkdirSync(recordings, { recursive: true })
      const room = await JanusRoom.create(server, codec === 'h264' ? 1 : 2, codec, recordings)
      const publisher = await openPublisher(browser)
      await publisher.answer(await room.publish(await publisher.offer(mimeType), 'alice'))
      await until('Chromium sends', async () => ((await publisher.sentVideo()).framesSent ?? 0) > 15)
      const requests = async (): Promise<number> => (await publisher.sentVideo()).pliCount ?? 0

      const recording = await recordSender(dir, { hls: { segmentDuration: 2, segments } }, async (open) => {
        // Janus says where it takes RTCP only when it has been told where to send: its first packets come to closed ports.
        const [audioPort, videoPort, rtcpPort] = [await freePort(), await freePort(), await freePort()]
        const [janusRtcpPort] = await room.forward([
          { mid: '0', port: audioPort, pt: 97 },
          { mid: '1', port: videoPort, rtcp_port: rtcpPort, pt: 96 },
        ])
        if (janusRtcpPort === undefined) throw new Error('Janus takes no RTCP')
        await open({ streams: [{ kind: 'audio', codec: 'opus', payloadType: 97, port: audioPort, rtcpMux: true }] })
        const video = await open({
          streams: [{ kind: 'video', codec, payloadType: 96, port: videoPort, rtcpPort }],
          remote: { rtcpPort: janusRtcpPort },
        })
        // The recording asks for its first picture by itself.
        await until('the first keyframe is asked for', async () => (await requests()) > 0)
        await setTimeout(3500)
        const before = await requests()
        video.requestKeyframe()
        await until('the request reaches Chromium', async () => (await requests()) > before)
        await setTimeout(3000)
        await room.close()
      })
      await publisher.close()
      expect(recording.stats.map(({ malformed, unknownSsrc }) => ({ malformed, unknownSsrc }))).toEqual([
        { malformed: 0, unknownSsrc: 0 },
        { malformed: 0, unknownSsrc: 0 },
      ])
      expect(recording.manifest.repairs).toEqual([])
      const forwarded = await judgeOutputs(recording.manifest, recording.root)
      checkOutputs(forwarded, stream, await sentPictures(await openTake(recording.takeDir), codec), 6)

      const inputs = readdirSync(recordings).map((name) => join(recordings, name))
      const imported = await importCaptures({ inputs, dir: join(dir, 'imported') })
      expect(imported.tracks.map(({ participantId, mimeType: type }) => `${participantId} ${type}`).sort()).toEqual([
        'alice audio/opus',
        `alice ${mimeType}`,
      ])
      const take = await openTake(join(dir, 'imported'))
      const root = join(dir, 'later')
      mkdirSync(root)
      const later = await render(take, { hls: { segments } }, { store: createLocalStore({ root }) })
      checkOutputs(await judgeOutputs(later, root), stream, await sentPictures(take, codec), 7)
    },
  )
})

function checkOutputs(outputs: readonly JudgedOutput[], stream: string, pictures: number, seconds: number): void {
  expect(outputs.map(({ container }) => container)).toEqual(['hls', 'mp4'])
  for (const { container, streams, findings, complaints, counters, beepLateMs } of outputs) {
    expect({ container, streams, findings, complaints }).toEqual({
      container,
      streams: stream,
      findings: [],
      complaints: [],
    })
    expect(counters).toHaveLength(pictures)
    expect(counters).not.toContain(undefined)
    // Numbers of the page's clock, in order; a busy browser captures one twice.
    expect(counters).toEqual([...counters].sort((a, b) => (a ?? 0) - (b ?? 0)))
    expect(beepLateMs.length).toBeGreaterThanOrEqual(seconds)
    const ascending = [...beepLateMs].sort((a, b) => a - b)
    expect(Math.abs(ascending[ascending.length >> 1] ?? Number.NaN)).toBeLessThan(SYNC_MS)
  }
}
