import { ConfigurationError } from '@rushes/media'
import { codecOf } from './codec-names.js'
import type { IngestDescription, IngestFeedback, IngestFormat, IngestLayer, IngestMedia } from './ingest-description.js'
import { type ParsedMedia, type ParsedSession, parseSdpText } from './parsed-sdp.js'

/** No call has so many media sections; each costs sockets and memory. */
const MAX_MEDIA = 64
/** A description of 64 sections in the manner of browsers has about 300 kB. */
const MAX_BYTES = 1_048_576

/**
 * Reads a session description (RFC 8866) of plain RTP, as ffmpeg and GStreamer write it and as Janus and mediasoup are
 * described. Sections that are rejected (port 0 without bundle-only), inactive, or neither audio nor video are left out.
 * @throws ConfigurationError where it is no SDP, asks for encryption, or has nothing that can be received
 */
export function parseSdp(text: string): IngestDescription {
  if (typeof text !== 'string' || text.length > MAX_BYTES) {
    throw new ConfigurationError('sdp', `must be text of at most ${MAX_BYTES} characters`)
  }
  const session = parseSdpText(text)
  if (session.version === undefined || session.media.length === 0) {
    throw new ConfigurationError('sdp', 'must be a session description: v=0 and at least one m= line')
  }
  if (session.media.length > MAX_MEDIA) {
    throw new ConfigurationError('sdp', `must have at most ${MAX_MEDIA} m= lines`, session.media.length)
  }
  const bundles = bundlesOf(session)
  const media: IngestMedia[] = []
  const mids = new Set<string>()
  for (const [index, parsed] of session.media.entries()) {
    const section = readMedia(parsed, session, index, bundles)
    if (section === undefined) continue
    if (mids.has(section.mid)) throw new ConfigurationError('sdp', `a=mid must be unique`, section.mid)
    mids.add(section.mid)
    media.push(section)
  }
  if (media.length === 0) throw new ConfigurationError('sdp', 'has no audio or video section that could be received')
  return { media }
}

function bundlesOf(session: ParsedSession): ReadonlyMap<string, string> {
  const bundles = new Map<string, string>()
  for (const [index, { type, mids }] of (session.groups ?? []).entries()) {
    if (type === 'BUNDLE') for (const mid of words(mids)) bundles.set(mid, `bundle-${index}`)
  }
  return bundles
}

function readMedia(
  parsed: ParsedMedia,
  session: ParsedSession,
  index: number,
  bundles: ReadonlyMap<string, string>,
): IngestMedia | undefined {
  const { type: kind } = parsed
  if (kind !== 'audio' && kind !== 'video') return undefined
  const mid = parsed.mid === undefined ? String(index) : String(parsed.mid)
  const bundle = bundles.get(mid)
  const direction = parsed.direction ?? session.direction
  const port = Number(parsed.port)
  if ((port === 0 && bundle === undefined) || direction === 'inactive' || direction === 'recvonly') {
    return undefined
  }
  const field = `sdp.media[${index}]`
  refuseEncryption(parsed, session, field)
  checkPort(port, `${field}.port`)
  const payloads = readPayloads(parsed, kind)
  if (payloads.formats.length === 0) {
    throw new ConfigurationError(`${field}.rtpmap`, `names no ${kind} codec that can be recorded`, names(parsed))
  }
  const rtcpMux = parsed.rtcpMux !== undefined || session.rtcpMux !== undefined
  const rtcpPort = rtcpMux ? port : Number(parsed.rtcp?.port ?? (port === 0 ? 0 : port + 1))
  checkPort(rtcpPort, `${field}.rtcp`)
  return {
    mid,
    kind,
    port,
    rtcpPort,
    rtcpMux,
    ...(bundle === undefined ? {} : { bundle }),
    ...payloads,
    headerExtensions: readExtensions(parsed, session),
    ...readSources(parsed),
    feedback: readFeedback(parsed),
  }
}

function checkPort(port: number, field: string): void {
  if (!(port <= 65_535)) throw new ConfigurationError(field, 'must be a port, 0 to 65,535', port)
}

function refuseEncryption(parsed: ParsedMedia, session: ParsedSession, field: string): void {
  const isSecure = /SAVP/.test(parsed.protocol)
  if (
    isSecure ||
    parsed.crypto !== undefined ||
    parsed.fingerprint !== undefined ||
    session.fingerprint !== undefined
  ) {
    throw new ConfigurationError(
      `${field}.protocol`,
      'must be RTP/AVP or RTP/AVPF: SRTP is not spoken here, let the sender use plain RTP or WHIP',
      isSecure ? parsed.protocol : 'a=crypto or a=fingerprint',
    )
  }
  if (!/^RTP\/AVPF?$/.test(parsed.protocol)) {
    throw new ConfigurationError(`${field}.protocol`, 'must be RTP/AVP or RTP/AVPF', parsed.protocol)
  }
}

/** Ids have a byte (RFC 8285 §4.2, §4.3); larger ones are offers that wait for an answer. */
function readExtensions(parsed: ParsedMedia, session: ParsedSession): Record<number, string> {
  const extensions: Record<number, string> = {}
  for (const { value, uri } of [...(session.ext ?? []), ...(parsed.ext ?? [])]) {
    const id = Number(value)
    if (id >= 1 && id <= 255) extensions[id] = String(uri)
  }
  return extensions
}

type Payloads = Pick<IngestMedia, 'formats' | 'rtx' | 'red' | 'ulpfec' | 'unsupported'>

function readPayloads(parsed: ParsedMedia, kind: 'audio' | 'video'): Payloads {
  const formats: IngestFormat[] = []
  const rtx: Record<number, number> = {}
  const red: number[] = []
  const ulpfec: number[] = []
  const unsupported: { payloadType: number; encoding: string }[] = []
  for (const payloadType of words(parsed.payloads).map(Number)) {
    if (!Number.isInteger(payloadType) || payloadType < 0 || payloadType > 127) continue
    const map = parsed.rtp.find(({ payload }) => payload === payloadType)
    const fmtpLine = parsed.fmtp.find(({ payload }) => payload === payloadType)
    const fmtp = fmtpLine === undefined ? undefined : String(fmtpLine.config)
    const encoding = map === undefined ? '' : String(map.codec).toLowerCase()
    const codec = codecOf(kind, payloadType, encoding)
    const clockRate = map?.rate ?? 8000
    // A clock without a rate is none: who is to use the format could not either.
    if (codec !== undefined && Number.isSafeInteger(clockRate) && clockRate > 0) {
      const channels = Number(map?.encoding ?? 0)
      formats.push({
        payloadType,
        codec,
        clockRate,
        ...(Number.isSafeInteger(channels) && channels > 0 ? { channels } : {}),
        ...(fmtp === undefined ? {} : { fmtp }),
      })
    } else if (encoding === 'rtx') {
      const apt = /(?:^|;)\s*apt=(\d+)/.exec(fmtp ?? '')
      if (apt !== null && Number(apt[1]) <= 127) rtx[payloadType] = Number(apt[1])
    } else if (encoding === 'red') red.push(payloadType)
    else if (encoding === 'ulpfec') ulpfec.push(payloadType)
    else unsupported.push({ payloadType, encoding: encoding === '' ? 'unknown' : encoding })
  }
  return { formats, rtx, red, ulpfec, unsupported }
}

type Sources = Pick<IngestMedia, 'rtxSsrcs' | 'ignoredSsrcs' | 'ssrcs' | 'layers' | 'layersAscend'>

function readSources(parsed: ParsedMedia): Sources {
  const rtxSsrcs: Record<number, number> = {}
  const ignored = new Set<number>()
  let simulcast: readonly number[] = []
  for (const { semantics: name, ssrcs } of parsed.ssrcGroups ?? []) {
    const semantics = String(name)
    const list = words(ssrcs).map(Number).filter(isSsrc)
    if (semantics === 'FID' && list.length === 2) rtxSsrcs[list[1]!] = list[0]!
    else if (semantics === 'SIM') simulcast = list
    else if (semantics.startsWith('FEC')) for (const ssrc of list.slice(1)) ignored.add(ssrc)
  }
  const ssrcs = new Set<number>()
  for (const { id } of parsed.ssrcs ?? []) {
    if (isSsrc(id) && rtxSsrcs[id] === undefined && !ignored.has(id)) ssrcs.add(id)
  }
  const rids = ridLayers(parsed)
  const layers = simulcast.length > 1 ? simulcast.map((ssrc): IngestLayer => ({ ssrc })) : rids
  return {
    rtxSsrcs,
    ignoredSsrcs: [...ignored],
    ssrcs: [...ssrcs],
    layers,
    layersAscend: simulcast.length > 1,
  }
}

/** The rids that the peer sends: of the list of alternatives the first (RFC 8853 §5.1). */
function ridLayers(parsed: ParsedMedia): IngestLayer[] {
  const { simulcast } = parsed
  if (simulcast === undefined) return []
  const list = simulcast.dir1 === 'send' ? simulcast.list1 : simulcast.dir2 === 'send' ? simulcast.list2 : undefined
  if (list === undefined) return []
  return String(list)
    .split(';')
    .map((alternatives) => alternatives.split(',')[0]!.replace('~', ''))
    .map((rid) => {
      const params = String(parsed.rids?.find(({ id }) => String(id) === rid)?.params ?? '')
      const maxWidth = /max-width=(\d+)/.exec(params)
      const maxHeight = /max-height=(\d+)/.exec(params)
      return {
        rid,
        ...(maxWidth === null ? {} : { maxWidth: Number(maxWidth[1]) }),
        ...(maxHeight === null ? {} : { maxHeight: Number(maxHeight[1]) }),
      }
    })
}

function readFeedback(parsed: ParsedMedia): IngestFeedback {
  const offers = (type: string, subtype?: string): boolean =>
    (parsed.rtcpFb ?? []).some((feedback) => feedback.type === type && feedback.subtype === subtype)
  return {
    nack: offers('nack'),
    pli: offers('nack', 'pli'),
    fir: offers('ccm', 'fir'),
    remb: offers('goog-remb'),
    reducedSize: parsed.rtcpRsize !== undefined,
    referenceTime: offers('rrtr'),
  }
}

function words(list: string | number | undefined): string[] {
  return list === undefined
    ? []
    : String(list)
        .split(/\s+/)
        .filter((word) => word !== '')
}

function names(parsed: ParsedMedia): string {
  return parsed.rtp.length === 0 ? String(parsed.payloads) : parsed.rtp.map(({ codec }) => codec).join(', ')
}

function isSsrc(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff
}
