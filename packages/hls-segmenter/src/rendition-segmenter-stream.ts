/** Interleaver and rendition segmenter as one stream. */

import {
  chain,
  type OutputObject,
  type StageStreamOptions,
  type TimedItem,
  type TypedTransform,
  toStream,
} from '@rushes/media'
import type { HlsSummary } from './hls-publisher.js'
import { Interleaver, type InterleaverOptions } from './interleaver.js'
import { OpusGapFiller } from './opus-gap-filler.js'
import { RenditionSegmenter, type RenditionSegmenterOptions } from './rendition-segmenter.js'

/** What the stream takes: the options of its stages and of the stream around them. */
export interface RenditionSegmenterStreamOptions
  extends RenditionSegmenterOptions,
    InterleaverOptions,
    StageStreamOptions {}

/** Samples in, objects out. */
export interface RenditionSegmenterStream extends TypedTransform<TimedItem, OutputObject> {
  /** What has been written so far, the variant first; complete once the stream has ended. */
  summaries(): readonly HlsSummary[]
}

/** The tracks are those of all formats; their samples may come in any order between tracks. Holes in Opus are filled. */
export function createRenditionSegmenterStream(options: RenditionSegmenterStreamOptions): RenditionSegmenterStream {
  const tracks = [options.format, ...options.audio.map(({ format }) => format)].flatMap((format) => format.tracks)
  const segmenter = new RenditionSegmenter(options)
  const ordered = chain(new Interleaver(tracks, options), new OpusGapFiller(tracks))
  const stream = toStream(chain(ordered, segmenter), options) as RenditionSegmenterStream
  return Object.defineProperties(stream, { summaries: { value: () => segmenter.summaries() } })
}
