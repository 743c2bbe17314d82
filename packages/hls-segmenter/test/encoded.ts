import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { h264Configuration, NalUnitType, nalUnitTypeOf, splitAdts, splitAnnexB } from '@rushes/bitstream'
import type { EncodedSample } from '@rushes/media'

/** Whether ffmpeg and ffprobe can be run. */
export const hasFfmpeg: boolean = ['ffmpeg', 'ffprobe'].every((tool) => spawnSync(tool, ['-version']).status === 0)

export interface Picture {
  readonly size: string
  readonly seconds: number
  /** Pictures between two IDR. */
  readonly gop: number
  readonly bFrames?: number
  readonly fromSeconds?: number
}

/** A test picture by x264, as samples of track `camera` at 25 a second in 90 kHz. */
export function encodeVideo({ size, seconds, gop, bFrames = 0, fromSeconds = 0 }: Picture): EncodedSample[] {
  return inFolder((folder) => {
    const file = join(folder, 'picture.mp4')
    const x264 = `keyint=${gop}:min-keyint=${gop}:scenecut=0:bframes=${bFrames}:aud=1:threads=1`
    ffmpeg(
      ['-f', 'lavfi', '-i', `testsrc=s=${size}:r=25:d=${seconds}`, '-pix_fmt', 'yuv420p', '-c:v', 'libx264'],
      [...['-preset', 'ultrafast', '-x264-params', x264, '-video_track_timescale', '90000', file]],
    )
    const raw = join(folder, 'picture.h264')
    ffmpeg(['-i', file], ['-c', 'copy', '-bsf:v', 'h264_mp4toannexb', raw])
    const times = probePackets(file)
    const shift = (times[0]?.dts ?? 0) * -1 + fromSeconds * 90_000
    return accessUnits(readFileSync(raw)).map((nalUnits, index) => {
      const { pts = 0, dts = 0 } = times[index] ?? {}
      const keyframe = nalUnits.some((nalUnit) => nalUnitTypeOf(nalUnit) === NalUnitType.idrSlice)
      const ofType = (type: number): Uint8Array[] => nalUnits.filter((nalUnit) => nalUnitTypeOf(nalUnit) === type)
      return {
        type: 'sample',
        trackId: 'camera',
        data: nalUnits.filter((nalUnit) => nalUnitTypeOf(nalUnit) !== NalUnitType.accessUnitDelimiter),
        pts: pts + shift,
        dts: dts + shift,
        duration: 3600,
        keyframe,
        ...(index === 0 ? { configuration: h264Configuration(ofType(NalUnitType.sps), ofType(NalUnitType.pps)) } : {}),
      }
    })
  })
}

/** A tone as AAC at 48 kHz, as samples of track `microphone`. */
export function encodeAudio(seconds: number): EncodedSample[] {
  return inFolder((folder) => {
    const file = join(folder, 'tone.aac')
    ffmpeg(['-f', 'lavfi', '-i', `sine=r=48000:d=${seconds}`], ['-c:a', 'aac', '-ac', '1', file])
    return splitAdts(readFileSync(file)).map(({ data }, index) => ({
      type: 'sample',
      trackId: 'microphone',
      data,
      pts: index * 1024,
      dts: index * 1024,
      duration: 1024,
      keyframe: true,
      ...(index === 0
        ? { configuration: { kind: 'audio', codec: 'aac', codecString: 'mp4a.40.2', sampleRate: 48_000, channels: 1 } }
        : {}),
    }))
  })
}

function accessUnits(bytes: Uint8Array): Uint8Array[][] {
  const units: Uint8Array[][] = []
  for (const nalUnit of splitAnnexB(bytes)) {
    if (nalUnitTypeOf(nalUnit) === NalUnitType.accessUnitDelimiter) units.push([])
    units.at(-1)?.push(nalUnit)
  }
  return units
}

function probePackets(file: string): { readonly pts: number; readonly dts: number }[] {
  const args = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=pts,dts', '-of', 'json', file]
  return JSON.parse(execFileSync('ffprobe', args, { encoding: 'utf8' })).packets
}

function ffmpeg(input: readonly string[], output: readonly string[]): void {
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...input, ...output], { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** Runs something with a folder of its own. */
export function inFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'hls-segmenter-'))
  try {
    return use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
