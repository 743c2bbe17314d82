import { rescale } from '@rushes/media'
import { type Box, box, fullBox, uint32s, uint64 } from './box.js'
import { fileTags, type Mp4Metadata } from './file-tags.js'
import { dataInformation, type SampleDescription } from './sample-description.js'
import { emptySampleTable, sampleTable } from './sample-tables.js'
import type { TrackIndex } from './track-index.js'

/**
 * The movie box (ISO/IEC 14496-12 §8.2), once for the fragmented file that grows and once for the finished one.
 *
 * Written here and not by a library (mediabunny), whose files hold seconds as floats, a fixed 1/57,600 s for start
 * times, decoding times guessed from presentation times, fragments that end at keyframes only and nothing at all while
 * one track is silent.
 */

/** One track as every movie box shows it. */
interface DescribedTrack {
  /** From 1. */
  readonly number: number
  readonly timescale: number
  readonly description: SampleDescription
}

/** A track of which every sample is known. */
export interface MovieTrack extends DescribedTrack {
  readonly index: TrackIndex
}

/** A track whose samples are in fragments. */
export interface FragmentedTrack extends DescribedTrack {
  /** Ticks by which its decoding times are shifted up: {@link fragmentShift}. */
  readonly shift: number
}

/** Seconds from 1904, where the format's times begin, to 1970. */
const EPOCH_OFFSET_SECONDS = 2_082_844_800
const RATE_AND_VOLUME = [0x00010000, 0x01000000, 0, 0]
const IDENTITY_MATRIX = [0x00010000, 0, 0, 0, 0x00010000, 0, 0, 0, 0x40000000]

/** What comes first in the file: a reader of either form may read it. */
export function fileType(): Box {
  return box('ftyp', ascii('isom'), uint32s(0x200), ascii('isomiso5iso6avc1mp41'))
}

/** What a CMAF header begins with (ISO/IEC 23000-19 §7.2): a CMAF track has a header of its own, so `cmfc` is for one. */
export function cmafFileType(tracks: number): Box {
  return box('ftyp', ascii('iso6'), uint32s(0), ascii(tracks === 1 ? 'iso6cmfcmp41' : 'iso6mp41'))
}

/** What a segment begins with (ISO/IEC 14496-12 §8.16.2). */
export function cmafSegmentType(tracks: number): Box {
  return box('styp', ascii('msdh'), uint32s(0), ascii(tracks === 1 ? 'msdhiso6cmfc' : 'msdhiso6'))
}

/** The movie box of a fragmented file: the tracks, no samples (§8.8.1). */
export function fragmentedMovie(tracks: readonly FragmentedTrack[], options: Mp4Metadata): Box {
  const timescale = movieTimescale(tracks)
  return box(
    'moov',
    movieHeader(tracks, timescale, 0, options),
    ...tracks.map((track) => {
      const edits = track.shift === 0 ? [] : editList([{ duration: 0, mediaTime: track.shift }])
      return trackBox(track, 0, 0, edits, emptySampleTable(track.description.sampleDescriptions), options)
    }),
    // Track, sample description 1, then defaults that every fragment sets anew.
    box('mvex', ...tracks.map(({ number }) => fullBox('trex', 0, 0, uint32s(number, 1, 0, 0, 0)))),
    fileTags(options),
  )
}

/** The chunk positions of a finished movie. */
export interface MovieData {
  /** Taken from a track's chunks: their place in the file written, or among the media data alone. */
  readonly chunks: 'positions' | 'offsets'
  /** Added to each. */
  readonly base: number
  readonly is64Bit: boolean
}

/** The movie box of a finished file: every sample of every track. */
export function finishedMovie(tracks: readonly MovieTrack[], data: MovieData, options: Mp4Metadata): Box {
  const timescale = movieTimescale(tracks)
  let movieDuration = 0
  const boxes = tracks.map((track) => {
    const { index } = track
    const { edits, duration } = presentation(track, timescale)
    movieDuration = Math.max(movieDuration, duration)
    const values = (data.chunks === 'positions' ? index.chunkPositions : index.chunkOffsets).values()
    const table = sampleTable(index, track.description.sampleDescriptions, { ...data, values })
    const mediaDuration = index.lastDts - (index.firstDts ?? 0) + index.lastDuration
    return trackBox(track, duration, mediaDuration, edits, table, options)
  })
  return box('moov', movieHeader(tracks, timescale, movieDuration, options), ...boxes, fileTags(options))
}

/**
 * Fragments cannot hold a decoding time below zero, which B-frames and samples before media time zero have: such a
 * track's decoding times are shifted by so many ticks, and an edit shifts them back.
 */
export function fragmentShift(index: TrackIndex): number {
  return Math.max(0, -(index.firstDts ?? 0))
}

/** The finest of the tracks' timescales: a start time rounded to it is exact again in the track's own. */
function movieTimescale(tracks: readonly DescribedTrack[]): number {
  return Math.max(1000, ...tracks.map(({ timescale }) => timescale))
}

/** The edit list (§8.6.6) that puts a track at its time: nothing up to its first sample, then all of it. */
function presentation(track: MovieTrack, timescale: number): { edits: Box; duration: number } {
  const { firstDts = 0, minPts, endPts } = track.index
  const start = Math.max(0, minPts)
  const mediaTime = start - firstDts
  const empty = rescale(start, track.timescale, timescale)
  const duration = Math.max(0, rescale(endPts, track.timescale, timescale) - empty)
  if (empty === 0 && mediaTime === 0) return { edits: [], duration }
  const edits = [{ duration, mediaTime }]
  if (empty > 0) edits.unshift({ duration: empty, mediaTime: -1 })
  return { edits: editList(edits), duration: empty + duration }
}

function editList(edits: readonly { duration: number; mediaTime: number }[]): Box {
  const version = edits.some(({ duration, mediaTime }) => duration > 0xffffffff || mediaTime > 0x7fffffff) ? 1 : 0
  const entries = edits.map(({ duration, mediaTime }) => [
    ...(version === 1 ? [uint64(duration), uint64(mediaTime)] : [uint32s(duration, mediaTime)]),
    uint32s(0x00010000),
  ])
  return box('edts', fullBox('elst', version, 0, uint32s(edits.length), ...entries))
}

function trackBox(
  track: DescribedTrack,
  duration: number,
  mediaDuration: number,
  edits: Box,
  table: Box,
  options: Mp4Metadata,
): Box {
  const { number, description, timescale } = track
  const isEnabledInMovie = 3
  const version = versionFor(duration)
  return box(
    'trak',
    fullBox(
      'tkhd',
      version,
      isEnabledInMovie,
      times(version, options),
      uint32s(number, 0),
      version === 1 ? uint64(duration) : uint32s(duration),
      description.trackHeaderTail,
    ),
    edits,
    box(
      'mdia',
      mediaHeader(timescale, mediaDuration, options),
      description.handler,
      box('minf', description.mediaHeader, dataInformation(), table),
    ),
  )
}

function movieHeader(
  tracks: readonly DescribedTrack[],
  timescale: number,
  duration: number,
  options: Mp4Metadata,
): Box {
  const version = versionFor(duration)
  const nextTrack = Math.max(0, ...tracks.map(({ number }) => number)) + 1
  return fullBox(
    'mvhd',
    version,
    0,
    times(version, options),
    uint32s(timescale),
    version === 1 ? uint64(duration) : uint32s(duration),
    uint32s(...RATE_AND_VOLUME, ...IDENTITY_MATRIX, 0, 0, 0, 0, 0, 0, nextTrack),
  )
}

function mediaHeader(timescale: number, duration: number, options: Mp4Metadata): Box {
  const version = versionFor(duration)
  const undetermined = 0x55c4 // the language `und` in three times five bits
  return fullBox(
    'mdhd',
    version,
    0,
    times(version, options),
    uint32s(timescale),
    version === 1 ? uint64(duration) : uint32s(duration),
    uint32s(undetermined << 16),
  )
}

/** Version 1 of a header has 64 bit times. */
function versionFor(duration: number): 0 | 1 {
  return duration > 0xffffffff ? 1 : 0
}

/** Creation and modification: when the recording began, so that the same recording gives the same bytes; 0 is unknown. */
function times(version: 0 | 1, { startedAt }: Mp4Metadata): Uint8Array {
  const seconds = startedAt === undefined ? 0 : Math.floor(startedAt.getTime() / 1000) + EPOCH_OFFSET_SECONDS
  if (version === 0) return uint32s(Math.min(seconds, 0xffffffff), Math.min(seconds, 0xffffffff))
  const bytes = new Uint8Array(16)
  bytes.set(uint64(seconds))
  bytes.set(uint64(seconds), 8)
  return bytes
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
