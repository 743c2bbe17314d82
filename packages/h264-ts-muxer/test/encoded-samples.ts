import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { h264Configuration, NalUnitType, nalUnitTypeOf, splitAdts, splitAnnexB } from '@rushes/bitstream'
import type { EncodedSample } from '@rushes/media'
import { aacConfiguration } from './aac-configuration.js'

/** x264's samples of a moving picture at 25 frames a second, in milliseconds. */
export function x264Samples(trackId: string, size: string, frames: number, ...options: string[]): EncodedSample[] {
  const dir = mkdtempSync(join(tmpdir(), 'x264-'))
  try {
    const file = join(dir, 'a.mkv')
    const source = ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=25`, '-frames:v', String(frames)]
    execFileSync('ffmpeg', ['-v', 'error', ...source, '-pix_fmt', 'yuv420p', '-c:v', 'libx264', ...options, file])
    const packets: { pts: number; dts?: number; flags: string }[] = JSON.parse(
      execFileSync('ffprobe', ['-v', 'error', '-show_packets', '-of', 'json', file], { maxBuffer: 2 ** 26 }).toString(),
    ).packets
    const stream = join(dir, 'a.h264')
    const filter = 'h264_mp4toannexb,h264_metadata=aud=insert'
    execFileSync('ffmpeg', ['-v', 'error', '-i', file, '-c', 'copy', '-bsf:v', filter, '-f', 'h264', stream])
    const units: Uint8Array[][] = []
    for (const nalUnit of splitAnnexB(readFileSync(stream))) {
      if (nalUnitTypeOf(nalUnit) === NalUnitType.accessUnitDelimiter) units.push([])
      else units.at(-1)!.push(nalUnit)
    }
    // Matroska has no DTS: the presentation times in order, moved ahead by as much as the worst picture needs.
    const sorted = packets.map((packet) => packet.pts).sort((a, b) => a - b)
    const lead = Math.max(...packets.map((packet, i) => sorted[i]! - packet.pts))
    return units.map((data, i) => {
      const ofType = (type: number): Uint8Array[] => data.filter((nalUnit) => nalUnitTypeOf(nalUnit) === type)
      return {
        type: 'sample',
        trackId,
        data,
        pts: packets[i]!.pts,
        dts: sorted[i]! - lead,
        keyframe: packets[i]!.flags.startsWith('K'),
        ...(i === 0 ? { configuration: h264Configuration(ofType(NalUnitType.sps), ofType(NalUnitType.pps)) } : {}),
      }
    })
  } finally {
    rmSync(dir, { recursive: true })
  }
}

/** AAC of a tone; the timescale is the sample rate. */
export function aacSamples(trackId: string, seconds: number, sampleRate: number, channels: number): EncodedSample[] {
  const source = ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${seconds}`]
  const output = ['-ar', String(sampleRate), '-ac', String(channels), '-c:a', 'aac', '-f', 'adts', '-']
  const stream = execFileSync('ffmpeg', ['-v', 'error', ...source, ...output], { maxBuffer: 2 ** 26 })
  return splitAdts(stream).map(({ data }, i) => ({
    type: 'sample',
    trackId,
    data,
    pts: i * 1024,
    dts: i * 1024,
    keyframe: true,
    ...(i === 0 ? { configuration: aacConfiguration(sampleRate, channels) } : {}),
  }))
}
