/** What ffmpeg makes of a file or playlist, to hold two renders of the same take against each other. */
import { spawnSync } from 'node:child_process'
import { psnr } from '../../packages/codecs/test/video-source.js'

const MAX_BYTES = 512 << 20

function ffmpeg(args: readonly string[]): Buffer {
  const { stdout, stderr, status } = spawnSync('ffmpeg', ['-v', 'error', '-nostdin', ...args], { maxBuffer: MAX_BYTES })
  if (status !== 0) throw new Error(`ffmpeg ended with ${status}: ${stderr.toString()}`)
  return stdout
}

/** Brightness of all pictures, one after the other. */
export function decodedPictures(path: string): Buffer {
  return ffmpeg([
    '-i',
    path,
    '-map',
    '0:v:0',
    '-fps_mode',
    'passthrough',
    ...['-pix_fmt', 'gray', '-f', 'rawvideo', '-'],
  ])
}

/** All samples of the sound, 16 bits. */
export function decodedSound(path: string): Buffer {
  return ffmpeg(['-i', path, '-map', '0:a:0', '-f', 's16le', '-'])
}

/** Presentation times of a kind of stream, seconds as ffprobe writes them, in order. */
export function presentationTimes(path: string, stream: 'v:0' | 'a:0'): string[] {
  const fields = ['-show_entries', 'packet=pts_time', '-of', 'csv=p=0']
  const { stdout } = spawnSync('ffprobe', ['-v', 'error', '-select_streams', stream, ...fields, path], {
    encoding: 'utf8',
    maxBuffer: MAX_BYTES,
  })
  return stdout
    .split('\n')
    .map((line) => line.replace(/,.*/, ''))
    .filter((line) => line !== '')
}

/** The least of all pictures' PSNR in dB; Infinity where they are the same. */
export function leastPsnr(one: Buffer, other: Buffer, pictureBytes: number): number {
  if (one.byteLength !== other.byteLength) return Number.NEGATIVE_INFINITY
  let least = Number.POSITIVE_INFINITY
  for (let start = 0; start < one.byteLength; start += pictureBytes) {
    const end = start + pictureBytes
    least = Math.min(least, psnr(one.subarray(start, end), other.subarray(start, end)))
  }
  return least
}
