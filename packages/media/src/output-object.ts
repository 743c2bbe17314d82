/** One object on its way to a store: a segment, a playlist, a manifest. */
export interface OutputObject {
  readonly type: 'object'
  /** Relative to the prefix of the sink, with `/` between components. */
  readonly name: string
  readonly contentType: string
  readonly cacheControl?: string
  /** The bytes, in order. */
  readonly body: readonly Uint8Array[]
}
