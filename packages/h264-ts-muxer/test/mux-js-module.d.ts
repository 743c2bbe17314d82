/** The part of mux.js that these tests use; it comes without types. */
declare module 'mux.js' {
  interface MuxJsStream {
    pipe(next: MuxJsStream): MuxJsStream
    on(event: 'data', listener: (data: { readonly type: string }) => void): void
    push(bytes: Uint8Array): void
    flush(): void
  }
  const muxJs: {
    readonly mp2t: Record<'TransportPacketStream' | 'TransportParseStream' | 'ElementaryStream', new () => MuxJsStream>
  }
  export default muxJs
}
