import type { AudioCodec, Track, VideoCodec } from '@rushes/media'
import { TakeError } from './errors.js'
import { serializeRtpdumpHeader } from './rtpdump.js'
import { type Session, type SessionTrack, startedAtUs } from './session.js'

const videoCodecs: Readonly<Record<string, VideoCodec>> = {
  'video/h264': 'h264',
  'video/h265': 'h265',
  'video/vp8': 'vp8',
  'video/vp9': 'vp9',
  'video/av1': 'av1',
}

const audioCodecs: Readonly<Record<string, AudioCodec>> = {
  'audio/opus': 'opus',
  'audio/mpeg4-generic': 'aac',
  'audio/pcmu': 'pcmu',
  'audio/pcma': 'pcma',
  'audio/g722': 'g722',
}

/**
 * A track of session.json as every other package describes tracks.
 * @throws TakeError `TAKE_UNKNOWN_CODEC`
 */
export function trackOf(track: SessionTrack, participantId?: string): Track {
  const mimeType = track.mimeType.toLowerCase()
  const common = {
    id: track.id,
    clockRate: track.clockRate,
    ...(participantId === undefined ? {} : { participantId }),
    ...(track.ssrc === undefined ? {} : { ssrc: track.ssrc }),
    ...(track.payloadType === undefined ? {} : { payloadType: track.payloadType }),
    ...(track.fmtp === undefined ? {} : { fmtp: track.fmtp }),
    ...(track.headerExtensions === undefined ? {} : { headerExtensions: track.headerExtensions }),
  }
  if (track.kind === 'video') {
    const codec = videoCodecs[mimeType]
    if (codec !== undefined) return { ...common, kind: 'video', codec }
  } else {
    const codec = audioCodecs[mimeType]
    const channels = track.channels === undefined ? {} : { channels: track.channels }
    if (codec !== undefined) return { ...common, kind: 'audio', codec, ...channels }
  }
  throw new TakeError(
    'TAKE_UNKNOWN_CODEC',
    `track ${track.id}: no codec of ${track.kind} is called ${track.mimeType}`,
    {
      trackId: track.id,
    },
  )
}

/** The header of every track's file of a take: one clock for all of them. The address stands for none. */
export function trackHeaderOf(session: Session): Uint8Array {
  return serializeRtpdumpHeader({ address: '127.0.0.1/5004', startUs: startedAtUs(session) })
}
