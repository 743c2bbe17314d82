import {
  ConfigurationError,
  type SourceItem,
  type StageStreamOptions,
  type TimedStage,
  type Track,
  type TypedTransform,
  toStream,
} from '@rushes/media'
import { Av1Depacketizer } from './av1-depacketizer.js'
import type { DepacketizerOptions, H264DepacketizerOptions, Vp9DepacketizerOptions } from './depacketizer-options.js'
import { H264Depacketizer } from './h264-depacketizer.js'
import { H265Depacketizer } from './h265-depacketizer.js'
import { OpusDepacketizer } from './opus-depacketizer.js'
import type { RtpInput } from './rtp-input.js'
import { isSampleCodec, SampleDepacketizer } from './sample-depacketizer.js'
import { Vp8Depacketizer } from './vp8-depacketizer.js'
import { Vp9Depacketizer } from './vp9-depacketizer.js'

/** The depacketizer for `track.codec`. Throws ConfigurationError, also for a codec that has none yet. */
export function createDepacketizer(
  track: Track,
  options: DepacketizerOptions | H264DepacketizerOptions | Vp9DepacketizerOptions = {},
): TimedStage<RtpInput, SourceItem> {
  if (track.kind === 'video' && track.codec === 'h264') return new H264Depacketizer(track, options)
  if (track.kind === 'video' && track.codec === 'h265') return new H265Depacketizer(track, options)
  if (track.kind === 'video' && track.codec === 'vp8') return new Vp8Depacketizer(track, options)
  if (track.kind === 'video' && track.codec === 'vp9') return new Vp9Depacketizer(track, options)
  if (track.kind === 'video' && track.codec === 'av1') return new Av1Depacketizer(track, options)
  if (track.kind === 'audio' && track.codec === 'opus') return new OpusDepacketizer(track, options)
  if (track.kind === 'audio' && isSampleCodec(track.codec)) return new SampleDepacketizer(track, options)
  throw new ConfigurationError('track.codec', 'must be a codec that there is a depacketizer for', track.codec)
}

/** Options of {@link createDepacketizerStream}. */
export type DepacketizerStreamOptions = H264DepacketizerOptions & Vp9DepacketizerOptions & StageStreamOptions

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
