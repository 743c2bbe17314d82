import type { AudioCodec, VideoCodec } from '@rushes/media'
import { codecOf } from '../sdp/codec-names.js'
import type { ParsedMedia, ParsedSession } from '../sdp/parsed-sdp.js'

/** What is taken of an offer. */
export interface OfferPolicy {
  /** In order of preference; `undefined`: all that can be recorded, in the offer's own order. */
  readonly videoCodecs: readonly VideoCodec[] | undefined
  readonly audioCodecs: readonly AudioCodec[] | undefined
  /** Take redundant audio (RFC 2198) where it is offered. */
  readonly audioRedundancy: boolean
}

/** What is taken of one m-line. */
export interface AcceptedSection {
  /** The m-line with nothing in it but what is taken; payload types in the order of the answer. */
  readonly parsed: ParsedMedia
  /** In the order of the answer. */
  readonly payloadTypes: readonly number[]
  /** The formats that carry media, to their codecs. */
  readonly codecs: ReadonlyMap<number, AudioCodec | VideoCodec>
}

/** All that a take can hold and a browser or an encoder may send. */
const AUDIO_CODECS: readonly AudioCodec[] = ['opus', 'pcmu', 'pcma', 'g722']
const VIDEO_CODECS: readonly VideoCodec[] = ['h264', 'h265', 'vp8', 'vp9', 'av1']

/** Header extensions that are used: by the demultiplexer, by congestion control, by whoever reads the recording. */
const EXTENSIONS: ReadonlySet<string> = new Set([
  'urn:ietf:params:rtp-hdrext:sdes:mid',
  'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'urn:3gpp:video-orientation',
  // Of AV1: tells lost padding from lost frames.
  'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension',
  'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
])

/** Decides what of an m-line is taken; `undefined`: nothing. */
export function acceptSection(
  parsed: ParsedMedia,
  session: ParsedSession,
  policy: OfferPolicy,
): AcceptedSection | undefined {
  const { type: kind } = parsed
  if (kind !== 'audio' && kind !== 'video') return undefined
  const direction = parsed.direction ?? session.direction ?? 'sendrecv'
  if (direction !== 'sendonly' && direction !== 'sendrecv') return undefined
  // Port 0 refuses, but for sections that say that they are reachable through the bundle alone.
  if (!/^(UDP|TCP)\/TLS\/RTP\/SAVPF$/.test(parsed.protocol)) return undefined
  const offered = String(parsed.payloads ?? '')
    .split(/\s+/)
    .map(Number)
  const codecs = acceptCodecs(parsed, kind, offered, policy)
  if (codecs.size === 0) return undefined
  const companions = companionsOf(parsed, kind, offered, codecs, policy)
  const payloadTypes = [...companions.red, ...codecs.keys(), ...companions.rtx]
  const taken = new Set(payloadTypes)
  const isTaken = ({ payload }: { payload: number | string }): boolean => payload === '*' || taken.has(Number(payload))
  return {
    payloadTypes,
    codecs,
    parsed: {
      ...parsed,
      payloads: payloadTypes.join(' '),
      rtp: parsed.rtp.filter(isTaken),
      fmtp: parsed.fmtp.filter(isTaken),
      rtcpFb: (parsed.rtcpFb ?? []).filter(isTaken),
      ext: [...(session.ext ?? []), ...(parsed.ext ?? [])].filter(({ uri }) => EXTENSIONS.has(String(uri))),
    },
  }
}

function acceptCodecs(
  parsed: ParsedMedia,
  kind: 'audio' | 'video',
  offered: readonly number[],
  policy: OfferPolicy,
): Map<number, AudioCodec | VideoCodec> {
  const preferred: readonly string[] | undefined = kind === 'video' ? policy.videoCodecs : policy.audioCodecs
  const possible: readonly string[] = preferred ?? (kind === 'video' ? VIDEO_CODECS : AUDIO_CODECS)
  const found: [number, AudioCodec | VideoCodec][] = []
  for (const payloadType of offered) {
    const map = parsed.rtp.find(({ payload }) => payload === payloadType)
    const codec = codecOf(kind, payloadType, map === undefined ? '' : String(map.codec).toLowerCase())
    if (codec === undefined || !possible.includes(codec)) continue
    // Interleaved mode (RFC 6184 §6.4) is not read, and nobody sends it.
    if (codec === 'h264' && /packetization-mode=2/.test(parametersOf(parsed, payloadType) ?? '')) continue
    found.push([payloadType, codec])
  }
  if (preferred !== undefined) found.sort(([, a], [, b]) => preferred.indexOf(a) - preferred.indexOf(b))
  return new Map(found)
}

/** Retransmission of what is taken, and redundant audio, which goes first: a sender sends the first format. */
function companionsOf(
  parsed: ParsedMedia,
  kind: 'audio' | 'video',
  offered: readonly number[],
  codecs: ReadonlyMap<number, AudioCodec | VideoCodec>,
  policy: OfferPolicy,
): { red: readonly number[]; rtx: readonly number[] } {
  const red: number[] = []
  const rtx: number[] = []
  const firstCodec = codecs.keys().next().value
  for (const { payload, codec } of parsed.rtp) {
    if (!offered.includes(payload)) continue
    const name = String(codec).toLowerCase()
    const parameters = parametersOf(parsed, payload) ?? ''
    if (name === 'rtx') {
      const apt = /(?:^|;)\s*apt=(\d+)/.exec(parameters)
      if (apt !== null && codecs.has(Number(apt[1]))) rtx.push(payload)
    } else if (name === 'red' && kind === 'audio' && policy.audioRedundancy) {
      // "111/111": the format of each block.
      const blocks = parameters.split('/').map(Number)
      if (codecs.get(Number(blocks[0])) === 'opus' && blocks.every((block) => block === firstCodec)) red.push(payload)
    }
  }
  return { red, rtx }
}

/** The `a=fmtp` parameters of a payload type. */
export function parametersOf(parsed: ParsedMedia, payloadType: number): string | undefined {
  const line = parsed.fmtp.find(({ payload }) => payload === payloadType)
  return line === undefined ? undefined : String(line.config)
}
