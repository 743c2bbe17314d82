import { describeUnits, type StreamInspection, type TimedUnit } from './media-inspection.js'
import { childBoxes, findBox, type Mp4Box, textAt, viewAt } from './mp4-boxes.js'
import { readDefaults, readFragmentSamples, readTableSamples } from './mp4-samples.js'

/**
 * The tracks of an MP4 file from its boxes `moov` and `moof`, presentation times by its edit lists.
 * @throws RangeError where a box ends inside a field: the file is broken, and the oracle says how.
 */
export function describeMp4(boxes: readonly Mp4Box[], fileBytes: number): StreamInspection[] {
  const moov = boxes.find(({ type }) => type === 'moov')?.body
  if (moov === undefined) return []
  const mvhd = findBox(moov, 'mvhd')
  const movieTimescale = mvhd === undefined ? 1000 : mvhd.getUint32(mvhd.getUint8(0) === 1 ? 20 : 12)
  return childBoxes(moov)
    .filter(({ type }) => type === 'trak')
    .flatMap(({ body }) => describeTrack(body, { moov, boxes, fileBytes, movieTimescale }) ?? [])
}

interface Movie {
  readonly moov: DataView
  readonly boxes: readonly Mp4Box[]
  readonly fileBytes: number
  readonly movieTimescale: number
}

function describeTrack(trak: DataView, movie: Movie): StreamInspection | undefined {
  const { moov, boxes, fileBytes, movieTimescale } = movie
  const tkhd = findBox(trak, 'tkhd')
  const mdhd = findBox(trak, 'mdia', 'mdhd')
  const hdlr = findBox(trak, 'mdia', 'hdlr')
  const stbl = findBox(trak, 'mdia', 'minf', 'stbl')
  if (tkhd === undefined || mdhd === undefined || hdlr === undefined || stbl === undefined) return undefined
  const trackId = tkhd.getUint32(tkhd.getUint8(0) === 1 ? 20 : 12)
  const timescale = mdhd.getUint32(mdhd.getUint8(0) === 1 ? 20 : 12)
  const samples = readTableSamples(stbl, fileBytes)
  const defaults = readDefaults(moov)
  for (const box of boxes) {
    if (box.type !== 'moof') continue
    const last = samples.at(-1)
    const startDts = last === undefined ? 0 : last.dts + last.duration
    for (const sample of readFragmentSamples(box, trackId, defaults, startDts, fileBytes)) samples.push(sample)
  }
  const shiftUs = editShiftUs(findBox(trak, 'edts', 'elst'), timescale, movieTimescale)
  const handler = textAt(hdlr, 8)
  const kind = handler === 'vide' ? 'video' : handler === 'soun' ? 'audio' : 'other'
  const entry = readSampleEntry(findBox(stbl, 'stsd'), kind)
  const units = samples.map(
    (sample): TimedUnit => ({
      ptsUs: (sample.pts * 1_000_000) / timescale + shiftUs,
      bytes: sample.bytes,
      durationUs: (sample.duration * 1_000_000) / timescale,
      keyframe: sample.keyframe,
      ...(entry.width === undefined ? {} : { width: entry.width }),
      ...(entry.height === undefined ? {} : { height: entry.height }),
    }),
  )
  return {
    id: `track ${trackId}`,
    kind,
    ...(entry.codec === undefined ? {} : { codec: entry.codec }),
    ...describeUnits(units, kind === 'video' ? 'video' : 'audio'),
    ...(entry.sampleRate === undefined ? {} : { sampleRate: entry.sampleRate }),
    ...(entry.channels === undefined ? {} : { channels: entry.channels }),
  }
}

/** What the edit list adds to the time of a sample: an empty edit delays the track, a media time cuts its start. */
function editShiftUs(elst: DataView | undefined, timescale: number, movieTimescale: number): number {
  if (elst === undefined) return 0
  const isLong = elst.getUint8(0) === 1
  const count = elst.getUint32(4)
  let delayUs = 0
  for (let index = 0; index < count; index++) {
    const at = 8 + index * (isLong ? 20 : 12)
    const duration = isLong ? Number(elst.getBigUint64(at)) : elst.getUint32(at)
    const mediaTime = isLong ? Number(elst.getBigInt64(at + 8)) : elst.getInt32(at + 4)
    if (mediaTime >= 0) return delayUs - (mediaTime * 1_000_000) / timescale
    delayUs += (duration * 1_000_000) / movieTimescale
  }
  return delayUs
}

interface SampleEntry {
  readonly codec?: string
  readonly width?: number
  readonly height?: number
  readonly sampleRate?: number
  readonly channels?: number
}

/** The first sample entry (ISO/IEC 14496-12 §8.5.2, §12.1.3, §12.2.3). */
function readSampleEntry(stsd: DataView | undefined, kind: StreamInspection['kind']): SampleEntry {
  const entry = stsd && childBoxes(stsd, 8)[0]
  if (entry === undefined) return {}
  const { type, body } = entry
  if (kind === 'video') {
    const avcC = childBoxes(body, 78).find((box) => box.type === 'avcC')?.body
    const codec = avcC === undefined ? type : `${type}.${[1, 2, 3].map((at) => hexByte(avcC.getUint8(at))).join('')}`
    return { codec, width: body.getUint16(24), height: body.getUint16(26) }
  }
  if (kind !== 'audio') return { codec: type }
  const declared = { channels: body.getUint16(16), sampleRate: body.getUint32(24) / 65_536 }
  if (type === 'Opus') return { codec: 'opus', ...declared }
  const esds = childBoxes(body, 28).find((box) => box.type === 'esds')?.body
  const config = esds && decoderSpecificInfo(esds)
  return config === undefined ? { codec: type, ...declared } : { codec: type, ...declared, ...readAac(type, config) }
}

/**
 * Object type and channels by the AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1): many writers put 2 channels into the
 * sample entry whatever there are. Forms that this does not read (escapes, a rate in full) leave the entry's word.
 */
function readAac(type: string, config: DataView): SampleEntry {
  if (config.byteLength < 2) return {}
  const bits = config.getUint16(0)
  const codec = `${type}.40.${bits >> 11}`
  const channels = (bits >> 3) & 0xf
  const isPlain = bits >> 11 !== 31 && ((bits >> 7) & 0xf) !== 15 && channels >= 1 && channels <= 6
  return isPlain ? { codec, channels } : { codec }
}

/** The DecoderSpecificInfo (tag 5) of ISO/IEC 14496-1 §7.2.6: for AAC the AudioSpecificConfig. */
function decoderSpecificInfo(esds: DataView): DataView | undefined {
  let at = 4
  while (at + 2 < esds.byteLength) {
    const tag = esds.getUint8(at++)
    let length = 0
    for (let more = true; more; ) {
      const byte = esds.getUint8(at++)
      length = (length << 7) | (byte & 0x7f)
      more = (byte & 0x80) !== 0
    }
    if (tag === 5) return viewAt(esds, at, Math.min(length, esds.byteLength - at))
    // ES_Descriptor without optional fields, DecoderConfigDescriptor: what they hold follows their own fields.
    at += tag === 3 ? 3 : tag === 4 ? 13 : length
  }
  return undefined
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, '0')
}
