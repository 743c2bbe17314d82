import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  buildAudioSpecificConfig,
  h264Configuration,
  NalUnitType,
  nalUnitTypeOf,
  splitAdts,
  splitAnnexB,
} from '@rushes/bitstream'
import type { AudioTrack, EncodedSample, VideoConfiguration, VideoTrack } from '@rushes/media'

/** Real media for the tests, made by ffmpeg, and ffprobe's view of what was written. */
export const hasFfmpeg =
  spawnSync('ffmpeg', ['-version']).status === 0 && spawnSync('ffprobe', ['-version']).status === 0

export const camera: VideoTrack = { id: 'camera', kind: 'video', codec: 'h264', clockRate: 90_000 }
export const opus: AudioTrack = { id: 'opus', kind: 'audio', codec: 'opus', clockRate: 48_000 }
export const aac: AudioTrack = { id: 'aac', kind: 'audio', codec: 'aac', clockRate: 44_100, timescale: 44_100 }

export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'rushes-mp4-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** x264 pictures at 30 a second, decoding times below presentation times where there are B-frames. */
export function pictures(
  options: { size?: string; bFrames?: number; frames?: number; gop?: number; fullRange?: boolean } = {},
): EncodedSample[] {
  const { size = '320x180', bFrames = 0, frames = 90, gop = 30, fullRange = false } = options
  const common = ['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`, '-frames:v', String(frames)]
  const encode = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', String(bFrames), '-g', String(gop), '-threads', '1']
  const params = [
    '-x264-params',
    `aud=1:b-adapt=0:scenecut=0:fullrange=${fullRange ? 'on' : 'off'}`,
    '-enc_time_base',
    '1/90000',
  ]
  const run = (format: string): Buffer =>
    execFileSync('ffmpeg', [...common, ...encode, ...params, '-f', format, '-'], { maxBuffer: 1 << 28 })
  const times = run('framecrc')
    .toString()
    .split('\n')
    .filter((line) => /^\d/.test(line))
    .map((line) => line.split(',').map(Number))
  const units: Uint8Array[][] = []
  for (const nalUnit of splitAnnexB(run('h264'))) {
    if (nalUnitTypeOf(nalUnit) === NalUnitType.accessUnitDelimiter) units.push([])
    else units.at(-1)!.push(nalUnit)
  }
  if (units.length !== times.length) throw new Error(`${units.length} pictures and ${times.length} times`)
  let configuration: VideoConfiguration | undefined
  return units.map((nalUnits, index) => {
    const [, dts, pts] = times[index]!
    const keyframe = nalUnits.some((nalUnit) => nalUnitTypeOf(nalUnit) === NalUnitType.idrSlice)
    const of = (type: number): Uint8Array[] => nalUnits.filter((nalUnit) => nalUnitTypeOf(nalUnit) === type)
    const isFirst = configuration === undefined
    configuration ??= h264Configuration(of(NalUnitType.sps), of(NalUnitType.pps))
    return {
      type: 'sample',
      trackId: camera.id,
      data: nalUnits,
      pts: pts!,
      dts: dts!,
      keyframe,
      ...(isFirst ? { configuration } : {}),
    }
  })
}

/** A tone in AAC LC, 1024 samples a frame. */
export function aacFrames(seconds: number, { sampleRate = 44_100, trackId = aac.id } = {}): EncodedSample[] {
  const source = `sine=frequency=440:sample_rate=${sampleRate}:duration=${seconds}`
  const adts = execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', source, '-c:a', 'aac', '-f', 'adts', '-'])
  const audioSpecificConfig = buildAudioSpecificConfig({ sampleRate, channels: 1 })
  const codec = {
    kind: 'audio',
    codec: 'aac',
    codecString: 'mp4a.40.2',
    sampleRate,
    channels: 1,
    audioSpecificConfig,
  } as const
  return splitAdts(adts).map(({ data }, index) => ({
    type: 'sample',
    trackId,
    data,
    pts: index * 1024,
    dts: index * 1024,
    duration: 1024,
    keyframe: true,
    ...(index === 0 ? { configuration: codec } : {}),
  }))
}

/** The Opus packets of a capture with their own times, from 0. */
export function opusPackets(take: string): EncodedSample[] {
  const bytes = readFileSync(new URL(`../../../test/fixtures/${take}/alice-audio.rtpdump`, import.meta.url))
  const samples: EncodedSample[] = []
  let first: number | undefined
  for (let offset = bytes.indexOf(0x0a) + 17; offset + 8 <= bytes.length; ) {
    const length = bytes.readUInt16BE(offset)
    const isRtp = bytes.readUInt16BE(offset + 2) > 0
    const packet = bytes.subarray(offset + 8, offset + length)
    offset += length
    if (!isRtp) continue
    let header = 12
    if ((packet[0]! & 0x10) !== 0) header += 4 + 4 * packet.readUInt16BE(header + 2)
    if ((packet[0]! & 0x20) !== 0 || header >= packet.length) continue
    const timestamp = packet.readUInt32BE(4)
    first ??= timestamp
    samples.push(opusSample((timestamp - first) | 0, packet.subarray(header), samples.length === 0))
  }
  return samples
}

export function opusSample(pts: number, data: Uint8Array, isFirst = false): EncodedSample {
  const configuration = { kind: 'audio', codec: 'opus', codecString: 'opus', sampleRate: 48_000, channels: 1 } as const
  const sample = { type: 'sample', trackId: opus.id, data, pts, dts: pts, duration: 960, keyframe: true } as const
  return isFirst ? { ...sample, configuration } : sample
}

/** Moves a track in time, in its own ticks. */
export function shifted(samples: readonly EncodedSample[], ticks: number): EncodedSample[] {
  return samples.map((sample) => ({ ...sample, pts: sample.pts + ticks, dts: sample.dts + ticks }))
}

const TIMESCALES: Record<string, number> = { camera: 90_000, opus: 48_000, aac: 44_100 }

/** All tracks in decoding order, as an interleaver gives them. */
export function interleaved(...tracks: readonly (readonly EncodedSample[])[]): EncodedSample[] {
  return tracks.flat().sort((a, b) => a.dts / TIMESCALES[a.trackId]! - b.dts / TIMESCALES[b.trackId]!)
}

export interface ProbedPacket {
  readonly pts: number
  readonly dts: number
  readonly sizeBytes: number
  readonly keyframe: boolean
}

/** Packets of the n-th stream, in ticks of its timescale. */
export function probePackets(path: string, stream: number): ProbedPacket[] {
  const fields = ['-select_streams', String(stream), '-show_entries', 'packet=pts,dts,size,flags', '-of', 'json']
  const { packets } = JSON.parse(
    execFileSync('ffprobe', ['-v', 'error', ...fields, path], { maxBuffer: 1 << 28 }).toString(),
  )
  return packets.map((packet: { pts: number; dts: number; size: string; flags: string }) => ({
    pts: packet.pts,
    dts: packet.dts,
    sizeBytes: Number(packet.size),
    keyframe: packet.flags.includes('K'),
  }))
}

export function probe(path: string): { streams: Record<string, unknown>[]; format: Record<string, unknown> } {
  return JSON.parse(
    execFileSync('ffprobe', ['-v', 'error', '-show_streams', '-show_format', '-of', 'json', path]).toString(),
  )
}

/** What ffmpeg says while it decodes everything, and how many pictures came out. */
export function decode(path: string): { errors: string; frames: number } {
  const args = ['-v', 'error', '-i', path, '-map', '0', '-fps_mode', 'passthrough', '-f', 'framecrc', '-']
  const { stdout, stderr } = spawnSync('ffmpeg', args, { maxBuffer: 1 << 28 })
  const frames = stdout
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('0,')).length
  return { errors: stderr.toString().trim(), frames }
}

/** Types of the boxes at the top, in order. */
export function topBoxes(path: string): string[] {
  const bytes = readFileSync(path)
  const types: string[] = []
  for (let offset = 0; offset + 8 <= bytes.length; ) {
    types.push(bytes.toString('latin1', offset + 4, offset + 8))
    const size = bytes.readUInt32BE(offset)
    offset += size === 1 ? Number(bytes.readBigUInt64BE(offset + 8)) : size
  }
  return types
}

/** How many decoded pictures have which size, in order. */
export function frameSizes(path: string): { size: string; frames: number }[] {
  const fields = ['-select_streams', 'v', '-show_entries', 'frame=width,height', '-of', 'csv=p=0']
  const lines = execFileSync('ffprobe', ['-v', 'error', ...fields, path], { maxBuffer: 1 << 28 })
    .toString()
    .trim()
    .split('\n')
  const sizes: { size: string; frames: number }[] = []
  for (const line of lines.filter((text) => text !== '')) {
    const size = line.replace(',', 'x').replace(/,+$/, '')
    const last = sizes.at(-1)
    if (last?.size === size) last.frames++
    else sizes.push({ size, frames: 1 })
  }
  return sizes
}
