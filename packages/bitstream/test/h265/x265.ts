import { execFileSync, spawnSync } from 'node:child_process'
import { h265NalUnitTypeOf, splitAnnexB } from '../../src/index.js'

/** ffmpeg and ffprobe are installed, with x265. */
export const hasX265: boolean =
  spawnSync('ffprobe', ['-version']).status === 0 &&
  spawnSync('ffmpeg', ['-v', 'error', '-encoders']).stdout?.toString().includes('libx265')

/** A byte stream from x265: `params` are its own, with colons. */
export function encode(size: string, frames: number, params: string, ...options: string[]): Buffer {
  const source = ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=25`, '-frames:v', String(frames)]
  const x265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', `log-level=none:pools=1:${params}`]
  return execFileSync(
    'ffmpeg',
    ['-v', 'error', ...source, '-pix_fmt', 'yuv420p', ...x265, ...options, '-f', 'hevc', '-'],
    {
      maxBuffer: 2 ** 26,
    },
  )
}

/** The NAL units of one type in a byte stream. */
export function ofType(byteStream: Uint8Array, type: number): Uint8Array[] {
  return splitAnnexB(byteStream).filter((nalUnit) => h265NalUnitTypeOf(nalUnit) === type)
}
