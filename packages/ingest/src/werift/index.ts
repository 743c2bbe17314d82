export { recordWeriftTrack } from './record-werift-track.js'
export type {
  WeriftCodec,
  WeriftEvent,
  WeriftPeer,
  WeriftReceiver,
  WeriftRtcpPacket,
  WeriftRtpPacket,
  WeriftTrack,
} from './werift-shapes.js'
export type { RecordedWeriftTrack, RecordWeriftTrackOptions, WeriftTrackStats } from './werift-track-options.js'
