/** What sdp-transform makes of a session description. It comes without types; these are the parts that are used. */

import { parse, write } from 'sdp-transform'

/** A media section. Words that look like numbers are numbers. */
export interface ParsedMedia {
  readonly type: string
  /** Text where it is not written as JavaScript writes numbers, such as `04`. */
  readonly port: number | string
  readonly protocol: string
  readonly payloads?: string | number
  readonly rtp: readonly { payload: number; codec: string | number; rate?: number; encoding?: string | number }[]
  readonly fmtp: readonly { payload: number; config: string | number }[]
  readonly rtcp?: { port: number | string }
  readonly rtcpMux?: string
  readonly rtcpRsize?: string
  readonly rtcpFb?: readonly { payload: number | string; type: string | number; subtype?: string | number }[]
  readonly ext?: readonly { value: number | string; uri: string | number }[]
  readonly crypto?: readonly unknown[]
  readonly fingerprint?: unknown
  readonly mid?: string | number
  readonly direction?: string
  readonly ssrcs?: readonly { id: number; attribute: string; value?: string | number }[]
  readonly ssrcGroups?: readonly { semantics: string | number; ssrcs: string | number }[]
  readonly rids?: readonly { id: string | number; direction: string; params?: string | number }[]
  readonly simulcast?: { dir1: string; list1: string | number; dir2?: string; list2?: string | number }
  readonly iceUfrag?: string | number
  readonly icePwd?: string | number
  readonly setup?: string
  readonly candidates?: readonly ParsedCandidate[]
  readonly extmapAllowMixed?: string
}

/** A whole description. */
export interface ParsedSession {
  readonly media: readonly ParsedMedia[]
  readonly version?: number | string
  readonly fingerprint?: unknown
  readonly direction?: string
  readonly rtcpMux?: string
  readonly ext?: readonly { value: number | string; uri: string | number }[]
  readonly groups?: readonly { type: string; mids: string | number }[]
  readonly iceUfrag?: string | number
  readonly icePwd?: string | number
  readonly setup?: string
  readonly icelite?: string
  readonly extmapAllowMixed?: string
}

/** An ICE candidate (RFC 8839 §5.1). */
export interface ParsedCandidate {
  readonly foundation: string | number
  readonly component: number
  readonly transport: string
  readonly priority: number | string
  readonly ip: string
  readonly port: number
  readonly type: string
}

/** The fingerprint of a certificate (RFC 8122). */
export interface ParsedFingerprint {
  readonly type: string
  readonly hash: string
}

/** Reads a description, or a fragment of one. */
export function parseSdpText(text: string): ParsedSession {
  return parse(text) as ParsedSession
}

/** The text of a description. */
export function writeSdpText(session: object): string {
  return write(session)
}
