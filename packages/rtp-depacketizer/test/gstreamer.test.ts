import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { joinAnnexB } from '@rushes/bitstream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { H264Depacketizer, OpusDepacketizer } from '../src/index.js'
import { accessUnitsOf, audioFramesOf, collect } from './collect.js'

/** A sender that is no browser: B pictures, slices, intra refresh, other ways to aggregate. */

const hasTools = ['gst-launch-1.0', 'ffmpeg'].every((tool) => spawnSync(tool, ['--version']).error === undefined)
const camera = { id: 'camera', kind: 'video', codec: 'h264', clockRate: 90_000 } as const
const PICTURES = 40

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rtp-depacketizer-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function launch(description: string): void {
  const { status, stderr } = spawnSync('gst-launch-1.0', ['-q', ...description.split(/\s+/)], { timeout: 60_000 })
  expect({ status, stderr: stderr.toString() }).toMatchObject({ status: 0 })
}

/** Packets behind their lengths (RFC 4571), as rtpstreampay writes them. */
function readPackets(path: string): Uint8Array[] {
  const file = readFileSync(path)
  const packets: Uint8Array[] = []
  for (let offset = 0; offset < file.length; ) {
    const length = file.readUInt16BE(offset)
    packets.push(file.subarray(offset + 2, offset + 2 + length))
    offset += 2 + length
  }
  return packets
}

/** Checksums of the decoded pictures, in output order, and what ffmpeg has to say. */
function decode(stream: Uint8Array): { messages: string; pictures: string[] } {
  const args = ['-v', 'error', '-f', 'h264', '-i', 'pipe:0', '-fps_mode', 'passthrough', '-f', 'framemd5', 'pipe:1']
  const { stderr, stdout } = spawnSync('ffmpeg', args, { input: stream, maxBuffer: 1 << 26 })
  const lines = stdout.toString().split('\n')
  return {
    messages: stderr.toString(),
    pictures: lines.filter((line) => line.startsWith('0,')).map((line) => line.slice(line.lastIndexOf(',') + 1).trim()),
  }
}

describe.skipIf(!hasTools && !process.env['CI'])('GStreamer', () => {
  test.each([
    [
      'B pictures',
      'x264enc key-int-max=10 bframes=2 ! video/x-h264,profile=main,stream-format=byte-stream',
      'config-interval=-1 mtu=1000',
      4,
    ],
    [
      'slices, with parameter sets between them',
      'x264enc tune=zerolatency sliced-threads=true threads=4 key-int-max=10 ! video/x-h264,stream-format=byte-stream',
      'config-interval=-1 aggregate-mode=none mtu=600',
      4,
    ],
    [
      'slices in STAP-A',
      'x264enc tune=zerolatency sliced-threads=true threads=4 key-int-max=10 bitrate=100 ! video/x-h264,stream-format=byte-stream',
      'config-interval=-1 aggregate-mode=zero-latency mtu=1200',
      4,
    ],
    [
      'delimiters',
      'x264enc tune=zerolatency aud=true key-int-max=20 ! video/x-h264,stream-format=byte-stream',
      'config-interval=0 aggregate-mode=max-stap',
      2,
    ],
  ])('%s: the pictures that the encoder made', (_, encoder, payloader, keyframes) => {
    const [direct, sent] = [join(folder, 'direct.h264'), join(folder, 'sent.rtp')]
    launch(
      `videotestsrc num-buffers=${PICTURES} ! video/x-raw,width=320,height=240,framerate=30/1 ! ${encoder} ! tee name=t
       t. ! queue ! filesink location=${direct} t. ! queue ! rtph264pay ${payloader} ! rtpstreampay ! filesink location=${sent}`,
    )
    const depacketizer = new H264Depacketizer(camera)
    const units = accessUnitsOf(collect(depacketizer, readPackets(sent)))
    expect(depacketizer.stats).toMatchObject({ accessUnits: PICTURES, keyframes, lost: 0, epochs: 1 })
    const { droppedUnits, malformed } = depacketizer.stats
    expect([...Object.values(droppedUnits), ...Object.values(malformed)].every((count) => count === 0)).toBe(true)
    const result = decode(joinAnnexB(units.flatMap(({ nalUnits }) => nalUnits)))
    expect(result).toEqual({ messages: '', pictures: decode(readFileSync(direct)).pictures })
    expect(result.pictures).toHaveLength(PICTURES)
  })

  test('intra refresh: pictures from a recovery point on, when they are asked for', () => {
    const sent = join(folder, 'refresh.rtp')
    launch(
      `videotestsrc num-buffers=60 ! video/x-raw,width=320,height=240,framerate=30/1
       ! x264enc tune=zerolatency intra-refresh=true key-int-max=15 ! rtph264pay config-interval=1 ! rtpstreampay ! filesink location=${sent}`,
    )
    const packets = readPackets(sent)
    const joined = packets.slice(packets.length >> 2)
    const strict = new H264Depacketizer(camera)
    expect(accessUnitsOf(collect(strict, joined))).toHaveLength(0)
    const lenient = new H264Depacketizer(camera, { acceptRecoveryPoint: true })
    const units = accessUnitsOf(collect(lenient, joined))
    expect(units.length).toBeGreaterThan(20)
    expect(units[0]).toMatchObject({ keyframe: true, configuration: { width: 320, height: 240 } })
  })

  test('Opus: every packet', () => {
    const sent = join(folder, 'opus.rtp')
    launch(
      `audiotestsrc num-buffers=50 samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=2 ! opusenc frame-size=20
       ! rtpopuspay ! rtpstreampay ! filesink location=${sent}`,
    )
    const packets = readPackets(sent)
    const depacketizer = new OpusDepacketizer({ id: 'mic', kind: 'audio', codec: 'opus', clockRate: 48_000 })
    const frames = audioFramesOf(collect(depacketizer, packets))
    expect(frames).toHaveLength(packets.length)
    expect(frames.every(({ duration, lossBefore }) => duration === 960 && !lossBefore)).toBe(true)
  })
})
