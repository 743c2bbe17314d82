import { ConfigurationError, type Track, timescaleOf } from '@rushes/media'
import type { ContinuityCounter } from './ts-packet.js'

/** A track as the transport stream knows it. */
export interface ElementaryStream extends ContinuityCounter {
  readonly track: Track
  readonly timescale: number
  readonly pid: number
  /** Table 2-22: 0xE0 to 0xEF video, 0xC0 to 0xDF audio. */
  readonly streamId: number
  /** Table 2-34. */
  readonly streamType: number
  /** Of the sample before; unwrapped. */
  lastDts90k: number
}

const FIRST_PID = 0x100
const STREAM_TYPE_H264 = 0x1b
const STREAM_TYPE_ADTS = 0x0f
const FIRST_VIDEO_STREAM_ID = 0xe0
const FIRST_AUDIO_STREAM_ID = 0xc0
/** So many stream_ids there are of each kind. */
const MAX_VIDEO_STREAMS = 16
const MAX_AUDIO_STREAMS = 32

/** The stream of the next track. Throws ConfigurationError where a transport stream cannot carry it. */
export function createElementaryStream(track: Track, before: readonly ElementaryStream[]): ElementaryStream {
  const field = `tracks[${before.length}]`
  if (before.some((stream) => stream.track.id === track.id)) {
    throw new ConfigurationError(`${field}.id`, 'must be unique', track.id)
  }
  const sameKind = before.filter((stream) => stream.track.kind === track.kind).length
  if (track.kind === 'video') {
    if (track.codec !== 'h264') {
      throw new ConfigurationError(
        `${field}.codec`,
        'this muxer carries H264 video only: ask the sender for H264, record to CMAF, or transcode',
        track.codec,
      )
    }
    if (sameKind === MAX_VIDEO_STREAMS) throw new ConfigurationError(field, `at most ${MAX_VIDEO_STREAMS} video tracks`)
  } else {
    if (track.codec !== 'aac') {
      throw new ConfigurationError(
        `${field}.codec`,
        'MPEG-TS players know AAC audio only: transcode the track to AAC, or record to CMAF',
        track.codec,
      )
    }
    if (sameKind === MAX_AUDIO_STREAMS) throw new ConfigurationError(field, `at most ${MAX_AUDIO_STREAMS} audio tracks`)
  }
  const timescale = timescaleOf(track)
  if (!Number.isSafeInteger(timescale) || timescale <= 0) {
    throw new ConfigurationError(`${field}.timescale`, 'must be a positive integer', timescale)
  }
  const isVideo = track.kind === 'video'
  return {
    track,
    timescale,
    pid: FIRST_PID + before.length,
    streamId: (isVideo ? FIRST_VIDEO_STREAM_ID : FIRST_AUDIO_STREAM_ID) + sameKind,
    streamType: isVideo ? STREAM_TYPE_H264 : STREAM_TYPE_ADTS,
    continuityCounter: 15,
    lastDts90k: Number.NEGATIVE_INFINITY,
  }
}

/** Whose PID carries the PCR: the first video track, else the first audio track. */
export function pcrStreamOf(streams: readonly ElementaryStream[]): ElementaryStream | undefined {
  return streams.find((stream) => stream.track.kind === 'video') ?? streams[0]
}
