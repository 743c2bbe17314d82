import { candidateLine, type UdpCandidate } from './ice-candidate.js'
import type { Offer, OfferedSection } from './offer.js'
import { type AcceptedSection, parametersOf } from './section.js'

/** Our side of the transport. */
export interface LocalTransport {
  readonly usernameFragment: string
  readonly password: string
  readonly fingerprint: { readonly algorithm: string; readonly value: string }
  readonly setup: 'active' | 'passive'
  readonly candidates: readonly UdpCandidate[]
}

/** What an answer asks of the sender. */
export interface AnswerWishes {
  /** Let silence be silent (RFC 7587 §6.1, `usedtx`). */
  readonly opusDtx: boolean
  /** Ceiling for all video sections each, in bits per second. */
  readonly maxVideoBitrateBps: number | undefined
}

/** Feedback that is sent (RFC 4585, RFC 5104, draft-holmer-rmcat-transport-wide-cc-extensions-01). */
const FEEDBACK: ReadonlySet<string> = new Set(['nack', 'nack pli', 'ccm fir', 'transport-cc'])

/** Writes the answer to an offer (RFC 9725 §4.2, RFC 3264 §6): it receives what was taken and sends nothing. */
export function writeAnswer(offer: Offer, local: LocalTransport, wishes: AnswerWishes, sessionId: string): string {
  const taken = offer.sections.filter(({ accepted }) => accepted !== undefined)
  const lines = ['v=0', `o=- ${sessionId} 1 IN IP4 0.0.0.0`, 's=-', 't=0 0']
  if (offer.isBundled) lines.push(`a=group:BUNDLE ${taken.map(({ mid }) => mid).join(' ')}`)
  if (offer.allowsMixedExtensions) lines.push('a=extmap-allow-mixed')
  lines.push('a=ice-options:trickle', 'a=msid-semantic: WMS')
  for (const section of offer.sections) {
    const { accepted } = section
    if (accepted === undefined) lines.push(...refuse(section))
    else lines.push(...accept(section, accepted, local, wishes, section === taken[0]))
  }
  return `${lines.join('\r\n')}\r\n`
}

function refuse({ kind, protocol, payloads, mid }: OfferedSection): string[] {
  return [`m=${kind} 0 ${protocol} ${payloads}`, 'c=IN IP4 0.0.0.0', `a=mid:${mid}`, 'a=inactive']
}

function accept(
  { kind, protocol, mid }: OfferedSection,
  { parsed, payloadTypes, codecs }: AcceptedSection,
  local: LocalTransport,
  wishes: AnswerWishes,
  isFirst: boolean,
): string[] {
  const lines = [`m=${kind} 9 ${protocol} ${payloadTypes.join(' ')}`, 'c=IN IP4 0.0.0.0']
  if (kind === 'video' && wishes.maxVideoBitrateBps !== undefined) {
    const bps = Math.floor(wishes.maxVideoBitrateBps)
    lines.push(`b=AS:${Math.max(1, Math.floor(bps / 1000))}`, `b=TIAS:${bps}`)
  }
  lines.push(
    'a=rtcp:9 IN IP4 0.0.0.0',
    `a=mid:${mid}`,
    'a=recvonly',
    'a=rtcp-mux',
    ...(parsed.rtcpRsize === undefined ? [] : ['a=rtcp-rsize']),
    `a=ice-ufrag:${local.usernameFragment}`,
    `a=ice-pwd:${local.password}`,
    `a=fingerprint:${local.fingerprint.algorithm} ${local.fingerprint.value}`,
    `a=setup:${local.setup}`,
    ...(parsed.ext ?? []).map(({ value, uri }) => `a=extmap:${value} ${uri}`),
  )
  for (const payloadType of payloadTypes) {
    const map = parsed.rtp.find(({ payload }) => payload === payloadType)
    if (map !== undefined) {
      const channels = map.encoding === undefined ? '' : `/${map.encoding}`
      lines.push(`a=rtpmap:${payloadType} ${map.codec}/${map.rate ?? 8000}${channels}`)
    }
    const isOpus = codecs.get(payloadType) === 'opus'
    // Everything else must be said back as it was offered (RFC 6184 §8.2.2, RFC 4588 §8.1).
    const parameters = isOpus ? opusParameters(wishes) : parametersOf(parsed, payloadType)
    if (parameters !== undefined) lines.push(`a=fmtp:${payloadType} ${parameters}`)
    if (codecs.has(payloadType)) lines.push(...feedbackLines(parsed, payloadType))
  }
  lines.push(...simulcastLines(parsed))
  // With BUNDLE those of the first section are those of all (RFC 9143 §7.3.3).
  if (isFirst) lines.push(...local.candidates.map(candidateLine), 'a=end-of-candidates')
  return lines
}

function opusParameters(wishes: AnswerWishes): string {
  return `minptime=10;useinbandfec=1;stereo=1;sprop-stereo=0${wishes.opusDtx ? ';usedtx=1' : ''}`
}

function feedbackLines({ rtcpFb = [] }: AcceptedSection['parsed'], payloadType: number): string[] {
  const kinds = new Set<string>()
  for (const { payload, type, subtype } of rtcpFb) {
    const kind = subtype === undefined ? String(type) : `${type} ${subtype}`
    if ((payload === '*' || Number(payload) === payloadType) && FEEDBACK.has(kind)) kinds.add(kind)
  }
  return [...kinds].map((kind) => `a=rtcp-fb:${payloadType} ${kind}`)
}

/** RFC 8853 §5.3: the same encodings, the other way round. */
function simulcastLines({ simulcast, rids = [] }: AcceptedSection['parsed']): string[] {
  const list = simulcast?.dir1 === 'send' ? simulcast.list1 : simulcast?.dir2 === 'send' ? simulcast.list2 : undefined
  if (list === undefined) return []
  // Of alternatives the first is taken, and a paused encoding is taken like any other.
  const chosen = String(list)
    .split(';')
    .map((alternatives) => (alternatives.split(',')[0] ?? '').replace('~', ''))
    .filter((rid) => rids.some(({ id }) => String(id) === rid))
  if (chosen.length === 0) return []
  return [...chosen.map((rid) => `a=rid:${rid} recv`), `a=simulcast:recv ${chosen.join(';')}`]
}
