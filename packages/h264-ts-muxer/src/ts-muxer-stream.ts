import { type StageStreamOptions, type TimedItem, type Track, type TypedTransform, toStream } from '@rushes/media'
import type { TsStreamOptions } from './options.js'
import { TsMuxer } from './ts-muxer.js'

/** The stream around a {@link TsMuxer}: timed items in, buffers of whole transport packets out. */
export function createTsMuxerStream(
  tracks: readonly Track[],
  options: TsStreamOptions & StageStreamOptions = {},
): TypedTransform<TimedItem, Uint8Array> {
  return toStream(new TsMuxer(tracks, options), options)
}
