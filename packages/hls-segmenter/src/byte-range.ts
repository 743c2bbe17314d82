/** A part of a resource, in bytes. */
export interface ByteRange {
  readonly length: number
  readonly offset: number
}
