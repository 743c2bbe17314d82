import { execFileSync, spawnSync } from 'node:child_process'

/** ffmpeg and ffprobe are installed. */
export const hasFfmpeg: boolean = ['ffmpeg', 'ffprobe'].every((tool) => spawnSync(tool, ['-version']).status === 0)

/** A packet as ffprobe sees it, after its H264 parser. */
export interface ProbedPacket {
  readonly stream_index: number
  readonly pts: number
  readonly dts: number
  readonly size: string
  readonly flags: string
}

/** A stream as ffprobe sees it. */
export interface ProbedStream {
  readonly index: number
  readonly id: string
  readonly codec_name: string
  readonly profile?: string
  readonly width?: number
  readonly height?: number
  readonly has_b_frames?: number
  readonly sample_rate?: string
  readonly channels?: number
}

/** Streams and packets of a transport stream, and what ffprobe had to complain of. */
export function probe(bytes: Uint8Array): { streams: ProbedStream[]; packets: ProbedPacket[]; warnings: string } {
  const options = ['-v', 'warning', '-f', 'mpegts', '-show_streams', '-show_packets', '-of', 'json', '-']
  const result = spawnSync('ffprobe', options, { input: bytes, maxBuffer: 2 ** 28 })
  return { ...JSON.parse(result.stdout.toString()), warnings: result.stderr.toString() }
}

/**
 * Decodes every stream; gives what ffmpeg says at the level of warnings. The time base of the output is that of the
 * input: Chromium's pictures may be 1 ms apart, which ffmpeg's guess of a frame rate cannot tell apart.
 */
export function decode(bytes: Uint8Array): string {
  const options = [
    '-v',
    'warning',
    '-f',
    'mpegts',
    '-i',
    '-',
    '-map',
    '0',
    '-autoscale',
    '0',
    '-enc_time_base:v',
    '1:90000',
    '-f',
    'null',
    '-',
  ]
  return spawnSync('ffmpeg', options, { input: bytes, maxBuffer: 2 ** 28 }).stderr.toString()
}

/** The decoded pictures, one MD5 per frame. */
export function frameHashes(bytes: Uint8Array, format: string): string[] {
  const options = [
    '-v',
    'error',
    '-f',
    format,
    '-i',
    '-',
    '-map',
    '0:v',
    '-vsync',
    'passthrough',
    '-f',
    'framemd5',
    '-',
  ]
  return execFileSync('ffmpeg', options, { input: bytes, maxBuffer: 2 ** 28 })
    .toString()
    .split('\n')
    .filter((line) => line.length > 0 && !line.startsWith('#'))
    .map((line) => line.split(',').at(-1)!.trim())
}
