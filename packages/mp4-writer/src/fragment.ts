import { type Box, box, boxHeader, fullBox, joinBoxes, sizeOf, uint32s, uint64 } from './box.js'
import type { IndexedSample } from './track-index.js'

/** The samples of one track in a fragment. */
export interface FragmentTrack {
  readonly number: number
  /** Added to decoding times, which must not be below zero here. */
  readonly shift: number
  readonly samples: readonly IndexedSample[]
  /** Their bytes, one behind the other. */
  readonly data: readonly Uint8Array[]
}

/** A movie fragment with its media data, ready to append. */
export interface Fragment {
  /** `moof`, and the header of the `mdat` that follows. */
  readonly header: Uint8Array
  /** The media data. */
  readonly data: readonly Uint8Array[]
  readonly dataBytes: number
  /** Where each track's samples begin within the media data. */
  readonly trackOffsets: readonly number[]
}

const DATA_HEADER_BYTES = 8
/** Track run flags (ISO/IEC 14496-12 §8.8.8): data offset, then per sample duration, size, flags, composition offset. */
const RUN_FLAGS = 0x000f01
const DEFAULT_BASE_IS_MOOF = 0x020000
/** §8.8.3.1: depends on no other sample; and: depends on others, is no sync sample. */
const SYNC_FLAGS = 0x02000000
const NON_SYNC_FLAGS = 0x01010000

/** Builds `moof` and `mdat` (§8.8.4, §8.1.1). Media data is not copied. */
export function buildFragment(sequence: number, tracks: readonly FragmentTrack[]): Fragment {
  const trackOffsets: number[] = []
  let dataBytes = 0
  for (const { samples } of tracks) {
    trackOffsets.push(dataBytes)
    for (const { sizeBytes } of samples) dataBytes += sizeBytes
  }
  // The offsets have a fixed size, so that the size of the first attempt is the size.
  const headerLength = sizeOf(fragmentHeader(sequence, tracks, trackOffsets, 0))
  const dataPosition = headerLength + DATA_HEADER_BYTES
  const movieFragment = fragmentHeader(sequence, tracks, trackOffsets, dataPosition)
  const header = joinBoxes([...movieFragment, boxHeader('mdat', DATA_HEADER_BYTES + dataBytes)])
  return { header, data: tracks.flatMap(({ data }) => data), dataBytes, trackOffsets }
}

function fragmentHeader(
  sequence: number,
  tracks: readonly FragmentTrack[],
  trackOffsets: readonly number[],
  dataPosition: number,
): Box {
  const trackBoxes = tracks.map((track, index) =>
    box(
      'traf',
      fullBox('tfhd', 0, DEFAULT_BASE_IS_MOOF, uint32s(track.number)),
      fullBox('tfdt', 1, 0, uint64(track.samples[0]!.dts + track.shift)),
      fullBox('trun', 1, RUN_FLAGS, trackRun(track.samples, dataPosition + trackOffsets[index]!)),
    ),
  )
  return box('moof', fullBox('mfhd', 0, 0, uint32s(sequence)), ...trackBoxes)
}

function trackRun(samples: readonly IndexedSample[], dataOffset: number): Uint8Array {
  const run = new Uint8Array(8 + samples.length * 16)
  const view = new DataView(run.buffer)
  view.setUint32(0, samples.length)
  view.setInt32(4, dataOffset)
  for (let index = 0; index < samples.length; index++) {
    const sample = samples[index]!
    const next = samples[index + 1]
    const at = 8 + index * 16
    // The last one's is a guess where it did not tell: the next fragment says anew where it begins.
    view.setUint32(at, next === undefined ? sample.duration : next.dts - sample.dts)
    view.setUint32(at + 4, sample.sizeBytes)
    view.setUint32(at + 8, sample.keyframe ? SYNC_FLAGS : NON_SYNC_FLAGS)
    view.setInt32(at + 12, sample.pts - sample.dts)
  }
  return run
}
