/** Pixels, 1 to 65,536 each way. */
export interface Vp9FrameSize {
  readonly width: number
  readonly height: number
}
