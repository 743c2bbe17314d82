import type { SegmentFormat, Track } from '@rushes/media'
import type { TsMuxerOptions } from './options.js'
import type { TsMuxerStats } from './stats.js'
import { TsMuxer } from './ts-muxer.js'

/** MPEG-TS as a segmenter drives it. */
export interface TsFormat extends SegmentFormat {
  readonly container: 'mpeg-ts'
  /** Counters over all segments. */
  readonly stats: TsMuxerStats
}

/**
 * Segments of one transport stream: each begins with PAT and PMT and can be played alone; continuity counters and clocks
 * run on through all of them (RFC 8216 §3.2), also over a discontinuity. Throws ConfigurationError.
 */
export function tsFormat(tracks: readonly Track[], options: TsMuxerOptions = {}): TsFormat {
  const muxer = new TsMuxer(tracks, { ...options, tableIntervalMs: Number.POSITIVE_INFINITY })
  return {
    container: 'mpeg-ts',
    contentType: 'video/mp2t',
    extension: 'ts',
    get tracks() {
      return muxer.tracks
    },
    get stats() {
      return muxer.stats
    },
    addTrack: (track) => muxer.addTrack(track),
    begin: (_start, emit) => muxer.writeTables(emit),
    push: (sample, emit) => muxer.push(sample, emit),
    end() {},
  }
}
