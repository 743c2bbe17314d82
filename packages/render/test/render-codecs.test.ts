import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createMemoryStore, type MemoryStore } from '@rushes/storage-adapters'
import type { SessionTrack } from '@rushes/take'
import { createTakeWriter, openTake, type Take } from '@rushes/take'
import { describe, expect, it } from 'vitest'
import { type Manifest, render } from '../src/index.js'
import { fixture, temporaryFolder } from './fixtures.js'

const hasTools =
  spawnSync('ffmpeg', ['-version']).status === 0 && spawnSync('gst-launch-1.0', ['--version']).status === 0

/** What GStreamer makes of a test picture and a tone, as a take. */
interface Call {
  readonly video: { readonly encoder: string; readonly pay: string; readonly mimeType: string }
  readonly audio: {
    readonly encoder: string
    readonly pay: string
    readonly mimeType: string
    readonly clockRate: number
    readonly payloadType: number
  }
}

const OPUS = {
  encoder: 'opusenc',
  pay: 'rtpopuspay pt=111',
  mimeType: 'audio/opus',
  clockRate: 48_000,
  payloadType: 111,
}
const PCMU = {
  encoder: 'audioresample ! audio/x-raw,rate=8000,channels=1 ! mulawenc',
  pay: 'rtppcmupay',
  mimeType: 'audio/PCMU',
  clockRate: 8000,
  payloadType: 0,
}
const VIDEO = {
  vp8: { encoder: 'vp8enc deadline=1 keyframe-max-dist=30', pay: 'rtpvp8pay', mimeType: 'video/VP8' },
  vp9: { encoder: 'vp9enc deadline=1 cpu-used=8 keyframe-max-dist=30', pay: 'rtpvp9pay', mimeType: 'video/VP9' },
  h265: {
    encoder: 'x265enc speed-preset=ultrafast tune=zerolatency key-int-max=30',
    pay: 'rtph265pay config-interval=-1',
    mimeType: 'video/H265',
  },
  h264: {
    encoder: 'x264enc speed-preset=ultrafast tune=zerolatency key-int-max=30',
    pay: 'rtph264pay config-interval=-1',
    mimeType: 'video/H264',
  },
} as const

async function call({ video, audio }: Call): Promise<Take> {
  const dir = temporaryFolder()
  const file = (name: string): string => join(dir, name)
  const pipeline = [
    `videotestsrc num-buffers=90 ! video/x-raw,width=320,height=240,framerate=30/1 ! videoconvert ! ${video.encoder} ! ${video.pay} pt=96 mtu=1200 ! rtpstreampay ! filesink buffer-mode=unbuffered location=${file('v')}`,
    `audiotestsrc num-buffers=150 samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=1 ! audioconvert ! ${audio.encoder} ! ${audio.pay} ! rtpstreampay ! filesink buffer-mode=unbuffered location=${file('a')}`,
  ].join(' ')
  const made = spawnSync('gst-launch-1.0', ['-q', ...pipeline.split(' ')], { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(made.stderr)
  const writer = await createTakeWriter(file('take'), { startedAt: '2026-01-01T00:00:00.000Z', name: 'call' })
  const tracks: SessionTrack[] = [
    {
      id: 'v',
      kind: 'video',
      file: 'v.rtpdump',
      mimeType: video.mimeType,
      payloadType: 96,
      clockRate: 90_000,
      joinedAtMs: 0,
    },
    { id: 'a', kind: 'audio', file: 'a.rtpdump', joinedAtMs: 0, ...pick(audio) },
  ]
  for (const track of tracks) writer.addTrack('alice', track)
  for (const track of tracks) {
    let first: number | undefined
    for (const packet of framed(readFileSync(file(track.id)))) {
      const timestamp = packet.readUInt32BE(4)
      first ??= timestamp
      const arrivalUs = Math.round((((timestamp - first) >>> 0) * 1_000_000) / track.clockRate) + 50_000
      writer.write(track.id, packet, arrivalUs)
    }
  }
  await writer.finish()
  return openTake(file('take'))
}

const pick = ({ mimeType, clockRate, payloadType }: Call['audio']) => ({ mimeType, clockRate, payloadType })

/** RFC 4571: each packet behind its length. */
function* framed(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at + 2 <= bytes.length; at += 2 + bytes.readUInt16BE(at)) {
    yield bytes.subarray(at + 2, at + 2 + bytes.readUInt16BE(at))
  }
}

/** All objects of a store, as files. */
function written(store: MemoryStore): string {
  const dir = temporaryFolder()
  for (const [key, { data }] of store.objects) {
    mkdirSync(dirname(join(dir, key)), { recursive: true })
    writeFileSync(join(dir, key), data)
  }
  return dir
}

interface Probed {
  readonly video: string
  readonly audio: string
  readonly frames: number
  readonly errors: string
}

/** What ffmpeg makes of a file, decoded whole. */
function probed(path: string): Probed {
  expect(existsSync(path), path).toBe(true)
  const probe = spawnSync('ffprobe', ['-v', 'error', '-count_frames', '-show_streams', '-of', 'json', path], {
    encoding: 'utf8',
  })
  const { streams } = JSON.parse(probe.stdout) as {
    streams: { codec_type: string; codec_name: string; nb_read_frames: string }[]
  }
  const of = (type: string) => streams.find(({ codec_type }) => codec_type === type)
  const args = ['-v', 'error', '-i', path, '-fps_mode', 'passthrough', '-enc_time_base', '-1', '-f', 'null', '-']
  const decoded = spawnSync('ffmpeg', args, { encoding: 'utf8' })
  return {
    video: of('video')?.codec_name ?? '',
    audio: of('audio')?.codec_name ?? '',
    frames: Number(of('video')?.nb_read_frames),
    errors: probe.stderr + decoded.stderr,
  }
}

describe.skipIf(!hasTools && !process.env['CI'])('codecs beside H264 and Opus', () => {
  it.each([
    // What is sent, and what is in MP4, in MPEG-TS and in CMAF.
    ['vp8', OPUS, 'h264', 'opus'],
    ['vp9', OPUS, 'vp9', 'opus'],
    ['h265', OPUS, 'hevc', 'opus'],
    ['h264', PCMU, 'h264', 'aac'],
  ] as const)('%s: is copied where the container holds it, and H264 where not', async (codec, audio, inMp4, sound) => {
    const take = await call({ video: VIDEO[codec], audio })
    const store = createMemoryStore()
    const manifest = await render(take, { recordingId: 'ts', audio: { codec: 'opus' } }, { store })
    await render(
      take,
      {
        recordingId: 'cmaf',
        formats: ['hls'],
        hls: { segments: 'cmaf', segmentDuration: 1 },
        audio: { codec: 'opus' },
      },
      { store },
    )
    const dir = written(store)
    expect(manifest.warnings.map(({ code }) => code).filter((code) => code !== 'NO_SENDER_REPORTS')).toEqual([])
    expect(probed(join(dir, 'ts/alice.mp4'))).toEqual({ video: inMp4, audio: sound, frames: 90, errors: '' })
    expect(probed(join(dir, 'ts/alice/index.m3u8'))).toEqual({ video: 'h264', audio: 'aac', frames: 90, errors: '' })
    expect(probed(join(dir, 'cmaf/alice/index.m3u8'))).toEqual({ video: inMp4, audio: sound, frames: 90, errors: '' })
  })

  it.each(['vp8', 'vp9'] as const)('%s and Opus go into WebM as they came', async (codec) => {
    const store = createMemoryStore()
    const manifest = await render(
      await call({ video: VIDEO[codec], audio: OPUS }),
      { recordingId: 'r', formats: ['webm'] },
      { store },
    )
    expect(manifest.outputs.map(({ container, key }) => [container, key])).toEqual([['webm', 'r/alice.webm']])
    expect(probed(join(written(store), 'r/alice.webm'))).toEqual({
      video: codec,
      audio: 'opus',
      frames: 90,
      errors: '',
    })
  })

  it('leaves out of WebM what it cannot hold, and says so', async () => {
    const store = createMemoryStore()
    const manifest: Manifest = await render(await fixture('solo'), { recordingId: 'r', formats: ['webm'] }, { store })
    expect(manifest.warnings).toMatchObject([{ code: 'TRACK_LEFT_OUT', trackId: 'alice-video' }])
    expect(manifest.outputs[0]).toMatchObject({ container: 'webm', audio: { codec: 'opus' } })
    expect(manifest.outputs[0]?.video).toBeUndefined()
  })

  it('of H264 alone, and of a composite, is left out: the other containers have it', async () => {
    const store = createMemoryStore()
    const composite = { size: '320x180', fps: 10, video: { preset: 'ultrafast' } } as const
    const manifest: Manifest = await render(
      await fixture('solo'),
      { media: 'video', outputs: ['individual', { composite }], formats: ['webm', 'mp4'], toUs: 2_000_000 },
      { store },
    )
    expect(manifest.outputs.map(({ key }) => key)).toEqual(['solo/alice.mp4', 'solo/composite.mp4'])
    expect(manifest.warnings.map(({ code }) => code)).toEqual(['TRACK_LEFT_OUT', 'TRACK_LEFT_OUT'])
    expect([...store.objects.keys()].sort()).toEqual(['solo/alice.mp4', 'solo/composite.mp4', 'solo/manifest.json'])
  })
})
