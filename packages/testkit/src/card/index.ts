export { type Beep, type BeepOptions, readBeeps } from './beeps.js'
export type { AudioReadOptions } from './decode-audio.js'
export { CardError } from './errors.js'
export type { FfmpegOptions } from './ffmpeg.js'
export { type Card, readCard } from './read-card.js'
export { measureSilence, type SilenceOptions, type SilentSpan, type SoundMeasure } from './silence.js'
export { measureSync, type SyncMeasure } from './sync.js'
export {
  type AudioTrackReference,
  type ReferenceBeep,
  type ReferenceFrame,
  type ReferencePacket,
  readTakeReference,
  type TakeReference,
  type VideoTrackReference,
} from './take-reference.js'
export { type CardFrame, type Flash, flashTimes, readVideoCards, type VideoCardOptions } from './video-cards.js'
