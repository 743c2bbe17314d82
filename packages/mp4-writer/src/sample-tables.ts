import { type Box, box, fullBox, uint32s } from './box.js'
import type { TrackIndex } from './track-index.js'

/** Chunk offsets as the file wants them: 32 bit as long as they fit. */
export interface ChunkOffsets {
  readonly values: Float64Array
  /** Added to each. */
  readonly base: number
  readonly is64Bit: boolean
}

/** The sample table box of a whole track (ISO/IEC 14496-12 §8.5), around the sample descriptions given. */
export function sampleTable(index: TrackIndex, sampleDescriptions: Uint8Array, offsets: ChunkOffsets): Box {
  return box(
    'stbl',
    sampleDescriptions,
    decodingTimes(index),
    compositionTimes(index),
    syncSamples(index),
    samplesToChunks(index),
    sampleSizes(index),
    chunkOffsets(offsets),
  )
}

/** The tables of a track whose samples are all in fragments. */
export function emptySampleTable(sampleDescriptions: Uint8Array): Box {
  return box(
    'stbl',
    sampleDescriptions,
    fullBox('stts', 0, 0, uint32s(0)),
    fullBox('stsc', 0, 0, uint32s(0)),
    fullBox('stsz', 0, 0, uint32s(0, 0)),
    fullBox('stco', 0, 0, uint32s(0)),
  )
}

/** §8.6.1.2, with the last sample's own duration at the end. */
function decodingTimes(index: TrackIndex): Box {
  const deltas = index.deltas.values()
  const last = deltas.length
  return fullBox(
    'stts',
    0,
    0,
    runs(index.samples, (sample) => (sample < last ? deltas[sample]! : index.lastDuration)),
  )
}

/** §8.6.1.3; absent where presentation is decoding order and time. Version 1 has signed offsets. */
function compositionTimes(index: TrackIndex): Box {
  const offsets = index.compositionOffsets.values()
  if (offsets.length === 0) return []
  const version = offsets.some((offset) => offset < 0) ? 1 : 0
  return fullBox(
    'ctts',
    version,
    0,
    runs(offsets.length, (sample) => offsets[sample]!),
  )
}

/** §8.6.2; absent where every sample is one. */
function syncSamples(index: TrackIndex): Box {
  if (index.keyframes.length === index.samples) return []
  return fullBox('stss', 0, 0, counted(index.keyframes.values()))
}

/** §8.7.4. */
function samplesToChunks(index: TrackIndex): Box {
  const chunks = index.chunkSamples.values()
  let entries = 0
  for (let chunk = 0; chunk < chunks.length; chunk++) if (chunks[chunk] !== chunks[chunk - 1]) entries++
  const table = new DataView(new ArrayBuffer(4 + entries * 12))
  table.setUint32(0, entries)
  let offset = 4
  for (let chunk = 0; chunk < chunks.length; chunk++) {
    if (chunks[chunk] === chunks[chunk - 1]) continue
    table.setUint32(offset, chunk + 1)
    table.setUint32(offset + 4, chunks[chunk]!)
    table.setUint32(offset + 8, 1)
    offset += 12
  }
  return fullBox('stsc', 0, 0, bytesOf(table))
}

/** §8.7.3.2. */
function sampleSizes(index: TrackIndex): Box {
  return fullBox('stsz', 0, 0, uint32s(0), counted(index.sizes.values()))
}

/** §8.7.5. */
function chunkOffsets({ values, base, is64Bit }: ChunkOffsets): Box {
  const width = is64Bit ? 8 : 4
  const table = new DataView(new ArrayBuffer(4 + values.length * width))
  table.setUint32(0, values.length)
  for (let chunk = 0; chunk < values.length; chunk++) {
    const offset = base + values[chunk]!
    if (is64Bit) table.setBigUint64(4 + chunk * 8, BigInt(offset))
    else table.setUint32(4 + chunk * 4, offset)
  }
  return fullBox(is64Bit ? 'co64' : 'stco', 0, 0, bytesOf(table))
}

/** A count, then pairs of how often and what. */
function runs(length: number, valueAt: (index: number) => number): Uint8Array {
  let entries = 0
  for (let index = 0; index < length; index++) if (index === 0 || valueAt(index) !== valueAt(index - 1)) entries++
  const table = new DataView(new ArrayBuffer(4 + entries * 8))
  table.setUint32(0, entries)
  let offset = 4
  for (let index = 0; index < length; ) {
    const value = valueAt(index)
    let end = index + 1
    while (end < length && valueAt(end) === value) end++
    table.setUint32(offset, end - index)
    table.setInt32(offset + 4, value)
    offset += 8
    index = end
  }
  return bytesOf(table)
}

/** A count, then the values. */
function counted(values: Uint32Array): Uint8Array {
  const table = new DataView(new ArrayBuffer(4 + values.length * 4))
  table.setUint32(0, values.length)
  for (let index = 0; index < values.length; index++) table.setUint32(4 + index * 4, values[index]!)
  return bytesOf(table)
}

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength)
}
