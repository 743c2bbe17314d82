import type { SoftwareScaleContext } from 'node-av/lib'
import type { NodeAv } from './node-av.js'
import type { PictureSize } from './picture-fit.js'
import type { PixelFormat } from './picture-format.js'

/**
 * A scaler to 8-bit 4:2:0 by one of libswscale's algorithms. Where it cannot pull a picture so far out of shape (4320x16
 * to 16x1280), the nearest samples are taken: nobody's picture must end the work on those of others.
 */
export function openScaler(
  { lib, constants }: NodeAv,
  format: PixelFormat,
  from: PictureSize,
  to: PictureSize,
  flags: number,
): SoftwareScaleContext {
  const target = constants.AV_PIX_FMT_YUV420P
  const open = (own: number): SoftwareScaleContext => {
    const context = new lib.SoftwareScaleContext()
    context.getContext(from.width, from.height, format, to.width, to.height, target, own as never)
    return context
  }
  try {
    return open(flags)
  } catch {
    return open(constants.SWS_POINT)
  }
}
