/** The part of sdp-transform that reads answers. */
declare module 'sdp-transform' {
  export function parse(sdp: string): {
    readonly media: readonly {
      readonly type: string
      readonly port: number
      readonly payloads?: string | number
      readonly mid?: string | number
      readonly direction?: string
      readonly rtcpFb?: readonly { payload: number | string; type: string; subtype?: string }[]
      readonly ext?: readonly { value: number; uri: string }[]
      readonly fmtp: readonly { payload: number; config: string }[]
      readonly candidates?: readonly unknown[]
    }[]
  }
}
