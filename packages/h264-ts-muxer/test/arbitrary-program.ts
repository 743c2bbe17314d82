import { addEmulationPrevention } from '@rushes/bitstream'
import type { EncodedSample, Track } from '@rushes/media'
import fc from 'fast-check'
import { aacConfiguration } from './aac-configuration.js'

/** Tracks and their samples in order of DTS, as an interleaver would give them. */
export interface Program {
  readonly tracks: readonly Track[]
  readonly samples: readonly EncodedSample[]
}

/** 1280x720, High, pic_order_cnt_type 0, frame_num of 4 bits, pic_order_cnt_lsb of 6, two frames of reordering (x264). */
const SPS: Uint8Array = Buffer.from('6764001facd9405005bb011000000300100000030' + '3c0f1831960', 'hex')
const PPS: Uint8Array = Buffer.from('68ebecb22c', 'hex')
const SEI: Uint8Array = Buffer.of(6, 5, 1, 0x42, 0x80)
const DELIMITER: Uint8Array = Buffer.of(9, 0xf0)

/** What the tests leave aside when they compare, as the muxer puts it in. */
export const parameterSets: { readonly sps: Uint8Array; readonly pps: Uint8Array } = { sps: SPS, pps: PPS }

interface Picture {
  readonly bytes: number
  readonly gapMs: number
  readonly hasDelimiter: boolean
  readonly hasSei: boolean
  readonly hasSets: boolean
  readonly slices: number
  readonly isKey: boolean
  readonly cuts: number
}

const picture: fc.Arbitrary<Picture> = fc.record({
  // Tiny, around one and two packets, ordinary, and now and then one that no PES_packet_length can tell.
  bytes: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 400 }) },
    { weight: 3, arbitrary: fc.integer({ min: 400, max: 3000 }) },
    { weight: 1, arbitrary: fc.constantFrom(65_500, 65_536, 70_000, 200_000) },
  ),
  gapMs: fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 1, max: 90 }) },
    { weight: 1, arbitrary: fc.integer({ min: 100, max: 3000 }) },
  ),
  hasDelimiter: fc.boolean(),
  hasSei: fc.boolean(),
  hasSets: fc.boolean(),
  slices: fc.integer({ min: 1, max: 3 }),
  isKey: fc.nat(5).map((value) => value === 0),
  cuts: fc.nat(5),
})

const videoTrack = fc.record({
  timescale: fc.constantFrom(90_000, 1000, 1_000_000, 30_000),
  startMs: fc.nat(300),
  reorders: fc.boolean(),
  pictures: fc.array(picture, { minLength: 1, maxLength: 8 }),
})
const audioTrack = fc.record({
  timescale: fc.constantFrom(48_000, 44_100, 16_000),
  channels: fc.constantFrom(1, 2),
  startMs: fc.nat(300),
  frames: fc.array(
    fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 400 }) }, { weight: 1, arbitrary: fc.constant(8184) }),
    { minLength: 1, maxLength: 20 },
  ),
})

/** Up to three cameras and two sound tracks, starting anywhere, also right before the wrap of the 33-bit clock. */
export const arbitraryProgram: fc.Arbitrary<Program> = fc
  .record({
    // 26.5 h, where a PTS of offset 10 s wraps, give and take.
    baseMs: fc.constantFrom(0, -9_000, 95_433_000, 95_433_717 - 1_000, 190_877_000),
    video: fc.array(videoTrack, { maxLength: 3 }),
    audio: fc.array(audioTrack, { maxLength: 2 }),
  })
  .filter(({ video, audio }) => video.length + audio.length > 0)
  .map(({ baseMs, video, audio }) => {
    const tracks: Track[] = []
    const timed: { sample: EncodedSample; seconds: number }[] = []
    const add = (track: Track, samples: readonly EncodedSample[]): void => {
      tracks.push(track)
      for (const sample of samples) timed.push({ sample, seconds: sample.dts / track.timescale! })
    }
    for (const [i, { timescale, startMs, reorders, pictures }] of video.entries()) {
      const track: Track = { id: `v${i}`, kind: 'video', codec: 'h264', clockRate: 90_000, timescale }
      add(track, videoSamples(track.id, timescale, baseMs + startMs, reorders, pictures))
    }
    for (const [i, { timescale, channels, startMs, frames }] of audio.entries()) {
      const track: Track = { id: `a${i}`, kind: 'audio', codec: 'aac', clockRate: timescale, timescale }
      const start = Math.round(((baseMs + startMs) * timescale) / 1000)
      add(
        track,
        frames.map((bytes, frame): EncodedSample => {
          const time = start + frame * 1024
          const configuration = frame === 0 ? { configuration: aacConfiguration(timescale, channels) } : {}
          return {
            type: 'sample',
            trackId: track.id,
            data: filled(bytes, frame),
            pts: time,
            dts: time,
            keyframe: true,
            ...configuration,
          }
        }),
      )
    }
    return { tracks, samples: timed.sort((a, b) => a.seconds - b.seconds).map(({ sample }) => sample) }
  })

/** With reordering, three pictures at a time are sent as 3, 1, 2; DTS are then one picture behind. */
function videoSamples(
  trackId: string,
  timescale: number,
  startMs: number,
  reorders: boolean,
  pictures: readonly Picture[],
): EncodedSample[] {
  const times: number[] = []
  let ms = startMs
  for (const { gapMs } of pictures) {
    times.push(Math.round((ms * timescale) / 1000))
    ms += gapMs
  }
  const before = Math.round(((startMs - 20) * timescale) / 1000)
  return pictures.map((shape, i) => {
    const group = i === 0 ? 0 : Math.floor((i - 1) / 3) * 3 + 1
    const isWhole = group + 2 < pictures.length
    const shown = reorders && i > 0 && isWhole ? group + [2, 0, 1][i - group]! : i
    const isKey = i === 0 || (shape.isKey && !reorders)
    const dts = reorders ? (times[i - 1] ?? before) : times[i]!
    const nalUnits = accessUnit(shape, isKey, i, shown)
    return {
      type: 'sample',
      trackId,
      data: nalUnits,
      ...(shape.cuts > 0 ? { pieces: nalUnits.map((nalUnit) => cut(nalUnit, shape.cuts)) } : {}),
      pts: times[shown]!,
      dts,
      keyframe: isKey,
      ...(i === 0
        ? {
            configuration: {
              kind: 'video',
              codec: 'h264',
              codecString: 'avc1.64001f',
              width: 1280,
              height: 720,
              rotation: 0,
              reorderDepth: 2,
              parameterSets: { sps: [SPS], pps: [PPS] },
            } as const,
          }
        : {}),
    }
  })
}

function accessUnit(shape: Picture, isKey: boolean, index: number, shown: number): Uint8Array[] {
  const nalUnits: Uint8Array[] = []
  if (shape.hasDelimiter) nalUnits.push(DELIMITER)
  if (isKey && shape.hasSets) nalUnits.push(SPS, PPS)
  if (shape.hasSei) nalUnits.push(SEI)
  for (let slice = 0; slice < shape.slices; slice++) {
    nalUnits.push(sliceNalUnit(isKey, slice, index, shown, Math.ceil(shape.bytes / shape.slices)))
  }
  return nalUnits
}

/** A slice whose header is right, as far as anyone reads it, and whose data are not. */
function sliceNalUnit(isKey: boolean, slice: number, index: number, shown: number, bytes: number): Uint8Array {
  const header = [
    ue(slice * 80), // first_mb_in_slice
    ue(isKey ? 7 : 5), // slice_type: all I, P
    ue(0), // pic_parameter_set_id
    (index % 16).toString(2).padStart(4, '0'), // frame_num
    isKey ? ue(index % 2) : '', // idr_pic_id
    ((shown * 2) % 64).toString(2).padStart(6, '0'), // pic_order_cnt_lsb
    '1',
  ].join('')
  const head = header.match(/.{1,8}/g)!.map((byte) => Number.parseInt(byte.padEnd(8, '1'), 2))
  const body = addEmulationPrevention(Buffer.concat([Buffer.from(head), filled(bytes, index + slice), Buffer.of(0x80)]))
  return Buffer.concat([Buffer.of(isKey ? 0x65 : 0x61), body])
}

function ue(value: number): string {
  const bits = (value + 1).toString(2)
  return '0'.repeat(bits.length - 1) + bits
}

/** Bytes with zeros and start codes among them. */
function filled(bytes: number, seed: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  for (let i = 0; i < bytes; i++) buffer[i] = (i * 7 + seed) % 11 < 4 ? (i + seed) % 3 : i * 31 + seed
  return buffer
}

function cut(nalUnit: Uint8Array, cuts: number): Uint8Array[] {
  const size = Math.ceil(nalUnit.byteLength / (cuts + 1))
  const pieces: Uint8Array[] = []
  for (let at = 0; at < nalUnit.byteLength; at += size) pieces.push(nalUnit.subarray(at, at + size))
  return pieces
}
