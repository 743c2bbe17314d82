/** The parts of sdp-transform that WebRTC needs besides those of plain RTP. */
declare module 'sdp-transform' {
  export interface ParsedCandidate {
    readonly foundation: string | number
    readonly component: number
    readonly transport: string
    readonly priority: number | string
    readonly ip: string
    readonly port: number
    readonly type: string
  }
  export interface ParsedFingerprint {
    readonly type: string
    readonly hash: string
  }
  export interface ParsedMedia {
    readonly iceUfrag?: string | number
    readonly icePwd?: string | number
    readonly setup?: string
    readonly candidates?: readonly ParsedCandidate[]
    readonly extmapAllowMixed?: string
  }
  export interface ParsedSession {
    readonly iceUfrag?: string | number
    readonly icePwd?: string | number
    readonly setup?: string
    readonly icelite?: string
    readonly extmapAllowMixed?: string
  }
  export function write(session: object): string
}
