import { execFileSync, spawnSync } from 'node:child_process'
import { splitAnnexB } from '../../src/index.js'

/** ffmpeg and ffprobe are installed. */
export const hasFfmpeg: boolean = ['ffmpeg', 'ffprobe'].every((tool) => spawnSync(tool, ['-version']).status === 0)

/** What ffprobe says of the first video stream of an H264 byte stream. */
export interface Probed {
  readonly width: number
  readonly height: number
  readonly profile: string
  readonly level: number
  readonly has_b_frames: number
  readonly pix_fmt: string
  readonly sample_aspect_ratio?: string
  readonly color_range?: string
}

/** A byte stream from x264. */
export function encode(size: string, frames: number, ...options: string[]): Buffer {
  const source = ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=25`, '-frames:v', String(frames)]
  return execFileSync(
    'ffmpeg',
    ['-v', 'error', ...source, '-c:v', 'libx264', '-threads', '1', ...options, '-f', 'h264', '-'],
    {
      maxBuffer: 2 ** 26,
    },
  )
}

/** The NAL units of {@link encode}. */
export function encodeNalUnits(size: string, frames: number, ...options: string[]): Uint8Array[] {
  return splitAnnexB(encode(size, frames, ...options))
}

/** ffprobe's view of a byte stream. */
export function probe(byteStream: Uint8Array): Probed {
  const output = execFileSync('ffprobe', ['-v', 'error', '-f', 'h264', '-show_streams', '-of', 'json', '-'], {
    input: byteStream,
  })
  return JSON.parse(output.toString()).streams[0]
}
