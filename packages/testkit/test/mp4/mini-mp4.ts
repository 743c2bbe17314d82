import { writePps, writeSps } from '../../src/arbitraries/h264-parameters.js'
import { parameters, slice } from '../transport-stream/good-stream.js'

/** Changes the body of every box of a type; `index` counts them in file order. `undefined`: the box is left out. */
export type BoxHook = (body: Buffer, type: string, index: number) => Buffer | undefined

export interface MiniMp4Options {
  readonly box?: BoxHook
  /** NAL units of a picture. */
  readonly picture?: (nalUnits: Uint8Array[], index: number) => Uint8Array[]
  readonly audio?: 'aac' | 'opus'
  /** The whole file, at last. */
  readonly file?: (boxes: Buffer[]) => Buffer[]
}

const PICTURES = 10
const FRAMES = 20
const SPS = writeSps(parameters)
const PPS = writePps(parameters)

export function u8(...values: number[]): Buffer {
  return Buffer.from(values)
}

function u16(...values: number[]): Buffer {
  return Buffer.concat(values.map((value) => u8((value >> 8) & 255, value & 255)))
}

export function u32(...values: number[]): Buffer {
  return Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(value >>> 0)
      return bytes
    }),
  )
}

class Writer {
  readonly #hook: BoxHook | undefined
  readonly #counts = new Map<string, number>()

  constructor(hook: BoxHook | undefined) {
    this.#hook = hook
  }

  box(type: string, ...parts: Buffer[]): Buffer {
    const index = this.#counts.get(type) ?? 0
    this.#counts.set(type, index + 1)
    const whole = Buffer.concat(parts)
    const body = this.#hook === undefined ? whole : this.#hook(whole, type, index)
    if (body === undefined) return Buffer.alloc(0)
    return Buffer.concat([u32(body.byteLength + 8), Buffer.from(type, 'latin1'), body])
  }
}

/** 25 pictures a second with B pictures, one chunk of video, then one of audio. */
function media(options: MiniMp4Options): { pictures: Buffer[]; frames: Buffer[] } {
  const pictures = Array.from({ length: PICTURES }, (_, index) => {
    const nalUnits = [slice(index), slice(index, 100)]
    const changed = options.picture?.(nalUnits, index) ?? nalUnits
    return Buffer.concat(changed.flatMap((nalUnit) => [u32(nalUnit.byteLength), Buffer.from(nalUnit)]))
  })
  // 0x68: CELT, 20 ms, in Opus; AAC can be anything.
  const frames = Array.from({ length: FRAMES }, () => Buffer.alloc(50, 0x21).fill(0x98, 0, 1))
  return { pictures, frames }
}

/** Presentation less decoding time of each picture, in ticks of 90 kHz. */
const OFFSETS = [1, 2, 0, 2, 0, 2, 0, 2, 0, 1].map((frames) => frames * 3600)

function trak(w: Writer, options: MiniMp4Options, kind: 'video' | 'audio', stbl: Buffer[], edit: number): Buffer {
  const isVideo = kind === 'video'
  const frame = options.audio === 'opus' ? 960 : 1024
  const [timescale, duration] = isVideo ? [90_000, PICTURES * 3600] : [48_000, FRAMES * frame]
  const movieDuration = Math.round((duration * 1000) / timescale)
  const fragmented = stbl.length === 1
  const shown = fragmented ? 0 : movieDuration
  return w.box(
    'trak',
    w.box('tkhd', u32(7, 0, 0, isVideo ? 1 : 2, 0, shown, 0, 0, 0, 0), Buffer.alloc(36), u32(320 << 16, 180 << 16)),
    w.box('edts', w.box('elst', u32(0, 1, shown, edit, 0x10000))),
    w.box(
      'mdia',
      w.box('mdhd', u32(0, 0, 0, timescale, fragmented ? 0 : duration, 0x55c40000)),
      w.box('hdlr', u32(0, 0), Buffer.from(isVideo ? 'vide' : 'soun'), u32(0, 0, 0), u8(0)),
      w.box('minf', w.box('stbl', ...stbl)),
    ),
  )
}

function stsd(w: Writer, kind: 'video' | 'audio', codec: 'aac' | 'opus'): Buffer {
  if (kind === 'video') {
    const avcC = w.box(
      'avcC',
      u8(1, ...SPS.subarray(1, 4), 0xff, 0xe1),
      u16(SPS.byteLength),
      Buffer.from(SPS),
      u8(1),
      u16(PPS.byteLength),
      Buffer.from(PPS),
    )
    const entry = w.box('avc1', Buffer.alloc(6), u16(1), Buffer.alloc(16), u16(320, 180), Buffer.alloc(50), avcC)
    return w.box('stsd', u32(0, 1), entry)
  }
  const asc = descriptor(5, u8(0x11, 0x88))
  const decoder = descriptor(4, u8(0x40, 0x15), Buffer.alloc(11), asc)
  const configuration =
    codec === 'opus'
      ? w.box('dOps', u8(0, 1), u16(0), u32(48_000), u16(0), u8(0))
      : w.box('esds', u32(0), descriptor(3, u16(2), u8(0), decoder, descriptor(6, u8(2))))
  const entry = [Buffer.alloc(6), u16(1), Buffer.alloc(8), u16(1, 16, 0, 0), u32(48_000 * 65_536), configuration]
  return w.box('stsd', u32(0, 1), w.box(codec === 'opus' ? 'Opus' : 'mp4a', ...entry))
}

function descriptor(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([u8(tag, body.byteLength), body])
}

/** A good file, or one that a hook breaks. */
export function miniMp4(options: MiniMp4Options = {}): Buffer {
  const { pictures, frames } = media(options)
  const codec = options.audio ?? 'aac'
  const bytesOf = (list: Buffer[]): number => list.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const build = (dataOffset: number): Buffer[] => {
    const w = new Writer(options.box)
    const ftyp = w.box('ftyp', Buffer.from('isom'), u32(0x200), Buffer.from('isomavc1'))
    const video = [
      stsd(w, 'video', codec),
      w.box('stts', u32(0, 1, PICTURES, 3600)),
      w.box('ctts', u32(0, PICTURES), ...OFFSETS.map((offset) => u32(1, offset))),
      w.box('stss', u32(0, 1, 1)),
      w.box('stsc', u32(0, 1, 1, PICTURES, 1)),
      w.box('stsz', u32(0, 0, PICTURES), ...pictures.map(({ byteLength }) => u32(byteLength))),
      w.box('stco', u32(0, 1, dataOffset)),
    ]
    const videoTrak = trak(w, options, 'video', video, 3600)
    const audio = [
      stsd(w, 'audio', codec),
      w.box('stts', u32(0, 1, FRAMES, codec === 'opus' ? 960 : 1024)),
      w.box('stsc', u32(0, 1, 1, FRAMES / 2, 1)),
      w.box('stsz', u32(0, 50, FRAMES)),
      w.box('stco', u32(0, 2, dataOffset + bytesOf(pictures), dataOffset + bytesOf(pictures) + (FRAMES / 2) * 50)),
    ]
    const audioTrak = trak(w, options, 'audio', audio, 0)
    const longest = Math.max(400, Math.round((FRAMES * (codec === 'opus' ? 960 : 1024) * 1000) / 48_000))
    const moov = w.box('moov', mvhd(w, longest), videoTrak, audioTrak)
    return [ftyp, moov, w.box('mdat', ...pictures, ...frames)]
  }
  const first = build(0)
  const boxes = build((first[0] as Buffer).byteLength + (first[1] as Buffer).byteLength + 8)
  return Buffer.concat(options.file?.(boxes) ?? boxes)
}

function mvhd(w: Writer, duration: number): Buffer {
  return w.box('mvhd', u32(0, 0, 0, 1000, duration, 0x10000, 0x01000000), Buffer.alloc(68), u32(3))
}

/** The same in two fragments of five pictures each. */
export function miniFragmented(options: MiniMp4Options = {}): Buffer {
  const { pictures, frames } = media(options)
  const w = new Writer(options.box)
  const ftyp = w.box('ftyp', Buffer.from('iso5'), u32(0x200), Buffer.from('iso5'))
  const trex = [1, 2].map((id) => w.box('trex', u32(0, id, 1, id === 1 ? 3600 : 1024, 0, id === 1 ? 0x10000 : 0)))
  const traks = [
    trak(w, options, 'video', [emptyTables(w, 'video')], 3600),
    trak(w, options, 'audio', [emptyTables(w, 'audio')], 0),
  ]
  const moov = w.box('moov', mvhd(w, 0), ...traks, w.box('mvex', ...trex))
  const boxes = [ftyp, moov]
  for (const part of [0, 1]) {
    const v = pictures.slice(part * 5, part * 5 + 5)
    const a = frames.slice(part * 10, part * 10 + 10)
    const build = (dataOffset: number, writer: Writer): Buffer => {
      const sizes = v.map(({ byteLength }, i) => u32(byteLength, OFFSETS[part * 5 + i] as number))
      const videoBytes = v.reduce((sum, { byteLength }) => sum + byteLength, 0)
      const first = part === 0 ? 0 : 0x10000
      return writer.box(
        'moof',
        writer.box('mfhd', u32(0, part + 1)),
        writer.box(
          'traf',
          writer.box('tfhd', u32(0x20000, 1)),
          writer.box('tfdt', u32(0, part * 5 * 3600)),
          writer.box('trun', u32(0xa05, 5, dataOffset, first), ...sizes),
        ),
        writer.box(
          'traf',
          writer.box('tfhd', u32(0x20010, 2, 50)),
          writer.box('tfdt', u32(0, part * 10 * 1024)),
          writer.box('trun', u32(0x1, 10, dataOffset + videoBytes)),
        ),
      )
    }
    const size = build(0, new Writer(undefined)).byteLength
    boxes.push(build(size + 8, w), w.box('mdat', ...v, ...a))
  }
  return Buffer.concat(options.file?.(boxes) ?? boxes)
}

function emptyTables(w: Writer, kind: 'video' | 'audio'): Buffer {
  return Buffer.concat([
    stsd(w, kind, 'aac'),
    w.box('stts', u32(0, 0)),
    w.box('stsc', u32(0, 0)),
    w.box('stsz', u32(0, 0, 0)),
    w.box('stco', u32(0, 0)),
  ])
}
