import { ConfigurationError } from '@rushes/media'
import { codecOf } from '../sdp/codec-names.js'
import type { IngestFormat, IngestMedia } from '../sdp/ingest-description.js'
import { codecsOf, type WeriftCodec, type WeriftReceiver, type WeriftTrack } from './werift-shapes.js'
import type { RecordWeriftTrackOptions } from './werift-track-options.js'

/** The track itself, or all encodings of it. @throws ConfigurationError */
export function tracksOf(
  track: WeriftTrack,
  receiver: WeriftReceiver | undefined,
  rid: string | undefined,
): readonly WeriftTrack[] {
  const layers = (receiver?.tracks ?? [track]).filter((one) => one.rid !== undefined)
  if (rid === undefined) return layers.length > 1 && track.rid !== undefined ? layers : [track]
  const chosen = layers.find((one) => one.rid === rid)
  if (chosen === undefined) throw new ConfigurationError('rid', 'must be one that the track is sent with', rid)
  return [chosen]
}

/** The track as a description. @throws ConfigurationError where nothing of it can be recorded */
export function mediaOf(
  track: WeriftTrack,
  receiver: WeriftReceiver | undefined,
  { peer, headerExtensions }: RecordWeriftTrackOptions,
): IngestMedia {
  const { kind } = track
  if (kind !== 'audio' && kind !== 'video') {
    throw new ConfigurationError('track.kind', "must be 'audio' or 'video'", kind)
  }
  const codecs = codecsOf(receiver, track)
  const formats = codecs.flatMap((codec) => formatOf(kind, codec) ?? [])
  if (formats.length === 0) {
    const names = codecs.map(({ mimeType }) => mimeType).join(', ')
    throw new ConfigurationError('track.codec', `must be a codec that can be recorded`, names)
  }
  return {
    mid: receiver?.sdesMid ?? track.id ?? '0',
    kind,
    port: 0,
    rtcpPort: 0,
    rtcpMux: true,
    formats,
    rtx: {},
    red: [],
    ulpfec: [],
    unsupported: [],
    headerExtensions: headerExtensions ?? { ...peer?.extIdUriMap },
    rtxSsrcs: {},
    ignoredSsrcs: [],
    ssrcs: [],
    layers: [],
    layersAscend: false,
    feedback: { nack: hasNack(codecs), pli: true, fir: false, remb: false, reducedSize: true, referenceTime: false },
  }
}

/** Generic NACK (RFC 4585 §4.2): feedback of type `nack` without a parameter. */
function hasNack(codecs: readonly WeriftCodec[]): boolean {
  return codecs.some(({ rtcpFeedback = [] }) =>
    rtcpFeedback.some(({ type, parameter = '' }) => type === 'nack' && parameter === ''),
  )
}

function formatOf(kind: 'audio' | 'video', codec: WeriftCodec): IngestFormat | undefined {
  const { mimeType, payloadType, clockRate, channels, parameters } = codec
  const name = mimeType.slice(mimeType.indexOf('/') + 1).toLowerCase()
  // werift's own name for it is older than the specification.
  const known = codecOf(kind, payloadType, name === 'av1x' ? 'av1' : name)
  if (known === undefined) return undefined
  return {
    payloadType,
    codec: known,
    clockRate,
    ...(channels === undefined ? {} : { channels }),
    ...(parameters === undefined || parameters === '' ? {} : { fmtp: parameters }),
  }
}
