import { type SourceItem, type StageStreamOptions, type TimedItem, type TypedTransform, toStream } from '@rushes/media'
import { Timeline, type TimelineOptions } from './timeline.js'

/** A {@link Timeline} as a stream: objects of a depacketizer in, samples and watermarks out. */
export function createTimelineStream(
  options: TimelineOptions & StageStreamOptions = {},
): TypedTransform<SourceItem, TimedItem> {
  return toStream(new Timeline(options), options)
}
