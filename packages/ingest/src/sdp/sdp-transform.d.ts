/** The part of sdp-transform that is used; it comes without types of its own. */
declare module 'sdp-transform' {
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
  }
  export interface ParsedSession {
    readonly media: readonly ParsedMedia[]
    readonly version?: number | string
    readonly fingerprint?: unknown
    readonly direction?: string
    readonly rtcpMux?: string
    readonly ext?: readonly { value: number | string; uri: string | number }[]
    readonly groups?: readonly { type: string; mids: string | number }[]
  }
  export function parse(sdp: string): ParsedSession
}
