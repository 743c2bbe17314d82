import type { Mp4Options, Mp4Rule } from '../../src/index.js'
import { slice } from '../transport-stream/good-stream.js'
import { type BoxHook, miniFragmented, miniMp4, u8, u32 } from './mini-mp4.js'

/** One way to break a rule, and what else it cannot but break. */
export interface BrokenFile {
  readonly rule: Mp4Rule
  readonly name: string
  readonly make: () => Uint8Array
  readonly also?: readonly Mp4Rule[]
  readonly options?: Mp4Options
}

/** Changes the nth box of a type. */
function onBox(type: string, change: (body: Buffer) => Buffer | undefined, index = 0): { box: BoxHook } {
  return { box: (body, t, i) => (t === type && i === index ? change(body) : body) }
}

/** Puts bytes into the body of the nth box of a type. */
function patch(type: string, at: number, bytes: Buffer, index = 0): { box: BoxHook } {
  return onBox(
    type,
    (body) => Buffer.concat([body.subarray(0, at), bytes, body.subarray(at + bytes.byteLength)]),
    index,
  )
}

function onPicture(
  index: number,
  change: (nalUnits: Uint8Array[]) => Uint8Array[],
): {
  picture: (nalUnits: Uint8Array[], index: number) => Uint8Array[]
} {
  return { picture: (nalUnits, i) => (i === index ? change(nalUnits) : nalUnits) }
}

/** A slice of a picture that is no IDR picture, in the place of one. */
const AS_P = onPicture(0, () => [slice(9, 0, 0)])
const SEI = u8(6, 5, 1, 1, 0x80)

/** Each rule, broken on purpose. The rules of access units are broken one by one for transport streams. */
export const brokenFiles: readonly BrokenFile[] = [
  {
    rule: 'box-size',
    name: 'a box longer than its parent',
    make: () =>
      miniMp4({ file: ([a, m, d]) => [a, m, Buffer.concat([u32(0x7fffffff), (d as Buffer).subarray(4)])] as Buffer[] }),
    also: ['box-missing', 'sample-range'],
  },
  { rule: 'box-size', name: 'bytes after the last', make: () => miniMp4({ file: (boxes) => [...boxes, u8(0, 0, 0)] }) },
  {
    rule: 'box-size',
    name: 'a box that ends inside a field',
    make: () => miniMp4(onBox('mvhd', (body) => body.subarray(0, 10))),
  },
  { rule: 'box-missing', name: 'tkhd', make: () => miniMp4(onBox('tkhd', () => undefined)) },
  {
    rule: 'box-missing',
    name: 'avcC',
    make: () => miniMp4(onBox('avcC', () => undefined)),
    also: ['parameter-set-unknown'],
  },
  {
    rule: 'box-missing',
    name: 'mdat',
    also: ['sample-range'],
    make: () => miniMp4({ file: (boxes) => boxes.slice(0, 2) }),
  },
  { rule: 'box-missing', name: 'moov', make: () => miniMp4({ file: ([a, , d]) => [a, d] as Buffer[] }) },
  {
    rule: 'file-type',
    name: 'free comes first',
    make: () =>
      miniMp4({
        file: ([a, m, d]) =>
          [a, m, d].map((box, i) =>
            i === 0
              ? Buffer.concat([(a as Buffer).subarray(0, 4), Buffer.from('free'), (a as Buffer).subarray(8)])
              : (box as Buffer),
          ),
      }),
  },
  {
    rule: 'fast-start',
    name: 'moov last',
    make: () => miniMp4({ file: ([a, m, d]) => [a, d, m] as Buffer[] }),
    options: { samples: false },
    also: ['sample-range'],
  },
  {
    rule: 'track-header',
    name: 'the same id twice',
    also: ['composition-time', 'duration'],
    make: () => miniMp4(patch('tkhd', 12, u32(1), 1)),
    options: { samples: false },
  },
  { rule: 'track-header', name: 'next_track_ID', make: () => miniMp4(patch('mvhd', 96, u32(2))) },
  {
    rule: 'track-header',
    name: 'video with a sound handler',
    make: () => miniMp4(patch('hdlr', 8, Buffer.from('soun'))),
  },
  {
    rule: 'sample-table',
    name: 'stts counts one less',
    make: () => miniMp4(patch('stts', 8, u32(9))),
    also: ['duration'],
  },
  {
    rule: 'sample-table',
    name: 'ctts counts one less',
    make: () => miniMp4(onBox('ctts', (body) => Buffer.concat([u32(0, 9), body.subarray(8, -8)]))),
    also: [],
  },
  { rule: 'sample-table', name: 'stsc counts one more', make: () => miniMp4(patch('stsc', 12, u32(11))) },
  { rule: 'sample-table', name: 'stsc names a missing sample entry', make: () => miniMp4(patch('stsc', 16, u32(2))) },
  { rule: 'sample-table', name: 'stsz says more than it has', make: () => miniMp4(patch('stsz', 8, u32(11))) },
  { rule: 'sample-table', name: 'stss out of order', make: () => miniMp4(onBox('stss', () => u32(0, 2, 1, 1))) },
  { rule: 'sample-range', name: 'a chunk before mdat', make: () => miniMp4(patch('stco', 12, u32(8), 1)), also: [] },
  {
    rule: 'sample-range',
    name: 'two chunks in the same place',
    make: () => miniMp4(onBox('stco', (body) => Buffer.concat([body.subarray(0, 12), body.subarray(8, 12)]), 1)),
  },
  {
    rule: 'dts-order',
    name: 'a delta of 0',
    make: () => miniMp4(onBox('stts', () => u32(0, 3, 3, 3600, 1, 0, 6, 4200))),
    also: [],
  },
  {
    rule: 'composition-time',
    name: 'an edit that cuts the first picture off',
    make: () => miniMp4(patch('elst', 12, u32(3601))),
  },
  {
    rule: 'composition-time',
    name: 'an edit that cuts off 200 ms of sound',
    make: () => miniMp4(patch('elst', 12, u32(9600), 1)),
  },
  { rule: 'edit-list', name: 'half speed', make: () => miniMp4(patch('elst', 16, u32(0x8000))) },
  {
    rule: 'edit-list',
    name: 'behind the end',
    make: () => miniMp4(patch('elst', 12, u32(90_000), 1)),
    also: ['composition-time'],
  },
  { rule: 'edit-list', name: 'nothing but an empty edit', make: () => miniMp4(patch('elst', 12, u32(-1), 1)) },
  { rule: 'duration', name: 'mdhd', make: () => miniMp4(patch('mdhd', 16, u32(36_001))) },
  { rule: 'duration', name: 'tkhd', make: () => miniMp4(patch('tkhd', 20, u32(390))) },
  { rule: 'duration', name: 'mvhd', make: () => miniMp4(patch('mvhd', 16, u32(500))) },
  { rule: 'sync-sample', name: 'a P picture in stss', make: () => miniMp4(onBox('stss', () => u32(0, 2, 1, 4))) },
  { rule: 'sync-sample', name: 'no stss: all are', make: () => miniMp4(onBox('stss', () => undefined)) },
  {
    rule: 'sync-sample',
    name: 'an IDR picture that is not in stss',
    make: () => miniMp4(onBox('stss', () => u32(0, 0))),
  },
  { rule: 'sync-sample', name: 'the first is a P picture', make: () => miniMp4(AS_P) },
  {
    rule: 'avc-configuration',
    name: 'version 2',
    make: () => miniMp4(patch('avcC', 0, u8(2))),
    also: ['parameter-set-unknown'],
  },
  { rule: 'avc-configuration', name: 'another profile', make: () => miniMp4(patch('avcC', 1, u8(66))) },
  { rule: 'avc-configuration', name: 'reserved bits', make: () => miniMp4(patch('avcC', 4, u8(0x03))) },
  {
    rule: 'avc-configuration',
    name: 'another size than the SPS',
    make: () =>
      miniMp4({
        box: (body, type) => {
          if (type === 'avc1') body.writeUInt16BE(192, 26)
          return body
        },
      }),
  },
  {
    rule: 'sample-nal-units',
    name: 'a length that is one too many',
    make: () =>
      miniMp4({
        box: (body, type) => {
          if (type === 'mdat') body.writeUInt32BE(body.readUInt32BE(0) + 1, 0)
          return body
        },
      }),
  },
  {
    rule: 'nal-order',
    name: 'an SEI after a slice',
    make: () => miniMp4(onPicture(3, (nalUnits) => [...nalUnits, SEI])),
  },
  {
    rule: 'aac-configuration',
    name: '44100 Hz',
    make: () =>
      miniMp4({
        box: (body, type) => {
          if (type === 'mp4a') body.writeUInt32BE(44_100 * 65_536, 24)
          return body
        },
      }),
  },
  { rule: 'aac-configuration', name: 'no descriptor', make: () => miniMp4(patch('esds', 4, u8(0x10))) },
  { rule: 'aac-configuration', name: 'not MPEG-4 audio', make: () => miniMp4(patch('esds', 11, u8(0x6b))) },
  { rule: 'opus-configuration', name: 'version 1', make: () => miniMp4({ audio: 'opus', ...patch('dOps', 0, u8(1)) }) },
  {
    rule: 'opus-configuration',
    name: 'two channels in an entry of one',
    make: () => miniMp4({ audio: 'opus', ...patch('dOps', 1, u8(2)) }),
  },
  {
    rule: 'opus-configuration',
    name: 'a timescale of 44100',
    make: () => miniMp4({ audio: 'opus', ...patch('mdhd', 12, u32(44_100), 1) }),
    options: {},
  },
  {
    rule: 'sample-entry',
    name: 'HEVC',
    make: () =>
      miniMp4({
        file: (boxes) =>
          boxes.map((box) => {
            const at = box.indexOf('avc1', 100)
            if (at > 0) box.write('hvc1', at)
            return box
          }),
      }),
  },
  {
    rule: 'audio-timing',
    name: 'frames of half their length',
    make: () => miniMp4({ box: (body, type, i) => (type === 'stts' && i === 1 ? u32(0, 1, 20, 512) : body) }),
    also: ['duration'],
  },
  { rule: 'fragment-sequence', name: 'twice the same', make: () => miniFragmented(patch('mfhd', 4, u32(1), 1)) },
  {
    rule: 'fragment-header',
    name: 'no tfdt',
    make: () => miniFragmented(onBox('tfdt', () => undefined, 2)),
    also: ['sample-range', 'sample-nal-units'],
  },
  { rule: 'fragment-header', name: 'an unknown track', make: () => miniFragmented(patch('tfhd', 4, u32(7), 3)) },
  { rule: 'fragment-header', name: 'no trex', make: () => miniFragmented(onBox('trex', () => undefined)) },
  { rule: 'fragment-time', name: 'a gap', make: () => miniFragmented(patch('tfdt', 4, u32(18_001), 2)) },
  {
    rule: 'fragment-time',
    name: 'an overlap, gaps allowed',
    make: () => miniFragmented(patch('tfdt', 4, u32(17_999), 2)),
    options: { allowFragmentGaps: true },
  },
  {
    rule: 'sync-sample',
    name: 'a fragment that calls a P picture sync',
    make: () => miniFragmented(patch('trun', 12, u32(0), 2)),
  },
]
