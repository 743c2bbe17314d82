import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { splitAnnexB } from '@rushes/bitstream'
import type { EncodedSample, VideoCodec } from '@rushes/media'

const ENCODERS: Readonly<Record<VideoCodec, readonly string[]>> = {
  vp8: ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2M', '-auto-alt-ref', '0'],
  vp9: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2M'],
  av1: ['-c:v', 'libaom-av1', '-usage', 'realtime', '-cpu-used', '8', '-b:v', '2M'],
  h265: ['-c:v', 'libx265', '-preset', 'ultrafast', '-crf', '18', '-x265-params', 'log-level=none'],
  h264: ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '16'],
}
const FILTERS: Readonly<Record<VideoCodec, string>> = {
  vp8: 'null',
  vp9: 'null',
  av1: 'av1_metadata=td=remove',
  h265: 'hevc_mp4toannexb',
  h264: 'h264_mp4toannexb',
}

/** A coded test picture sequence, and what ffmpeg decodes it to. */
export interface VideoSource {
  readonly samples: EncodedSample[]
  /** Planar 4:2:0 in limited range, picture after picture in order of presentation. */
  readonly pictures: Buffer[]
}

export interface VideoSourceOptions {
  readonly codec: VideoCodec
  readonly width?: number
  readonly height?: number
  readonly seconds?: number
  /** More arguments for the encoder. */
  readonly args?: readonly string[]
  readonly pixelFormat?: string
}

/** Made by ffmpeg's encoders from its moving test picture; times in 90 kHz, 30 pictures a second. */
export function encodeVideo({
  codec,
  width = 320,
  height = 180,
  seconds = 3,
  args = [],
  pixelFormat = 'yuv420p',
}: VideoSourceOptions): VideoSource {
  const directory = mkdtempSync(join(tmpdir(), 'video-source-'))
  try {
    const file = join(directory, 'source.mkv')
    const input = ['-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}:rate=30:duration=${seconds}`]
    run(['-y', ...input, '-vf', `scale=${width}:${height},format=${pixelFormat}`, ...ENCODERS[codec], ...args, file])
    const copy = ['-i', file, '-c', 'copy', '-bsf:v', FILTERS[codec]]
    const list = run([...copy, '-f', 'framecrc', '-']).toString()
    const bytes = run([...copy, '-f', 'rawvideo', '-'])
    let offset = 0
    const samples: EncodedSample[] = []
    for (const line of list.split('\n')) {
      if (line === '' || line.startsWith('#')) continue
      const [, dts, pts, , size, , flags] = line.split(',').map((field) => field.trim())
      const coded = Uint8Array.from(bytes.subarray(offset, offset + Number(size)))
      offset += Number(size)
      samples.push({
        type: 'sample',
        trackId: 'camera',
        data: codec === 'h264' || codec === 'h265' ? splitAnnexB(coded) : [coded],
        pts: Number(pts) * 90,
        dts: Number(dts) * 90,
        keyframe: flags === undefined,
      })
    }
    const raw = run(['-i', file, '-vf', 'scale=out_range=tv,format=yuv420p', '-f', 'rawvideo', '-'])
    return { samples, pictures: picturesOf(raw, width, height) }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Raw 4:2:0, cut into pictures. */
export function picturesOf(raw: Buffer, width: number, height: number): Buffer[] {
  const size = width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2)
  if (raw.length % size !== 0) throw new Error(`${raw.length} bytes are not a whole number of pictures`)
  return Array.from({ length: raw.length / size }, (_, index) => raw.subarray(index * size, (index + 1) * size))
}

/** Runs ffmpeg; what it says on its error channel is an error. */
export function run(args: readonly string[], input?: Uint8Array): Buffer {
  const result = spawnSync('ffmpeg', ['-v', 'error', ...args], { input, maxBuffer: 1 << 30 })
  if (result.status !== 0 || result.stderr.length > 0) throw new Error(result.stderr.toString())
  return result.stdout
}

/** In dB over all of two pictures. */
export function psnr(a: Uint8Array, b: Uint8Array): number {
  let sum = 0
  for (let index = 0; index < a.length; index++) sum += (a[index]! - b[index]!) ** 2
  return 10 * Math.log10((255 * 255 * a.length) / sum)
}
