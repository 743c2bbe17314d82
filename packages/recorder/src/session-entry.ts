/** How a track of the host stands in the journal. */

import { type AudioCodec, ConfigurationError, type NewTrack, type VideoCodec } from '@rushes/media'
import type { SessionTrack } from '@rushes/take'

const PAYLOAD_FORMATS: Readonly<
  Record<AudioCodec | VideoCodec, { kind: string; mimeType: string; clockRate: number }>
> = {
  h264: { kind: 'video', mimeType: 'video/H264', clockRate: 90_000 },
  h265: { kind: 'video', mimeType: 'video/H265', clockRate: 90_000 },
  vp8: { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 },
  vp9: { kind: 'video', mimeType: 'video/VP9', clockRate: 90_000 },
  av1: { kind: 'video', mimeType: 'video/AV1', clockRate: 90_000 },
  opus: { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000 },
  aac: { kind: 'audio', mimeType: 'audio/mpeg4-generic', clockRate: 48_000 },
  pcmu: { kind: 'audio', mimeType: 'audio/PCMU', clockRate: 8000 },
  pcma: { kind: 'audio', mimeType: 'audio/PCMA', clockRate: 8000 },
  // Its clock says 8000 although it has 16,000 samples a second (RFC 3551 §4.5.2).
  g722: { kind: 'audio', mimeType: 'audio/G722', clockRate: 8000 },
}

/** Longest part of a file name that comes from the track's id. */
const MAX_NAME_LENGTH = 60

/** Throws `ConfigurationError` naming the field. */
export function checkNewTrack(track: NewTrack): void {
  if (typeof track.participantId !== 'string' || track.participantId === '') {
    throw new ConfigurationError('track.participantId', 'must be the id of a participant', track.participantId)
  }
  const format = PAYLOAD_FORMATS[track.codec]
  if (format === undefined) {
    throw new ConfigurationError(
      'track.codec',
      `must be one of ${Object.keys(PAYLOAD_FORMATS).join(', ')}`,
      track.codec,
    )
  }
  if (track.kind !== format.kind) {
    throw new ConfigurationError('track.kind', `must be ${format.kind} for ${track.codec}`, track.kind)
  }
}

/** The entry of session.json. `number` is unique in the take: ids and names of hosts may be anything. */
export function sessionEntry(track: NewTrack, id: string, number: number, joinedAtMs: number): SessionTrack {
  const { mimeType, clockRate } = PAYLOAD_FORMATS[track.codec]
  const readable = id.replaceAll(/[^\w-]+/g, '_').slice(0, MAX_NAME_LENGTH)
  return {
    id,
    kind: track.kind,
    file: `${String(number).padStart(3, '0')}-${readable}.rtpdump`,
    mimeType,
    clockRate: track.clockRate ?? clockRate,
    joinedAtMs,
    ...(track.ssrc === undefined ? undefined : { ssrc: track.ssrc }),
    ...(track.payloadType === undefined ? undefined : { payloadType: track.payloadType }),
    ...(track.shows === undefined ? undefined : { shows: track.shows }),
    ...(track.channels === undefined ? undefined : { channels: track.channels }),
    ...(track.fmtp === undefined ? undefined : { fmtp: track.fmtp }),
    ...(track.headerExtensions === undefined ? undefined : { headerExtensions: track.headerExtensions }),
  }
}
