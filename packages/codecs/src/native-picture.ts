import type { Frame } from 'node-av/lib'
import { checkOpened, type NodeAv } from './node-av.js'
import type { PictureSize } from './picture-fit.js'

/** A picture of 8-bit 4:2:0 in native memory, aligned and padded as libswscale wants it: it writes whole vectors. */
export interface NativePicture {
  readonly frame: Frame
  /** Asked for once: they stay where they are. */
  readonly planes: readonly Uint8Array[]
  readonly strides: readonly number[]
}

/** Throws `CODECS_OPEN_FAILED` where there is no memory. */
export function allocatePicture({ lib, constants }: NodeAv, { width, height }: PictureSize): NativePicture {
  const frame = new lib.Frame()
  frame.alloc()
  frame.format = constants.AV_PIX_FMT_YUV420P
  frame.width = width
  frame.height = height
  checkOpened('a picture', frame.getBuffer(0))
  return { frame, planes: (frame.data ?? []).slice(0, 3), strides: frame.linesize.slice(0, 3) }
}
