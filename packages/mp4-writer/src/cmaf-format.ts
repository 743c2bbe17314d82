import { ConfigurationError, type Emit, type EncodedSample, type SegmentFormat, type Track } from '@rushes/media'
import { joinBoxes } from './box.js'
import { type CmafFormatOptions, type ResolvedCmafOptions, resolveCmafOptions } from './cmaf-options.js'
import { CmafTrack } from './cmaf-track.js'
import { buildFragment } from './fragment.js'
import { cmafFileType, cmafSegmentType, type FragmentedTrack, fragmentedMovie } from './movie.js'
import { checkCodec } from './sample-entry.js'

/** A fragment ends early at this size, which bounds what is held. */
const MAX_FRAGMENT_BYTES = 8 * 1024 * 1024

/** Counters over all segments. */
export interface CmafStats {
  readonly segments: number
  readonly fragments: number
  readonly samples: number
  /** Samples before their track's first configuration. */
  readonly unconfiguredSamples: number
  /** Samples whose decoding time does not come after the one before. */
  readonly outOfOrderSamples: number
  /** Samples so far before the origin that their decoding time would be negative. */
  readonly beforeZeroSamples: number
  /** Samples of tracks that were not announced. */
  readonly unknownTrackSamples: number
}

/** CMAF as a segmenter drives it. */
export interface CmafFormat extends SegmentFormat {
  readonly container: 'cmaf'
  /** The header (`ftyp`, `moov`) of the segment that the last `begin` opened: the tracks that have shown their configuration. */
  initialization(): Uint8Array
  readonly stats: CmafStats
}

/**
 * Segments of fragmented MP4 (ISO/IEC 23000-19, RFC 8216 §3.3): `styp`, then `moof` and `mdat` once or more often, with
 * decoding times in recording time. With one track it is a CMAF track; several are muxed into one fragment, as HLS
 * players take it. Throws ConfigurationError, Mp4Error `MP4_UNSUPPORTED_CODEC`.
 */
export function cmafFormat(tracks: readonly Track[], options: CmafFormatOptions = {}): CmafFormat {
  return new CmafSegments(tracks, options)
}

class CmafSegments implements CmafFormat {
  readonly container = 'cmaf'
  readonly extension = 'm4s'
  readonly #options: ResolvedCmafOptions
  readonly #tracks = new Map<string, CmafTrack>()
  #pendingBytes = 0
  #fragmentStartUs: number | undefined
  /** The latest decoding time that came: samples come in that order across tracks. */
  #latestUs = Number.NEGATIVE_INFINITY
  #stats = {
    segments: 0,
    fragments: 0,
    samples: 0,
    unconfiguredSamples: 0,
    outOfOrderSamples: 0,
    beforeZeroSamples: 0,
    unknownTrackSamples: 0,
  }

  constructor(tracks: readonly Track[], options: CmafFormatOptions) {
    this.#options = resolveCmafOptions(options)
    for (const track of tracks) this.addTrack(track)
  }

  get contentType(): string {
    return this.tracks.some(({ kind }) => kind === 'video') ? 'video/mp4' : 'audio/mp4'
  }

  get tracks(): readonly Track[] {
    return [...this.#tracks.values()].map(({ track }) => track)
  }

  get stats(): CmafStats {
    return { ...this.#stats }
  }

  addTrack(track: Track): void {
    checkCodec(track.codec)
    if (this.#tracks.has(track.id)) throw new ConfigurationError('track.id', 'must be unique', track.id)
    this.#tracks.set(track.id, new CmafTrack(track, this.#tracks.size + 1, this.#options.shiftUs))
  }

  begin(_start: { readonly discontinuity: boolean }, emit: Emit<Uint8Array>): void {
    this.#stats.segments++
    for (const track of this.#tracks.values()) track.beginSegment()
    emit(joinBoxes(cmafSegmentType(this.#tracks.size)))
  }

  push(sample: EncodedSample, emit: Emit<Uint8Array>): void {
    const track = this.#tracks.get(sample.trackId)
    if (track === undefined) {
      this.#stats.unknownTrackSamples++
      return
    }
    const us = track.mediaUs(sample)
    this.#fragmentStartUs ??= us
    const isDue = us - this.#fragmentStartUs >= this.#options.fragmentUs || this.#pendingBytes >= MAX_FRAGMENT_BYTES
    if (isDue || track.isBeyondFragment(sample)) {
      this.#endFragment(us, emit)
      this.#fragmentStartUs = us
    }
    const verdict = track.add(sample)
    if (verdict === 'unconfigured') this.#stats.unconfiguredSamples++
    else if (verdict === 'out-of-order') this.#stats.outOfOrderSamples++
    else if (verdict === 'before-zero') this.#stats.beforeZeroSamples++
    else {
      this.#stats.samples++
      this.#latestUs = Math.max(this.#latestUs, us)
      this.#pendingBytes += track.pending.at(-1)?.sizeBytes ?? 0
    }
  }

  end(emit: Emit<Uint8Array>): void {
    this.#endFragment(this.#latestUs, emit)
    this.#fragmentStartUs = undefined
  }

  initialization(): Uint8Array {
    const tracks: FragmentedTrack[] = []
    for (const track of this.#tracks.values()) {
      const description = track.describe()
      if (description !== undefined) {
        tracks.push({ number: track.number, timescale: track.timescale, shift: 0, description })
      }
    }
    return joinBoxes([...cmafFileType(tracks.length), ...fragmentedMovie(tracks, {})])
  }

  #endFragment(untilUs: number, emit: Emit<Uint8Array>): void {
    const filled = [...this.#tracks.values()].filter(({ pending }) => pending.length > 0)
    if (filled.length === 0) return
    const { header, data } = buildFragment(
      ++this.#stats.fragments,
      filled.map((track) => ({ number: track.number, shift: 0, ...track.takeFragment(untilUs) })),
    )
    emit(header)
    for (const piece of data) emit(piece)
    this.#pendingBytes = 0
  }
}
