import { ConfigurationError } from '@rushes/media'
import { trackOf } from '../session-track.js'

/** What a payload type stands for, as SDP would say it. */
export interface PayloadFormat {
  /** As in SDP: `video/H264`, `audio/opus`. */
  readonly mimeType: string
  /** Hz. @defaultValue that of the codec's RTP payload format */
  readonly clockRate?: number
  /** @defaultValue 2 for Opus, 1 otherwise */
  readonly channels?: number
  /** The `a=fmtp` parameters, without the payload type. */
  readonly fmtp?: string
}

/** The same with its clock rate. */
export type KnownFormat = PayloadFormat & { readonly clockRate: number; readonly kind: 'audio' | 'video' }

/** RFC 3551 §6, table 4: the types whose codec Rushes knows. */
const staticTypes: ReadonlyMap<number, string> = new Map([
  [0, 'audio/PCMU'],
  [8, 'audio/PCMA'],
  [9, 'audio/G722'],
])

/** RTP clock rates (RFC 3551 §4.5: G.722 has 8,000 although it is sampled twice as often). */
const clockRates: Readonly<Record<string, number>> = {
  'audio/opus': 48_000,
  'audio/pcmu': 8000,
  'audio/pcma': 8000,
  'audio/g722': 8000,
}

const janusCodecs: Readonly<Record<string, string>> = {
  opus: 'audio/opus',
  pcmu: 'audio/PCMU',
  pcma: 'audio/PCMA',
  g722: 'audio/G722',
  vp8: 'video/VP8',
  vp9: 'video/VP9',
  h264: 'video/H264',
  h265: 'video/H265',
  av1: 'video/AV1',
}

/** @throws ConfigurationError naming `field` when the codec is none that Rushes knows, or has no clock rate */
export function knownFormat(format: PayloadFormat | string, field: string): KnownFormat {
  const given = typeof format === 'string' ? { mimeType: format } : format
  const mimeType = given.mimeType.toLowerCase()
  const kind = mimeType.startsWith('video/') ? 'video' : 'audio'
  const clockRate = given.clockRate ?? (kind === 'video' ? 90_000 : clockRates[mimeType])
  if (clockRate === undefined || !(clockRate > 0)) {
    throw new ConfigurationError(`${field}.clockRate`, 'must be given for this codec, in Hz', given.mimeType)
  }
  const channels = given.channels ?? (mimeType === 'audio/opus' ? 2 : undefined)
  try {
    trackOf({ id: 'x', kind, file: 'x', mimeType, clockRate, joinedAtMs: 0 })
  } catch {
    throw new ConfigurationError(`${field}.mimeType`, 'must be a codec that Rushes knows', given.mimeType)
  }
  return { ...given, kind, clockRate, ...(channels === undefined ? {} : { channels }) }
}

/** What a payload type means everywhere, or `undefined` for those that SDP assigns. */
export function staticFormat(payloadType: number): KnownFormat | undefined {
  const mimeType = staticTypes.get(payloadType)
  return mimeType === undefined ? undefined : knownFormat(mimeType, 'payloadType')
}

/** The codec of a Janus recording; the old name `g711` leaves it to the payload type. */
export function janusFormat(codec: string, payloadType: number): KnownFormat | undefined {
  if (codec === 'g711') return staticFormat(payloadType)
  const mimeType = janusCodecs[codec]
  return mimeType === undefined ? undefined : knownFormat(mimeType, 'codec')
}
