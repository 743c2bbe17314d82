import type { AudioCodec, VideoCodec } from '@rushes/media'

const AUDIO: Readonly<Record<string, AudioCodec>> = {
  opus: 'opus',
  'mpeg4-generic': 'aac',
  pcmu: 'pcmu',
  pcma: 'pcma',
  g722: 'g722',
}

const VIDEO: Readonly<Record<string, VideoCodec>> = { h264: 'h264', h265: 'h265', vp8: 'vp8', vp9: 'vp9', av1: 'av1' }

/** Payload types that need no rtpmap (RFC 3551 §6). */
const STATIC: Readonly<Record<number, AudioCodec>> = { 0: 'pcmu', 8: 'pcma', 9: 'g722' }

/** The codec of an encoding name in lower case, or of a static payload type where the name is empty. */
export function codecOf(
  kind: 'audio' | 'video',
  payloadType: number,
  encoding: string,
): AudioCodec | VideoCodec | undefined {
  if (kind === 'video') return VIDEO[encoding]
  return encoding === '' ? STATIC[payloadType] : AUDIO[encoding]
}
