import { type ParsedCandidate, parseSdpText } from '../sdp/parsed-sdp.js'
import { WhipError } from './errors.js'
import { type UdpCandidate, usableCandidates } from './ice-candidate.js'

/** What a publisher adds to its offer later (RFC 8840 §9). */
export interface SdpFragment {
  /** Of the ICE generation that the candidates belong to, where it says so. */
  readonly usernameFragment: string | undefined
  readonly candidates: readonly UdpCandidate[]
}

/**
 * Reads a body of type `application/trickle-ice-sdpfrag`. All sections share one transport, so that it does not matter
 * in which of them a candidate stands.
 * @throws WhipError where it says nothing of ICE
 */
export function parseSdpFragment(text: string): SdpFragment {
  const session = parseSdpText(text) as ReturnType<typeof parseSdpText> & { candidates?: readonly ParsedCandidate[] }
  const all = [...(session.candidates ?? []), ...session.media.flatMap(({ candidates }) => candidates ?? [])]
  const ufrag = session.iceUfrag ?? session.media.find(({ iceUfrag }) => iceUfrag !== undefined)?.iceUfrag
  if (all.length === 0 && ufrag === undefined && !/^a=end-of-candidates\s*$/m.test(text)) {
    throw new WhipError('WHIP_BAD_FRAGMENT', 'the fragment has neither candidates nor ice-ufrag')
  }
  return { usernameFragment: ufrag === undefined ? undefined : String(ufrag), candidates: usableCandidates(all) }
}
