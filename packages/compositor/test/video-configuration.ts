import type { VideoConfiguration } from '@rushes/media'

/** Of the pictures that `encodeVideo` makes by default. */
export const videoConfiguration: VideoConfiguration = {
  kind: 'video',
  codec: 'h264',
  codecString: 'avc1.42c01f',
  width: 320,
  height: 180,
  rotation: 0,
  reorderDepth: 0,
}
