/** Interleaver and segmenter as one stream. */

import {
  chain,
  type OutputObject,
  type StageStreamOptions,
  type TimedItem,
  type Track,
  type TypedTransform,
  toStream,
} from '@rushes/media'
import type { HlsSummary } from './hls-publisher.js'
import { HlsSegmenter, type HlsSegmenterStats } from './hls-segmenter.js'
import { Interleaver, type InterleaverOptions, type InterleaverStats } from './interleaver.js'
import { OpusGapFiller, type OpusGapFillerStats } from './opus-gap-filler.js'
import type { HlsSegmenterOptions } from './segmenter-options.js'

/** What the stream takes: the options of both cores and of the stream around them. */
export interface HlsSegmenterStreamOptions extends HlsSegmenterOptions, InterleaverOptions, StageStreamOptions {
  /**
   * Fill holes in Opus tracks with silence ({@link OpusGapFiller}): players with one buffer for all tracks stop at a
   * hole in one of them. @defaultValue true for CMAF
   */
  readonly fillOpusGaps?: boolean
}

/** Samples in, objects out, with the parts of the cores that are not items of the stream. */
export interface HlsSegmenterStream extends TypedTransform<TimedItem, OutputObject> {
  /** Announces a track that starts late, before its first sample is written. */
  addTrack(track: Track): void
  /** What has been written so far; complete once the stream has ended. */
  summary(): HlsSummary
  readonly stats: {
    readonly interleaver: InterleaverStats
    /** Where holes are filled. */
    readonly filler?: OpusGapFillerStats
    readonly segmenter: HlsSegmenterStats
  }
}

/** The tracks are those of `options.format`; their samples may come in any order between tracks. */
export function createHlsSegmenterStream(options: HlsSegmenterStreamOptions): HlsSegmenterStream {
  const interleaver = new Interleaver(options.format.tracks, options)
  const segmenter = new HlsSegmenter(options)
  const fill = options.fillOpusGaps ?? options.format.container === 'cmaf'
  const filler = fill ? new OpusGapFiller(options.format.tracks) : undefined
  const ordered = filler === undefined ? interleaver : chain(interleaver, filler)
  const stream = toStream(chain(ordered, segmenter), options) as HlsSegmenterStream
  return Object.defineProperties(stream, {
    addTrack: {
      value: (track: Track): void => {
        interleaver.addTrack(track)
        filler?.addTrack(track)
        segmenter.addTrack(track)
      },
    },
    summary: { value: () => segmenter.summary() },
    stats: {
      get: () => ({
        interleaver: interleaver.stats,
        ...(filler === undefined ? {} : { filler: filler.stats }),
        segmenter: segmenter.stats,
      }),
    },
  })
}
