import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { H265NalUnitType, h265Configuration, h265NalUnitTypeOf, isH265Irap, splitAnnexB } from '@rushes/bitstream'
import type { AudioTrack, EncodedSample, VideoCodec, VideoTrack } from '@rushes/media'
import { BufferSource, EncodedPacketSink, Input, MATROSKA } from 'mediabunny'
import { temporaryFolder } from './media.js'

/** Real media of the codecs beside H264, made by ffmpeg and taken apart again by mediabunny. */

export const voice: AudioTrack = { id: 'voice', kind: 'audio', codec: 'opus', clockRate: 48_000 }

export function videoTrack(codec: VideoCodec, timescale?: number): VideoTrack {
  return { id: 'camera', kind: 'video', codec, clockRate: 90_000, ...(timescale === undefined ? {} : { timescale }) }
}

export interface PictureOptions {
  readonly size?: string
  readonly frames?: number
  readonly gop?: number
  /** Of the first picture. */
  readonly fromSeconds?: number
}

const ENCODERS = {
  vp8: ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-auto-alt-ref', '0'],
  vp9: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-auto-alt-ref', '0', '-lag-in-frames', '0'],
  av1: ['-c:v', 'libaom-av1', '-usage', 'realtime', '-cpu-used', '8', '-lag-in-frames', '0'],
} as const

const FPS = 30

/** Pictures at 30 a second in 90 kHz. */
export async function webPictures(
  codec: keyof typeof ENCODERS,
  options: PictureOptions = {},
): Promise<EncodedSample[]> {
  const { size = '320x180', frames = 90, gop = 30, fromSeconds = 0 } = options
  const source = `testsrc2=size=${size}:rate=${FPS}`
  const input = ['-v', 'error', '-f', 'lavfi', '-i', source, '-frames:v', String(frames), '-pix_fmt', 'yuv420p']
  const output = [...ENCODERS[codec], '-b:v', '400k', '-g', String(gop), '-threads', '1']
  // A file, since the AV1 headers are written over at the end.
  const folder = temporaryFolder()
  const path = join(folder.path, 'pictures.mkv')
  execFileSync('ffmpeg', [...input, ...output, path])
  const file = readFileSync(path)
  folder.remove()
  const reader = new Input({ formats: [MATROSKA], source: new BufferSource(file) })
  const track = (await reader.getPrimaryVideoTrack())!
  const { codec: codecString } = (await track.getDecoderConfig())!
  const [width, height] = size.split('x').map(Number) as [number, number]
  const samples: EncodedSample[] = []
  for await (const packet of new EncodedPacketSink(track).packets()) {
    const ticks = (fromSeconds * FPS + samples.length) * (90_000 / FPS)
    const units = codec === 'av1' ? obus(packet.data) : [packet.data]
    const sequenceHeader = codec === 'av1' ? units.find((unit) => obuType(unit) === SEQUENCE_HEADER) : undefined
    samples.push({
      type: 'sample',
      trackId: 'camera',
      data: units,
      pts: ticks,
      dts: ticks,
      keyframe: packet.type === 'key',
      ...(samples.length > 0
        ? {}
        : {
            configuration: {
              kind: 'video',
              codec,
              codecString,
              width,
              height,
              rotation: 0,
              reorderDepth: 0,
              ...(sequenceHeader === undefined ? {} : { sequenceHeader }),
            },
          }),
    })
  }
  reader.dispose()
  if (samples.length !== frames) throw new Error(`${samples.length} pictures instead of ${frames}`)
  return samples
}

const SEQUENCE_HEADER = 1
const TEMPORAL_DELIMITER = 2

function obuType(obu: Uint8Array): number {
  return (obu[0]! >> 3) & 15
}

/** The OBUs of a temporal unit, each with its size field, without the temporal delimiter. */
function obus(bytes: Uint8Array): Uint8Array[] {
  const units: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    let next = at + ((bytes[at]! & 4) === 0 ? 1 : 2)
    let size = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[next++]!
      size += (byte & 127) << shift
      if (byte < 128) break
    }
    const unit = bytes.subarray(at, next + size)
    if (obuType(unit) !== TEMPORAL_DELIMITER) units.push(unit)
    at = next + size
  }
  return units
}

/** x265 pictures at 30 a second in 90 kHz, with B-frames on demand. */
export function hevcPictures(options: PictureOptions & { readonly bFrames?: number } = {}): EncodedSample[] {
  const { size = '320x180', frames = 60, gop = 30, bFrames = 0 } = options
  const source = `testsrc2=size=${size}:rate=${FPS}`
  const input = ['-v', 'error', '-f', 'lavfi', '-i', source, '-frames:v', String(frames), '-pix_fmt', 'yuv420p']
  const params = `log-level=none:aud=1:repeat-headers=1:bframes=${bFrames}:b-adapt=0:keyint=${gop}:min-keyint=${gop}:scenecut=0:no-open-gop=1:pools=1`
  const encode = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', params, '-enc_time_base', '1/90000']
  const run = (format: string): Buffer =>
    execFileSync('ffmpeg', [...input, ...encode, '-f', format, '-'], { maxBuffer: 1 << 28 })
  const times = run('framecrc')
    .toString()
    .split('\n')
    .filter((line) => /^\d/.test(line))
    .map((line) => line.split(',').map(Number))
  const units: Uint8Array[][] = []
  for (const nalUnit of splitAnnexB(run('hevc'))) {
    if (h265NalUnitTypeOf(nalUnit) === H265NalUnitType.accessUnitDelimiter) units.push([])
    else units.at(-1)!.push(nalUnit)
  }
  if (units.length !== times.length) throw new Error(`${units.length} pictures and ${times.length} times`)
  return units.map((nalUnits, index) => {
    const of = (type: number): Uint8Array[] => nalUnits.filter((nalUnit) => h265NalUnitTypeOf(nalUnit) === type)
    const [, dts, pts] = times[index]!
    return {
      type: 'sample',
      trackId: 'camera',
      data: nalUnits,
      pts: pts!,
      dts: dts!,
      keyframe: nalUnits.some((nalUnit) => isH265Irap(h265NalUnitTypeOf(nalUnit))),
      ...(index > 0
        ? {}
        : {
            configuration: h265Configuration(of(H265NalUnitType.vps), of(H265NalUnitType.sps), of(H265NalUnitType.pps)),
          }),
    }
  })
}

/** A tone in Opus, 20 ms a packet. */
export async function tone(seconds: number, fromSeconds = 0): Promise<EncodedSample[]> {
  const source = `sine=frequency=440:sample_rate=48000:duration=${seconds}`
  const encode = ['-c:a', 'libopus', '-b:a', '32k', '-f', 'matroska', '-']
  const file = execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', source, ...encode])
  const reader = new Input({ formats: [MATROSKA], source: new BufferSource(file) })
  const track = (await reader.getPrimaryAudioTrack())!
  const samples: EncodedSample[] = []
  for await (const packet of new EncodedPacketSink(track).packets()) {
    const ticks = fromSeconds * 48_000 + samples.length * 960
    samples.push({
      type: 'sample',
      trackId: voice.id,
      data: packet.data,
      pts: ticks,
      dts: ticks,
      duration: 960,
      keyframe: true,
      ...(samples.length > 0
        ? {}
        : { configuration: { kind: 'audio', codec: 'opus', codecString: 'opus', sampleRate: 48_000, channels: 1 } }),
    })
  }
  reader.dispose()
  return samples
}

/** Tracks in decoding order; video is in 90 kHz, sound in 48 kHz. */
export function merged(...tracks: readonly (readonly EncodedSample[])[]): EncodedSample[] {
  const seconds = ({ trackId, dts }: EncodedSample): number => dts / (trackId === 'voice' ? 48_000 : 90_000)
  return tracks.flat().sort((a, b) => seconds(a) - seconds(b))
}
