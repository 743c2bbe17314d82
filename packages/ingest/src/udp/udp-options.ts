import { isIP } from 'node:net'
import { ConfigurationError, type MonotonicClock, type TrackTarget } from '@rushes/media'
import type { NackOptions } from '../repair/nack-generator.js'
import { codecOf } from '../sdp/codec-names.js'
import type { IngestLayer, IngestMedia } from '../sdp/ingest-description.js'
import { parseSdp } from '../sdp/parse-sdp.js'
import type { IngestEvent } from '../session/ingest-event.js'

/** One stream, described without SDP. */
export interface UdpStream {
  readonly kind: 'audio' | 'video'
  /** `h264`, `opus`, … as tracks name them. */
  readonly codec: string
  /** 0 to 127. */
  readonly payloadType: number
  /** Hz. @defaultValue 90,000 for video, 48,000 for Opus, 8,000 for G.711 and G.722; AAC needs it */
  readonly clockRate?: number
  /** @defaultValue 2 for Opus */
  readonly channels?: number
  /** The `a=fmtp` parameters, without the payload type. */
  readonly fmtp?: string
  /** Where RTP is received. @defaultValue 0: any free port */
  readonly port?: number
  /** Where RTCP is received. @defaultValue the port after that of RTP */
  readonly rtcpPort?: number
  /** RTP and RTCP on one port (RFC 5761). @defaultValue false */
  readonly rtcpMux?: boolean
  /** Without it any source with the payload type is taken. */
  readonly ssrc?: number
  /** @defaultValue the position in `streams` */
  readonly mid?: string
  /** @defaultValue that of the ingest */
  readonly participantId?: string
  /** Retransmission (RFC 4588). */
  readonly rtx?: { readonly payloadType: number; readonly ssrc?: number }
  /** Payload type of RFC 2198. */
  readonly red?: number
  /** Payload type of RFC 5109. */
  readonly ulpfec?: number
  /** RTP header extensions, id to URI. */
  readonly headerExtensions?: Readonly<Record<number, string>>
  /** Simulcast: two or more. With SSRCs and without sizes they stand from the smallest to the largest. */
  readonly layers?: readonly IngestLayer[]
}

/** Where the sender is, for those who know it. */
export interface UdpRemote {
  /** Packets from elsewhere are refused. @defaultValue the address of the first packet that makes sense */
  readonly address?: string
  /** Port from which RTP comes. @defaultValue any */
  readonly port?: number
  /** Port to which RTCP is sent. @defaultValue that from which RTCP came; before that the one after RTP's */
  readonly rtcpPort?: number
}

/** Options of `createUdpIngest`. */
export interface UdpIngestOptions {
  /** Takes the tracks: a recording. */
  readonly target: TrackTarget
  /** Whose tracks they are. */
  readonly participantId: string
  /** What is sent, as a session description. Its ports are those on which it is received here. */
  readonly sdp?: string
  /** What is sent, without SDP. One of the two must be given. */
  readonly streams?: readonly UdpStream[]
  /** Address of the interface. Any but loopback lets in whoever can reach it. @defaultValue '127.0.0.1' */
  readonly bindAddress?: string
  /** RTP ports instead of those in the description, one for each media section or bundle of them; 0 for any. */
  readonly ports?: readonly number[]
  readonly remote?: UdpRemote
  /** Whether missing packets are asked for. @defaultValue as the SDP offers; `true` with `streams` */
  readonly nack?: boolean | NackOptions
  /** How keyframes are asked for. @defaultValue 'pli', or 'fir' where the SDP offers only that */
  readonly keyframeRequests?: 'pli' | 'fir' | 'none'
  /** Ceiling to announce to the sender by REMB, in bits per second. @defaultValue none */
  readonly maxBitrateBps?: number
  /** Silence (no RTP, no sender report) after which a track ends, in milliseconds. @defaultValue 10,000 */
  readonly sourceTimeoutMs?: number
  /** When a track begins: with its first packet, so that nobody leaves an empty one, or at once. @defaultValue 'first-packet' */
  readonly announce?: 'first-packet' | 'at-once'
  /** Receive buffer asked of the system, in bytes; it may grant less. @defaultValue 4,194,304 (a second of 30 Mbit/s) */
  readonly receiveBufferBytes?: number
  readonly onEvent?: (event: IngestEvent) => void
  /** Gives arrival times. @defaultValue the machine's monotonic clock */
  readonly clock?: MonotonicClock
}

/** The media sections that options describe. @throws ConfigurationError */
export function mediaOf(options: UdpIngestOptions): readonly IngestMedia[] {
  const { sdp, streams } = options
  if ((sdp === undefined) === (streams === undefined)) {
    throw new ConfigurationError('sdp', 'give either sdp or streams')
  }
  const media = sdp === undefined ? (streams ?? []).map(mediaOfStream) : parseSdp(sdp).media
  if (media.length === 0) throw new ConfigurationError('streams', 'must describe at least one stream')
  const mids = new Set<string>()
  for (const [index, { mid }] of media.entries()) {
    if (mids.has(mid)) throw new ConfigurationError(`streams[${index}].mid`, 'must be unique', mid)
    mids.add(mid)
  }
  return media
}

/** Checks what is not checked elsewhere. @throws ConfigurationError */
export function checkUdpOptions(options: UdpIngestOptions): void {
  if (typeof options.target?.addTrack !== 'function') throw new ConfigurationError('target', 'must be a TrackTarget')
  if (typeof options.participantId !== 'string' || options.participantId === '') {
    throw new ConfigurationError('participantId', 'must be a string that is not empty', options.participantId)
  }
  positive('sourceTimeoutMs', options.sourceTimeoutMs)
  positive('maxBitrateBps', options.maxBitrateBps)
  positive('receiveBufferBytes', options.receiveBufferBytes)
  for (const [index, value] of (options.ports ?? []).entries()) port(`ports[${index}]`, value)
  address('bindAddress', options.bindAddress)
  address('remote.address', options.remote?.address)
  port('remote.port', options.remote?.port)
  port('remote.rtcpPort', options.remote?.rtcpPort)
}

function mediaOfStream(stream: UdpStream, index: number): IngestMedia {
  const field = `streams[${index}]`
  const { kind, payloadType, rtx, red, ulpfec, ssrc, layers = [] } = stream
  if (kind !== 'audio' && kind !== 'video')
    throw new ConfigurationError(`${field}.kind`, "must be 'audio' or 'video'", kind)
  const codec = codecOf(kind, -1, stream.codec === 'aac' ? 'mpeg4-generic' : stream.codec)
  if (codec === undefined) throw new ConfigurationError(`${field}.codec`, `is no ${kind} codec`, stream.codec)
  for (const [name, type] of Object.entries({ payloadType, red, ulpfec, 'rtx.payloadType': rtx?.payloadType })) {
    if (type === undefined && name !== 'payloadType') continue
    integer(`${field}.${name}`, type, 127)
  }
  if (ssrc !== undefined) integer(`${field}.ssrc`, ssrc, 0xffff_ffff)
  port(`${field}.port`, stream.port)
  port(`${field}.rtcpPort`, stream.rtcpPort)
  const clockRate =
    stream.clockRate ?? (kind === 'video' ? 90_000 : codec === 'opus' ? 48_000 : codec === 'aac' ? 0 : 8000)
  if (!Number.isSafeInteger(clockRate) || clockRate <= 0) {
    throw new ConfigurationError(`${field}.clockRate`, 'must be a positive integer', stream.clockRate)
  }
  const channels = stream.channels ?? (codec === 'opus' ? 2 : undefined)
  const rtpPort = stream.port ?? 0
  const rtcpMux = stream.rtcpMux ?? false
  return {
    mid: stream.mid ?? String(index),
    kind,
    port: rtpPort,
    rtcpPort: rtcpMux ? rtpPort : (stream.rtcpPort ?? (rtpPort === 0 ? 0 : rtpPort + 1)),
    rtcpMux,
    ...(stream.participantId === undefined ? {} : { participantId: stream.participantId }),
    formats: [
      {
        payloadType,
        codec,
        clockRate,
        ...(channels === undefined ? {} : { channels }),
        ...(stream.fmtp === undefined ? {} : { fmtp: stream.fmtp }),
      },
    ],
    rtx: rtx === undefined ? {} : { [rtx.payloadType]: payloadType },
    red: red === undefined ? [] : [red],
    ulpfec: ulpfec === undefined ? [] : [ulpfec],
    unsupported: [],
    headerExtensions: stream.headerExtensions ?? {},
    rtxSsrcs: rtx?.ssrc === undefined || ssrc === undefined ? {} : { [rtx.ssrc]: ssrc },
    ignoredSsrcs: [],
    ssrcs: ssrc === undefined ? [] : [ssrc],
    layers,
    layersAscend: layers.every((layer) => layer.ssrc !== undefined && layer.maxWidth === undefined),
    feedback: { nack: true, pli: true, fir: false, remb: false, reducedSize: false, referenceTime: false },
  }
}

function integer(field: string, value: number | undefined, max: number): void {
  if (value !== undefined && Number.isInteger(value) && value >= 0 && value <= max) return
  throw new ConfigurationError(field, `must be an integer from 0 to ${max}`, value)
}

function address(field: string, value: string | undefined): void {
  if (value !== undefined && isIP(value) === 0) throw new ConfigurationError(field, 'must be an IP address', value)
}

function port(field: string, value: number | undefined): void {
  if (value !== undefined) integer(field, value, 65_535)
}

function positive(field: string, value: number | undefined): void {
  if (value !== undefined && !(value > 0)) throw new ConfigurationError(field, 'must be greater than 0', value)
}
