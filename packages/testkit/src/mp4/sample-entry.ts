import { type LoadedBox, readBoxes, viewOf } from './boxes.js'
import type { Mp4Rule } from './rules.js'

/** What a sample entry says that samples are held against. */
export interface SampleEntry {
  /** Four characters, e.g. `avc1`. */
  readonly format: string
  readonly codec: 'h264' | 'aac' | 'opus' | 'other'
  readonly width?: number
  readonly height?: number
  readonly channels?: number
  readonly sampleRate?: number
  readonly avc?: AvcConfiguration
}

/** avcC (ISO/IEC 14496-15, AVCDecoderConfigurationRecord). */
export interface AvcConfiguration {
  readonly lengthSize: number
  readonly sps: readonly Uint8Array[]
  readonly pps: readonly Uint8Array[]
}

type EntryReport = (rule: Mp4Rule, message: string) => void

/** The sample entries of an stsd box. */
export function readSampleEntry(stsd: LoadedBox, report: EntryReport): SampleEntry[] {
  const count = viewOf(stsd.body).getUint32(4)
  const entries = readBoxes(stsd.body.subarray(8), stsd.offset + stsd.headerBytes + 8, report)
  if (entries.length !== count) report('sample-table', `stsd says ${count} entries and has ${entries.length}`)
  return entries.map((entry) => readEntry(entry, report))
}

function readEntry(box: LoadedBox, report: EntryReport): SampleEntry {
  const format = box.type
  if (format === 'avc1' || format === 'avc3') {
    const { body } = box
    const width = viewOf(body).getUint16(24)
    const height = viewOf(body).getUint16(26)
    const avcC = readBoxes(body.subarray(78), box.offset + box.headerBytes + 78, report).find(
      (child) => child.type === 'avcC',
    )
    if (avcC === undefined) report('box-missing', `${format} has no avcC`)
    const avc = avcC && readAvcConfiguration(avcC.body, report)
    return { format, codec: 'h264', width, height, ...(avc && { avc }) }
  }
  if (format !== 'mp4a' && format !== 'Opus') {
    report('sample-entry', `${JSON.stringify(format)} is not looked into`)
    return { format, codec: 'other' }
  }
  const view = viewOf(box.body)
  const channels = view.getUint16(16)
  const sampleRate = view.getUint32(24) / 65_536
  // QuickTime's version 1 has 16 more bytes.
  const start = view.getUint16(8) === 1 ? 44 : 28
  const children = readBoxes(box.body.subarray(start), box.offset + box.headerBytes + start, report)
  const configuration = children.find(({ type }) => type === (format === 'Opus' ? 'dOps' : 'esds'))
  if (configuration === undefined) report('box-missing', `${format} has no ${format === 'Opus' ? 'dOps' : 'esds'}`)
  else if (format === 'Opus') checkOpusConfiguration(configuration.body, channels, report)
  else {
    const codedRate = checkAacConfiguration(configuration.body, channels, sampleRate, report)
    return { format, codec: 'aac', channels, sampleRate: codedRate ?? sampleRate }
  }
  return { format, codec: format === 'Opus' ? 'opus' : 'aac', channels, sampleRate }
}

function readAvcConfiguration(body: Uint8Array, report: EntryReport): AvcConfiguration | undefined {
  const bad = (message: string): undefined => void report('avc-configuration', message)
  if (body.byteLength < 7) return bad(`avcC has ${body.byteLength} bytes`)
  if (body[0] !== 1) return bad(`configurationVersion is ${body[0]}`)
  if ((body[4] as number) >> 2 !== 63) bad('the reserved bits before lengthSizeMinusOne are not 1')
  if ((body[5] as number) >> 5 !== 7) bad('the reserved bits before numOfSequenceParameterSets are not 1')
  const lengthSize = ((body[4] as number) & 3) + 1
  if (lengthSize === 3) bad('lengthSizeMinusOne is 2')
  let at = 5
  const take = (count: number): Uint8Array[] => {
    const sets: Uint8Array[] = []
    for (let i = 0; i < count; i++) {
      const bytes = ((body[at] as number) << 8) | (body[at + 1] ?? 0)
      sets.push(body.subarray(at + 2, at + 2 + bytes))
      at += 2 + bytes
    }
    return sets
  }
  const sps = take((body[at++] as number) & 31)
  const pps = take(body[at++] ?? 0)
  if (at > body.byteLength) return bad('the parameter sets run past avcC')
  if (sps.length === 0 || pps.length === 0) bad(`avcC has ${sps.length} SPS and ${pps.length} PPS`)
  for (const set of sps) {
    if (((set[0] ?? 0) & 31) !== 7) bad(`an SPS has NAL unit type ${(set[0] ?? 0) & 31}`)
    for (const [index, name] of ['profile', 'compatibility', 'level'].entries()) {
      if (set[1 + index] !== body[1 + index]) bad(`${name} of the SPS is ${set[1 + index]}, of avcC ${body[1 + index]}`)
    }
  }
  for (const set of pps) if (((set[0] ?? 0) & 31) !== 8) bad(`a PPS has NAL unit type ${(set[0] ?? 0) & 31}`)
  return { lengthSize, sps, pps }
}

const AAC_RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350]

/** Hz. esds: ES_Descriptor > DecoderConfigDescriptor > DecoderSpecificInfo (ISO/IEC 14496-1 §7.2.6). */
function checkAacConfiguration(
  body: Uint8Array,
  channels: number,
  sampleRate: number,
  report: EntryReport,
): number | undefined {
  const bad = (message: string): undefined => void report('aac-configuration', message)
  const es = readDescriptor(body, 4, 3)
  if (es === undefined) return bad('esds has no ES descriptor')
  const flags = es[2] ?? 0
  const start =
    3 + ((flags & 0x80) !== 0 ? 2 : 0) + ((flags & 0x40) !== 0 ? 1 + (es[3] ?? 0) : 0) + ((flags & 0x20) !== 0 ? 2 : 0)
  const decoder = readDescriptor(es, start, 4)
  if (decoder === undefined) return bad('the ES descriptor has no decoder configuration')
  if (decoder[0] !== 0x40) bad(`objectTypeIndication is 0x${(decoder[0] ?? 0).toString(16)}, not 0x40`)
  if ((decoder[1] ?? 0) >> 2 !== 5) bad(`streamType is ${(decoder[1] ?? 0) >> 2}, not 5`)
  const specific = readDescriptor(decoder, 13, 5)
  if (specific === undefined || specific.byteLength < 2) return bad('there is no AudioSpecificConfig')
  const [a, b] = [specific[0] as number, specific[1] as number]
  if (a >> 3 !== 2) bad(`audio object type ${a >> 3}, not 2 (AAC-LC)`)
  const rate = AAC_RATES[((a & 7) << 1) | (b >> 7)]
  if (rate !== sampleRate) bad(`the AudioSpecificConfig says ${rate} Hz, the sample entry ${sampleRate}`)
  // 2 is what the field holds where nobody cares: readers take the number from the AudioSpecificConfig.
  if (((b >> 3) & 15) !== channels && channels !== 2)
    bad(`the AudioSpecificConfig says ${(b >> 3) & 15} channels, the entry ${channels}`)
  return rate
}

/** The contents of the descriptor at `at`, if it has that tag and is whole. */
function readDescriptor(bytes: Uint8Array, at: number, tag: number): Uint8Array | undefined {
  if (bytes[at] !== tag) return undefined
  let length = 0
  let next = at + 1
  for (;;) {
    const byte = bytes[next++]
    if (byte === undefined || next > at + 5) return undefined
    length = length * 128 + (byte & 127)
    if (byte < 128) break
  }
  return next + length <= bytes.byteLength ? bytes.subarray(next, next + length) : undefined
}

function checkOpusConfiguration(body: Uint8Array, channels: number, report: EntryReport): void {
  const bad = (message: string): void => report('opus-configuration', message)
  if (body.byteLength < 11) {
    bad(`dOps has ${body.byteLength} bytes`)
    return
  }
  if (body[0] !== 0) bad(`version is ${body[0]}, not 0`)
  if (body[1] === 0) bad('OutputChannelCount is 0')
  if (body[1] !== channels) bad(`OutputChannelCount is ${body[1]}, the sample entry says ${channels}`)
  const family = body[10] as number
  if (family === 0 && (body[1] as number) > 2) bad(`mapping family 0 with ${body[1]} channels`)
  const expected = family === 0 ? 11 : 13 + (body[1] as number)
  if (body.byteLength !== expected) bad(`dOps has ${body.byteLength} bytes, expected ${expected}`)
}
