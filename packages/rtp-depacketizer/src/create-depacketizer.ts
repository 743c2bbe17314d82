import {
  ConfigurationError,
  type SourceItem,
  type StageStreamOptions,
  type TimedStage,
  type Track,
  type TypedTransform,
  toStream,
} from '@rushes/media'
import type { DepacketizerOptions, H264DepacketizerOptions } from './depacketizer-options.js'
import { H264Depacketizer } from './h264-depacketizer.js'
import { OpusDepacketizer } from './opus-depacketizer.js'
import type { RtpInput } from './rtp-input.js'

/** The depacketizer for `track.codec`. Throws ConfigurationError, also for a codec that has none yet. */
export function createDepacketizer(
  track: Track,
  options: DepacketizerOptions | H264DepacketizerOptions = {},
): TimedStage<RtpInput, SourceItem> {
  if (track.kind === 'video' && track.codec === 'h264') return new H264Depacketizer(track, options)
  if (track.kind === 'audio' && track.codec === 'opus') return new OpusDepacketizer(track, options)
  throw new ConfigurationError(
    'track.codec',
    "must be 'h264' or 'opus': there is no depacketizer for others yet",
    track.codec,
  )
}

/** Options of {@link createDepacketizerStream}. */
export type DepacketizerStreamOptions = H264DepacketizerOptions & StageStreamOptions

/**
 * The depacketizer for `track.codec` as a stream: packets in, access units, audio frames and sender reports out.
 * Its deadlines run on `options.clock`, which must be the clock of the arrival times.
 */
export function createDepacketizerStream(
  track: Track,
  options: DepacketizerStreamOptions = {},
): TypedTransform<RtpInput, SourceItem> {
  return toStream(createDepacketizer(track, options), options)
}
