import type { Report } from '../finding.js'
import { childOf, type LoadedBox, theChild, viewOf } from './boxes.js'
import type { Mp4Rule } from './rules.js'
import { readSampleEntry, type SampleEntry } from './sample-entry.js'

/** An edit (ISO/IEC 14496-12 §8.6.6). */
export interface Edit {
  /** Ticks of the movie timescale. */
  readonly duration: number
  /** Ticks of the media timescale; -1 for an empty edit. */
  readonly mediaTime: number
  readonly rate: number
}

/** A track as its boxes describe it, without its samples. */
export interface Mp4Track {
  readonly id: number
  readonly handler: string
  /** Ticks a second. */
  readonly timescale: number
  /** Ticks of the media timescale. */
  readonly mediaDuration: number
  /** Ticks of the movie timescale. */
  readonly trackDuration: number
  readonly edits: readonly Edit[]
  readonly entry: SampleEntry | undefined
  readonly entryCount: number
  readonly stbl: LoadedBox | undefined
  readonly offset: number
}

type Mp4Report = Report<Mp4Rule>

/** Reads a trak box; `undefined` where it lacks what nothing can be done without. */
export function readTrack(trak: LoadedBox, report: Mp4Report): Mp4Track | undefined {
  const tkhd = theChild(trak, 'tkhd', report)
  const mdia = theChild(trak, 'mdia', report)
  const mdhd = mdia && theChild(mdia, 'mdhd', report)
  const hdlr = mdia && theChild(mdia, 'hdlr', report)
  const minf = mdia && theChild(mdia, 'minf', report)
  const stbl = minf && theChild(minf, 'stbl', report)
  const stsd = stbl && theChild(stbl, 'stsd', report)
  if (tkhd === undefined || mdhd === undefined || hdlr === undefined) return undefined
  const header = readDurationHeader(tkhd.body, 'tkhd')
  const media = readDurationHeader(mdhd.body, 'mdhd')
  const handler = String.fromCharCode(...hdlr.body.subarray(8, 12))
  const place = { offset: trak.offset, trackId: header.id }
  const entries = stsd === undefined ? [] : readSampleEntry(stsd, (rule, message) => report(rule, message, place))
  if (media.timescale === 0) report('duration', 'the media timescale is 0', place)
  return {
    id: header.id,
    handler,
    timescale: media.timescale,
    mediaDuration: media.duration,
    trackDuration: header.duration,
    edits: readEdits(childOf(childOf(trak, 'edts'), 'elst')),
    entry: entries[0],
    entryCount: entries.length,
    stbl,
    offset: trak.offset,
  }
}

/** Timescale (mvhd, mdhd) or track id (tkhd), and duration, of both versions. */
export function readDurationHeader(
  body: Uint8Array,
  type: 'mvhd' | 'tkhd' | 'mdhd',
): { timescale: number; id: number; duration: number } {
  const view = viewOf(body)
  const long = body[0] === 1
  const at = 4 + (long ? 16 : 8)
  const first = view.getUint32(at)
  const durationAt = at + (type === 'tkhd' ? 8 : 4)
  const duration = long ? Number(view.getBigUint64(durationAt)) : view.getUint32(durationAt)
  return { timescale: first, id: first, duration }
}

function readEdits(elst: LoadedBox | undefined): Edit[] {
  if (elst === undefined) return []
  const view = viewOf(elst.body)
  const long = elst.body[0] === 1
  const bytes = long ? 20 : 12
  const count = Math.min(view.getUint32(4), Math.floor((elst.body.byteLength - 8) / bytes))
  return Array.from({ length: count }, (_, index) => {
    const at = 8 + index * bytes
    return {
      duration: long ? Number(view.getBigUint64(at)) : view.getUint32(at),
      mediaTime: long ? Number(view.getBigInt64(at + 8)) : view.getInt32(at + 4),
      rate: view.getInt32(at + bytes - 4) / 65_536,
    }
  })
}
