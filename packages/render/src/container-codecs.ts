import type { AudioCodec, Track, VideoCodec } from '@rushes/media'

/** What a container can hold as it comes. */
export interface ContainerCodecs {
  readonly name: string
  readonly video: ReadonlySet<VideoCodec>
  readonly audio: ReadonlySet<AudioCodec>
}

/** MPEG-TS as players know it. */
export const TS_CODECS: ContainerCodecs = {
  name: 'HLS with MPEG-TS',
  video: new Set(['h264']),
  audio: new Set(['aac']),
}

/** ISO/IEC 14496-12 and what is registered for it; VP8 is not played from it anywhere. */
export const MP4_CODECS: ContainerCodecs = {
  name: 'MP4',
  video: new Set(['h264', 'h265', 'vp9', 'av1']),
  audio: new Set(['aac', 'opus']),
}

/** The WebM guidelines. */
export const WEBM_CODECS: ContainerCodecs = {
  name: 'WebM',
  video: new Set(['vp8', 'vp9', 'av1']),
  audio: new Set(['opus']),
}

/** Whether a track goes in as it is. */
export function holds(container: ContainerCodecs, track: Track): boolean {
  return track.kind === 'video' ? container.video.has(track.codec) : container.audio.has(track.codec)
}
