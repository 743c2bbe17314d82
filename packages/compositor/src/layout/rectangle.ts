/** A place on a canvas in pixels. Everything is even: chroma has half the size. */
export interface Rectangle {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}
