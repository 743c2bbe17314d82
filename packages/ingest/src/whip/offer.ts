import type { IngestMedia } from '../sdp/ingest-description.js'
import { parseSdp } from '../sdp/parse-sdp.js'
import {
  type ParsedFingerprint,
  type ParsedMedia,
  type ParsedSession,
  parseSdpText,
  writeSdpText,
} from '../sdp/parsed-sdp.js'
import { WhipError } from './errors.js'
import { type UdpCandidate, usableCandidates } from './ice-candidate.js'
import { type AcceptedSection, acceptSection, type OfferPolicy } from './section.js'

/** One m-line of the offer, in its order. */
export interface OfferedSection {
  readonly kind: string
  readonly protocol: string
  readonly payloads: string
  readonly mid: string
  /** `undefined`: refused. */
  readonly accepted: AcceptedSection | undefined
}

/** An offer, as far as it concerns us. */
export interface Offer {
  readonly sections: readonly OfferedSection[]
  /** What arrives, for an `RtpSession`. */
  readonly media: readonly IngestMedia[]
  readonly usernameFragment: string
  readonly password: string
  readonly fingerprints: readonly { readonly algorithm: string; readonly value: string }[]
  /** Who begins DTLS. */
  readonly setup: 'actpass' | 'active' | 'passive'
  readonly iceLite: boolean
  readonly candidates: readonly UdpCandidate[]
  /** Whether the offer uses BUNDLE (RFC 9143). */
  readonly isBundled: boolean
  readonly allowsMixedExtensions: boolean
}

/** An offer with more is not of a publisher. */
const MAX_SECTIONS = 16

/**
 * Reads the offer of a publisher (RFC 9725 §4.2) and decides what of it is taken.
 * @throws WhipError where it cannot be answered
 */
export function readOffer(text: string, policy: OfferPolicy): Offer {
  const session = parseSdpText(text)
  if (session.version === undefined || session.media.length === 0) throw bad('it is no session description')
  if (session.media.length > MAX_SECTIONS) throw bad(`it has more than ${MAX_SECTIONS} m-lines`)
  if (session.media.some(({ port, protocol, payloads }) => port === undefined || !protocol || payloads === undefined)) {
    throw bad('an m-line cannot be read')
  }
  const group = (session.groups ?? []).find(({ type }) => type === 'BUNDLE')
  const bundled = new Set(group === undefined ? [] : String(group.mids).split(/\s+/))
  const sections = session.media.map((parsed, index): OfferedSection => {
    const mid = parsed.mid === undefined ? String(index) : String(parsed.mid)
    const isReachable = bundled.size === 0 || bundled.has(mid)
    return {
      kind: parsed.type,
      protocol: parsed.protocol,
      payloads: String(parsed.payloads ?? '0'),
      mid,
      accepted: isReachable ? acceptSection(parsed, session, policy) : undefined,
    }
  })
  const accepted = session.media.filter((_, index) => sections[index]?.accepted !== undefined)
  if (accepted.length === 0) {
    throw new WhipError('WHIP_NO_COMMON_CODEC', 'the offer sends neither audio nor video in a codec that is taken here')
  }
  if (accepted.length > 1 && bundled.size === 0) throw bad('its sections must share one transport: a=group:BUNDLE')
  const first = accepted.find(({ iceUfrag }) => iceUfrag !== undefined) ?? session
  const { iceUfrag, icePwd } = { ...credentialsOf(session), ...credentialsOf(first) }
  if (iceUfrag === undefined || icePwd === undefined) throw bad('a=ice-ufrag or a=ice-pwd is missing')
  return {
    sections,
    media: mediaOf(session, sections),
    usernameFragment: iceUfrag,
    password: icePwd,
    fingerprints: fingerprintsOf(text, session, accepted),
    setup: setupOf(accepted.find(({ setup }) => setup !== undefined)?.setup ?? session.setup),
    iceLite: session.icelite !== undefined,
    candidates: usableCandidates(accepted.flatMap(({ candidates }) => candidates ?? [])),
    isBundled: bundled.size > 0,
    allowsMixedExtensions: session.extmapAllowMixed !== undefined,
  }
}

/** The accepted sections again as a description of plain RTP, which is what is left of it behind SRTP. */
function mediaOf(session: ParsedSession, sections: readonly OfferedSection[]): readonly IngestMedia[] {
  const media = sections.flatMap(({ accepted, mid }) =>
    accepted === undefined ? [] : [{ ...accepted.parsed, mid, protocol: 'RTP/AVPF', port: 9, fingerprint: undefined }],
  )
  const plain = { version: 0, origin: {}, name: '-', timing: { start: 0, stop: 0 }, groups: session.groups, media }
  try {
    return parseSdp(writeSdpText({ ...session, ...plain, fingerprint: undefined, direction: undefined })).media
  } catch (cause) {
    throw new WhipError('WHIP_BAD_OFFER', `the offer cannot be used: ${(cause as Error).message}`, { cause })
  }
}

function credentialsOf(from: ParsedMedia | ParsedSession): { iceUfrag?: string; icePwd?: string } {
  const { iceUfrag, icePwd } = from
  return {
    ...(iceUfrag === undefined ? {} : { iceUfrag: String(iceUfrag) }),
    ...(icePwd === undefined ? {} : { icePwd: String(icePwd) }),
  }
}

function fingerprintsOf(text: string, session: ParsedSession, accepted: readonly ParsedMedia[]): Offer['fingerprints'] {
  const one = (accepted[0]?.fingerprint ?? session.fingerprint) as ParsedFingerprint | undefined
  if (one === undefined) throw bad('a=fingerprint is missing: media must be encrypted (DTLS-SRTP)')
  // The parser keeps one of several; all that are given bind the same certificate (RFC 8122 §5.1).
  const all = new Map<string, { algorithm: string; value: string }>()
  for (const [, algorithm, value] of text.matchAll(/^a=fingerprint:(\S+)\s+(\S+)\s*$/gm)) {
    if (algorithm !== undefined && value !== undefined) all.set(`${algorithm} ${value}`, { algorithm, value })
  }
  return [...all.values()].slice(0, MAX_SECTIONS)
}

function setupOf(setup: string | undefined): Offer['setup'] {
  if (setup === undefined) return 'actpass'
  if (setup === 'actpass' || setup === 'active' || setup === 'passive') return setup
  throw bad(`a=setup:${setup} cannot be answered`)
}

function bad(what: string): WhipError {
  return new WhipError('WHIP_BAD_OFFER', `the offer cannot be used: ${what}`)
}
