/** A file beside a composite: its poster, a sheet of thumbnails. */
export interface CompositeObject {
  readonly type: 'object'
  /** Recording time of the last frame in it, microseconds. */
  readonly atUs: number
  /** Behind the name of the composite: `/poster.jpg`. */
  readonly suffix: string
  readonly contentType: string
  readonly body: Uint8Array
}
