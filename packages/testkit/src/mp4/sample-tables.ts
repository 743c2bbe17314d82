import type { Report } from '../finding.js'
import { childOf, type LoadedBox, theChild, viewOf } from './boxes.js'
import type { Mp4Rule } from './rules.js'
import { SampleList } from './samples.js'
import type { Mp4Track } from './track.js'

/** Rows of 32-bit numbers behind a full box header and `skip` more bytes. */
interface Table {
  readonly rows: number
  at(row: number, column: number): number
}

/** Builds the samples of a track from its stbl (ISO/IEC 14496-12 §8.6, §8.7). */
export function readSampleTables(track: Mp4Track, report: Report<Mp4Rule>): SampleList {
  const { stbl } = track
  if (stbl === undefined) return new SampleList()
  const place = { trackId: track.id, offset: stbl.offset }
  const bad = (message: string): void => report('sample-table', message, place)
  const stts = theChild(stbl, 'stts', report)
  const stsc = theChild(stbl, 'stsc', report)
  const stsz = theChild(stbl, 'stsz', report)
  const chunkBox = childOf(stbl, 'co64') ?? theChild(stbl, 'stco', report)
  if (stts === undefined || stsc === undefined || stsz === undefined || chunkBox === undefined) return new SampleList()
  const sizes = readSizes(stsz, bad)
  const samples = new SampleList(Math.max(1, sizes.length))
  const starts = placeSamples(readChunkOffsets(chunkBox, bad), readTable('stsc', stsc, 3, bad), sizes, track, bad)
  const durations = expand('stts', readTable('stts', stts, 2, bad), sizes.length, bad)
  const ctts = childOf(stbl, 'ctts')
  const offsets = ctts === undefined ? undefined : expand('ctts', readTable('ctts', ctts, 2, bad), sizes.length, bad)
  const sync = readSync(childOf(stbl, 'stss'), sizes.length, bad)
  let dts = 0
  for (let i = 0; i < Math.min(sizes.length, starts.length); i++) {
    const duration = durations[i] ?? 0
    // Both versions: a value above 2^31 is a negative one that version 0 has no place for.
    const compositionOffset = (offsets?.[i] ?? 0) | 0
    if (compositionOffset < 0 && ctts?.body[0] === 0) bad(`composition offset ${compositionOffset} in ctts version 0`)
    samples.add({
      offset: starts[i] as number,
      size: sizes[i] as number,
      dts,
      duration,
      compositionOffset,
      sync: sync === undefined || sync.has(i + 1),
    })
    dts += duration
  }
  return samples
}

function readTable(name: string, box: LoadedBox, columns: number, bad: (message: string) => void): Table {
  const view = viewOf(box.body)
  const said = view.getUint32(4)
  const rows = Math.floor((box.body.byteLength - 8) / (columns * 4))
  if (said !== rows || 8 + rows * columns * 4 !== box.body.byteLength)
    bad(`${name} says ${said} entries and has ${rows}`)
  return { rows: Math.min(said, rows), at: (row, column) => view.getUint32(8 + (row * columns + column) * 4) }
}

function readSizes(stsz: LoadedBox, bad: (message: string) => void): Uint32Array {
  const view = viewOf(stsz.body)
  const fixed = view.getUint32(4)
  const count = view.getUint32(8)
  if (fixed !== 0) return new Uint32Array(count).fill(fixed)
  const rows = Math.floor((stsz.body.byteLength - 12) / 4)
  if (rows !== count) bad(`stsz says ${count} samples and has ${rows}`)
  return Uint32Array.from({ length: Math.min(rows, count) }, (_, i) => view.getUint32(12 + i * 4))
}

function readChunkOffsets(box: LoadedBox, bad: (message: string) => void): number[] {
  const view = viewOf(box.body)
  const bytes = box.type === 'co64' ? 8 : 4
  const said = view.getUint32(4)
  const rows = Math.floor((box.body.byteLength - 8) / bytes)
  if (said !== rows) bad(`${box.type} says ${said} chunks and has ${rows}`)
  return Array.from({ length: Math.min(said, rows) }, (_, i) =>
    bytes === 8 ? Number(view.getBigUint64(8 + i * 8)) : view.getUint32(8 + i * 4),
  )
}

/** File offsets of the samples. */
function placeSamples(
  chunks: readonly number[],
  stsc: Table,
  sizes: Uint32Array,
  track: Mp4Track,
  bad: (message: string) => void,
): number[] {
  const starts: number[] = []
  let sample = 0
  if (chunks.length > 0 && (stsc.rows === 0 || stsc.at(0, 0) !== 1)) bad('stsc does not start with chunk 1')
  for (let row = 0; row < stsc.rows; row++) {
    const first = stsc.at(row, 0)
    const next = row + 1 < stsc.rows ? stsc.at(row + 1, 0) : chunks.length + 1
    if (next <= first) bad(`stsc: chunk ${next} after ${first}`)
    const perChunk = stsc.at(row, 1)
    const entry = stsc.at(row, 2)
    if (perChunk === 0) bad('stsc: chunks without samples')
    if (entry < 1 || entry > track.entryCount) bad(`stsc refers to sample entry ${entry} of ${track.entryCount}`)
    for (let chunk = first; chunk < Math.min(next, chunks.length + 1); chunk++) {
      let at = chunks[chunk - 1] as number
      for (let i = 0; i < perChunk && sample < sizes.length; i++) {
        starts.push(at)
        at += sizes[sample++] as number
      }
    }
    if (first > chunks.length) bad(`stsc refers to chunk ${first} of ${chunks.length}`)
  }
  const inChunks = countInChunks(stsc, chunks.length)
  if (inChunks !== sizes.length) bad(`the chunks hold ${inChunks} samples, stsz says ${sizes.length}`)
  return starts
}

function countInChunks(stsc: Table, chunks: number): number {
  let count = 0
  for (let row = 0; row < stsc.rows; row++) {
    const next = row + 1 < stsc.rows ? stsc.at(row + 1, 0) : chunks + 1
    count += Math.max(0, next - stsc.at(row, 0)) * stsc.at(row, 1)
  }
  return count
}

/** Run lengths to one value a sample. */
function expand(name: string, table: Table, samples: number, bad: (message: string) => void): Float64Array {
  const values = new Float64Array(samples)
  let at = 0
  for (let row = 0; row < table.rows; row++) {
    const count = table.at(row, 0)
    values.fill(table.at(row, 1), at, Math.min(at + count, samples))
    at += count
  }
  if (at !== samples) bad(`${name} counts ${at} samples, stsz ${samples}`)
  return values
}

function readSync(
  stss: LoadedBox | undefined,
  samples: number,
  bad: (message: string) => void,
): Set<number> | undefined {
  if (stss === undefined) return undefined
  const table = readTable('stss', stss, 1, bad)
  const sync = new Set<number>()
  let last = 0
  for (let row = 0; row < table.rows; row++) {
    const number = table.at(row, 0)
    if (number <= last) bad(`stss: sample ${number} after ${last}`)
    if (number > samples) bad(`stss: sample ${number} of ${samples}`)
    last = number
    sync.add(number)
  }
  return sync
}
