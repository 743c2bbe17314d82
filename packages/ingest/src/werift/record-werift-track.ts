import type { TrackTarget } from '@rushes/media'
import { WeriftRecording } from './werift-recording.js'
import type { WeriftTrack } from './werift-shapes.js'
import type { RecordedWeriftTrack, RecordWeriftTrackOptions } from './werift-track-options.js'

/**
 * Records a remote track of werift: its packets go to `target` until the track ends, the connection closes, or `stop` is
 * called. Lost packets, and keyframes that the recording needs, are asked for through `peer`.
 * @throws ConfigurationError where the track cannot be recorded
 */
export function recordWeriftTrack(
  target: TrackTarget,
  track: WeriftTrack,
  options: RecordWeriftTrackOptions,
): RecordedWeriftTrack {
  return new WeriftRecording(target, track, options)
}
