/** It comes without types; what it makes is described in parsed-sdp.ts, so that no declaration of ours names the module. */
declare module 'sdp-transform' {
  export function parse(sdp: string): unknown
  export function write(session: object): string
}
